"""What the tool of the trials runs: `program.py VERB ADDRESS PORT MARK SECONDS FLAWS` or `program.py rest ADDRESS`."""

import json
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

LONG_S = 600


def ask(method: str, address: str, port: str, mark: str) -> int:
    """The server's status."""
    connection = HTTPConnection(address, int(port), timeout=10)
    connection.request(method, f"/entries/{mark}")
    return connection.getresponse().status


def act(address: str, port: str, mark: str, seconds: float, flaws: int) -> None:
    """Leave an entry and a process that nobody waits for, then find a flaw now and then."""
    argv = [sys.executable, "-I", "-S", __file__, "rest", address]
    subprocess.Popen(argv, start_new_session=True)  # to be found by whoever clears up
    ask("PUT", address, port, mark)
    with Path("result.jsonl").open("w") as output:
        for number in range(1, flaws + 1):
            time.sleep(seconds / flaws)
            output.write(json.dumps({"host": address, "port": number}) + "\n")
            output.flush()


verb, address, *more = sys.argv[1:]
if verb == "rest":
    time.sleep(LONG_S)
elif verb == "act":
    act(address, more[0], more[1], float(more[2]), int(more[3]))
elif (status := ask("DELETE", address, more[0], more[1])) not in {204, 404}:
    sys.exit(f"the server answered {status}")
