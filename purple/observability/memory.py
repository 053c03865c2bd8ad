"""What a process that serves for long does with the memory of its start."""

import ctypes
import gc

M_ARENA_MAX = -8


def share_arena() -> None:
    """Have all threads allocate from one arena, before there is a second one.

    Otherwise what a thread once needed stays with it (mallopt(3)): a worker that has read a large file holds that
    memory for nobody. Python's own lock leaves threads little to contend for. Only glibc has such arenas.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)


def set_apart() -> None:
    """Keep what is there by now out of garbage collection.

    Half a million objects of imports live as long as the process; each full collection reads all of them
    (https://docs.python.org/3/library/gc.html#gc.freeze).
    """
    gc.collect()
    gc.freeze()
