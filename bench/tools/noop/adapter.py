"""No program is run: its artifact is what it would have written."""

from purple.toolkit.adapter import ToolOptions


class Options(ToolOptions):
    """Where it lies."""

    artifact: str
    series: str = ""
