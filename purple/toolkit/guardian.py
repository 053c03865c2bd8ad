"""Stands between a worker and a tool: when the worker dies or lets go, the tool's whole process tree dies.

Run as a script of the standard library alone: `python -I guardian.py CPU_S MEMORY_B FILE_B -- PROGRAM ARG…`. Standard
input is the lifeline: it closes when the worker closes it or dies by any signal. The guardian is a subreaper
(prctl(2), PR_SET_CHILD_SUBREAPER), so that processes which detach themselves become its children and are found.
"""

import ctypes
import os
import resource
import select
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
CANNOT_START = 127
OPEN_FILES = 4096


LIBC = ctypes.CDLL(None)


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process; see its manual page in section 2."""
    LIBC.prctl(option, value, 0, 0, 0)


def descendants(pid: int) -> list[int]:
    """Every process below this one that exists now."""
    found = []
    tasks = f"/proc/{pid}/task"
    for task in _listed(tasks):
        try:
            with open(f"{tasks}/{task}/children") as children:
                for child in map(int, children.read().split()):
                    found += [child, *descendants(child)]
        except OSError:
            pass  # it ended meanwhile
    return found


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []  # the same


def kill_all() -> None:
    """Kill and reap until nobody is left; who forks meanwhile is met in the next round."""
    while below := descendants(os.getpid()):
        for pid in below:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        try:
            while os.waitpid(-1, 0)[0]:
                pass
        except ChildProcessError:
            pass


def limit(kind: int, value: int) -> None:
    """Lower a limit; a hard limit that is lower already stays."""
    hard = resource.getrlimit(kind)[1]
    wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (wanted, wanted))


def become(argv: list[str], cpu_s: int, memory_b: int, file_b: int) -> None:
    """In the child: the limits, then the tool. Never returns."""
    try:
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        limit(resource.RLIMIT_CPU, cpu_s)
        limit(resource.RLIMIT_AS, memory_b)
        limit(resource.RLIMIT_FSIZE, file_b)
        limit(resource.RLIMIT_NOFILE, OPEN_FILES)
        limit(resource.RLIMIT_CORE, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execv(argv[0], argv)  # noqa: S606 - the very point: no shell
    except BaseException as error:  # noqa: BLE001 - nothing of the parent may run on in the child
        os.write(2, f"cannot start {argv[0]}: {error}\n".encode())
    os._exit(CANNOT_START)


def reap(tool: int) -> int | None:
    """Collect who has ended; the tool's status if it was among them."""
    status = None
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == tool:
                status = ended[1]
    except ChildProcessError:
        pass
    return status


def main() -> int:
    """Start the tool, wait for it or for the end of the lifeline, leave nothing behind."""
    cpu_s, memory_b, file_b = map(int, sys.argv[1:4])
    argv = sys.argv[5:]
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    tool = os.fork()
    if tool == 0:
        become(argv, cpu_s, memory_b, file_b)
    status: int | None = None
    while status is None:
        ready, _, _ = select.select([0, wake_read], [], [], 1.0)
        if 0 in ready and not os.read(0, 1):
            break
        if wake_read in ready:
            os.read(wake_read, 4096)
        status = reap(tool)
    kill_all()
    if status is None:
        return 128 + signal.SIGKILL
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


if __name__ == "__main__":
    sys.exit(main())
