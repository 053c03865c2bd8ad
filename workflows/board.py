"""What people see of a workflow while it runs: in the Temporal UI, and as the answer to the query."""

from collections import deque

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from purple.contracts.campaigns import Progress

LINES = 20


class Board:
    """Steps done of steps known, what runs now, and the last lines of what happened."""

    def __init__(self) -> None:
        self.phase = ""
        self.done = 0
        self.known = 0
        self.paused = False
        self.window = ""
        """Until when the contract's test windows hold it back, in words; empty where they do not."""
        self.running: list[str] = []
        self.waiting: dict[str, str] = {}
        """What waits at the gate of its host, and why."""
        self.held: dict[str, int] = {}
        """Tool to how many of its scans wait for approval."""
        self._lines: deque[str] = deque(maxlen=LINES)

    def say(self, line: str) -> None:
        """Add a line."""
        self._lines.append(" ".join(line.split())[:200])
        self.show()

    def show(self) -> None:
        """Give the Temporal UI what stands here now."""
        head = f"Phase **{self.phase}**, {self.done} of {self.known} known steps done"
        head += ", paused" if self.paused else ""
        head += f", {self.window}" if self.window else ""
        running = "".join(f"\n- running: {each}" for each in self.running)
        running += "".join(f"\n- {each}: {reason}" for each, reason in self.waiting.items())
        running += "".join(f"\n- {tool}: {scans} scans wait for approval" for tool, scans in self.held.items())
        lines = "".join(f"\n- {each}" for each in self._lines)
        workflow.set_current_details(f"{head}{running}{lines}")

    def progress(self) -> Progress:
        """The answer to the query."""
        return Progress(
            phase=self.phase,
            done=self.done,
            known=self.known,
            running=tuple(self.running),
            paused=self.paused,
            waiting=(
                *([self.window] if self.window else []),
                *(f"{each}: {reason}" for each, reason in self.waiting.items()),
            ),
            held=dict(self.held),
        )
