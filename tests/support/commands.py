"""The command line without its imports, which take longer than most commands: forks of a process that made them.

A command has a process, an environment, streams and an exit code of its own, as if it had been started;
`tests/integration/test_cli.py` starts it really. `python -m tests.support.commands` reads a request a line, and writes
its number and its exit code when it is over; several may run at once.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any


def serve() -> None:
    """Until nobody asks any more."""
    import purple.bootstrap
    import purple.settings.checks  # noqa: F401 - what a command imports when it runs

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever waits for a command reaps it
    for line in sys.stdin.buffer:
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            request = json.loads(line)
            if not (child := os.fork()):
                _become(request)
            _, status = os.waitpid(child, 0)
            os.write(1, f"{request['number']} {os.waitstatus_to_exitcode(status)}\n".encode())
            os._exit(0)


def _become(request: dict[str, Any]) -> None:
    """A command, as `python -m cli` does."""
    from cli.main import run

    for number, (path, flags) in enumerate(
        [(os.devnull, os.O_RDONLY), (request["out"], os.O_WRONLY), (request["err"], os.O_WRONLY)]
    ):
        os.dup2(os.open(path, flags), number)
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["purple", *request["arguments"]]
    run()


class Commands:
    """The process that becomes commands."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.commands"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._lock = threading.Lock()
        self._running: dict[int, Future[int]] = {}
        self._number = 0
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            number, code = map(int, line.split())
            self._running.pop(number).set_result(code)

    def run(self, arguments: tuple[str, ...], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """One, and what it wrote."""
        ended: Future[int] = Future()
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            out.touch()
            err.touch()
            with self._lock:
                self._number += 1
                self._running[self._number] = ended
                request = {"number": self._number, "arguments": arguments, "environment": environment}
                assert self._process.stdin
                self._process.stdin.write(json.dumps(request | {"out": str(out), "err": str(err)}).encode() + b"\n")
                self._process.stdin.flush()
            code = ended.result(120)
            return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())

    def close(self) -> None:
        """End it, and what it has become."""
        os.killpg(self._process.pid, signal.SIGKILL)
        with self._process:
            self._listening.join()


if __name__ == "__main__":
    serve()
