"""What an import is told; no program is run."""

from purple.toolkit.adapter import ImportOptions


class Options(ImportOptions):
    """What every import is told, and no more."""
