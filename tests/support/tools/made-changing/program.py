"""What the changing tool runs."""

import json
import os
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

verb, mode, address, port, mark, marker = sys.argv[1:7]


def ask(method: str) -> int:
    connection = HTTPConnection(address, int(port), timeout=10)
    connection.request(method, f"/entries/{mark}")
    return connection.getresponse().status


def hold() -> None:
    """Until the marker is gone."""
    Path(marker).write_text(str(os.getpid()))
    while Path(marker).exists():
        time.sleep(0.05)


if verb == "undo":
    if (status := ask("DELETE")) not in {204, 404}:
        sys.exit(f"the server answered {status}")
    sys.exit(0)
if mode == "hold-before":
    hold()
ask("PUT")
if mode == "hold-after":
    hold()
Path("result.jsonl").write_text(json.dumps({"host": address, "port": int(port)}) + "\n")
sys.exit(9 if mode == "crash" else 0)
