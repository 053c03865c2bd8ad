"""What a process that serves for long does with the memory of its start."""

import gc


def set_apart() -> None:
    """Keep what is there by now out of garbage collection.

    Half a million objects of imports live as long as the process; each full collection reads all of them
    (https://docs.python.org/3/library/gc.html#gc.freeze).
    """
    gc.collect()
    gc.freeze()
