"""Stands between a worker and a tool: when the worker dies or lets go, the tool's whole process tree dies.

Run as a script of the standard library alone, `python -I -S guardian.py`, it has imported what it needs when its job
comes, perhaps much later: on standard input, a dictionary as `marshal` writes it, which takes no time to import.

- `argv`: the program's path and its arguments, as bytes
- `work`: the folder to run it in
- `environment`: all of it, as bytes
- `stdout`, `stderr`: paths of files that are there
- `cpu_s`, `memory_b`, `file_b`: limits, in seconds and bytes

Nothing else comes that way, which is the lifeline: it closes when the worker closes it or dies by any signal. The
guardian is a subreaper (prctl(2), PR_SET_CHILD_SUBREAPER), so that processes which detach themselves become its
children and are found. It ends as the tool did, a signal told as a shell would, and with 127 where the tool could not
be started.
"""

import ctypes
import marshal
import os
import resource
import select
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
CANNOT_START = 127
OPEN_FILES = 4096
STACK = 8 * 1024**2
STACK_MOST = 256 * 1024**2
"""Bytes of address space for each thread, and what a program may raise that to.

Unbounded, Semgrep takes 800 MB for each: with six threads nearly all that a tool may have.
"""


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


def limit(kind: int, value: int, soft: int | None = None) -> None:
    """Lower a limit, its soft one as far or further; a hard limit that is lower already stays."""
    hard = resource.getrlimit(kind)[1]
    wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (wanted if soft is None else min(soft, wanted), wanted))


def redirect(number: int, path: str, flags: int) -> None:
    """Have a standard stream be a file."""
    file = os.open(path, flags)
    os.dup2(file, number)
    os.close(file)


def become(
    argv: list[bytes], work: str, environment: dict[bytes, bytes], cpu_s: int, memory_b: int, file_b: int
) -> None:
    """In the child: its place, the limits, then the tool. Never returns."""
    program = os.fsdecode(argv[0])
    try:
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        redirect(0, os.devnull, os.O_RDONLY)
        os.chdir(work)
        limit(resource.RLIMIT_CPU, cpu_s)
        limit(resource.RLIMIT_AS, memory_b)
        limit(resource.RLIMIT_STACK, STACK_MOST, STACK)
        limit(resource.RLIMIT_FSIZE, file_b)
        limit(resource.RLIMIT_NOFILE, OPEN_FILES)
        limit(resource.RLIMIT_CORE, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execve(program, argv, environment)  # noqa: S606 - the very point: no shell
    except BaseException as error:  # noqa: BLE001 - nothing of the parent may run on in the child
        os.write(2, os.fsencode(f"cannot start {program}: {error}\n"))
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
    """Wait for the job or the end of the lifeline; of the job nothing is left behind."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    try:
        job = marshal.load(sys.stdin.buffer)  # noqa: S302 - from the process that started this one
    except EOFError:
        return CANNOT_START  # there is none
    redirect(2, job.pop("stderr"), os.O_WRONLY)
    redirect(1, job.pop("stdout"), os.O_WRONLY)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    tool = os.fork()
    if tool == 0:
        become(**job)
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
    try:
        code = main()
    except BaseException as error:  # noqa: BLE001 - whatever it is, its code is none that a tool ended with
        os.write(2, f"the guardian failed: {error}\n".encode())
        code = CANNOT_START
    os._exit(code)  # at once: Python would put itself away first
