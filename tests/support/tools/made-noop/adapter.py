"""No program is run: what it "wrote" is an artifact."""

from purple.toolkit.adapter import ToolOptions


class Options(ToolOptions):
    artifact: str
    series: str = ""
