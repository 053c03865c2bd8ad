"""Ids of changes to the workflows' commands, so that old campaigns replay.

A change of what `campaign.py` asks of the server needs a constant here and `workflow.patched(…)` around it; the
replay of recorded histories fails without.
"""

BEGIN_HERE = "begin-here"
"""A campaign's first step is a local activity."""

CANCEL_STANDS = "cancel-stands"
"""A cancel that comes in one turn with the end of what it cancels is heard."""

ASKED_ONCE = "asked-once"
"""A tool that waits for approval is asked for once, and waits no longer where somebody has answered."""

WORDS_ASKED = "words-asked"
"""A child skips only what people ordered to be skipped, whoever tells it."""
