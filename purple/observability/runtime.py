"""How a process that serves for long uses Python and the C library."""

import ctypes
import gc
import sys

M_ARENA_MAX = -8
TURN_S = 0.0002
"""How long a thread may keep Python's lock while others want it; 0.005 is Python's own."""
FULL_COLLECTIONS = 100
"""One for so many of the middle generation; ten is Python's own."""


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
