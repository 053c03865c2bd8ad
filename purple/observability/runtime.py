"""How a process that serves for long uses Python, the C library and processors."""

import contextlib
import ctypes
import gc
import os
import sys
import time
from pathlib import Path

M_ARENA_MAX = -8
TURN_S = 0.0002
"""How long a thread may keep Python's lock while others want it; 0.005 is Python's own."""
FULL_COLLECTIONS = 100
"""One for so many of the middle generation; ten is Python's own."""
SESSION = Path("/proc/self/autogroup")
_TRIES, _BETWEEN_S = 20, 0.1
"""Linux lets who has no privilege weigh one session in a tenth of a second, of all that run."""


def share() -> None:
    """Have threads share memory and Python's lock, before there is a second one.

    They allocate from one arena. Otherwise what a thread once needed stays with it (mallopt(3)): a worker that has
    read a large file holds that memory for nobody. Only glibc has such arenas.

    Their turns are short. The event loop needs the lock for microseconds, many times for each batch that PostgreSQL
    takes in, and waited five milliseconds each time for a thread that reads a tool's output meanwhile.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
    sys.setswitchinterval(TURN_S)


def set_apart() -> None:
    """Keep what is there by now out of garbage collection.

    Half a million objects of imports live as long as the process; each full collection reads all of them
    (https://docs.python.org/3/library/gc.html#gc.freeze). What is made later and stays, such as compiled statements,
    is read seldom: a full collection stops all that a process serves for ten milliseconds and more.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, FULL_COLLECTIONS)


def stand_back(steps: int) -> None:
    """Leave processors to others where they are scarce, by so many more steps of nice(2).

    Linux gives each session its share first, and asks only inside of one how nice its processes are (autogroup, in
    sched(7)). Who leads a session therefore has it weigh as little as itself.
    """
    nice = os.nice(steps)
    if os.getsid(0) != os.getpid():
        return
    with contextlib.suppress(OSError):  # there are kernels and containers without it
        for _ in range(_TRIES):
            try:
                SESSION.write_text(str(nice))
            except BlockingIOError:
                time.sleep(_BETWEEN_S)
            else:
                return
