"""What the made tool runs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

mode, address, ports, marker, rule = sys.argv[1:6]
lines = [json.dumps({"host": address, "port": int(port), "rule": rule}) for port in ports.split(",") if port]
output = Path("result.jsonl")
if mode == "slow":
    # a grandchild in a session of its own, to be found by whoever cleans up
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"], start_new_session=True)
    if marker:
        Path(marker).write_text(f"{os.getpid()} {child.pid}")
        while Path(marker).exists():
            time.sleep(0.1)
    child.kill()
if mode.startswith("fragile") and Path(marker).exists() and address in Path(marker).read_text().split():
    sys.stderr.write("not today\n")
    sys.exit(9)
while mode == "fragile-slow" and Path(marker).exists():
    time.sleep(0.1)
if mode == "gate":
    # who waits leaves its process id in the folder; a file there opens the gate for all
    gate = Path(marker)
    (gate / str(os.getpid())).touch()
    while not (gate / "open").exists():
        time.sleep(0.05)
if mode == "hang":
    output.write_text("\n".join(lines) + "\n")
    time.sleep(600)
if mode == "garbage":
    output.write_bytes(b"\x00\xff<html>" * 50)
elif mode == "cut":
    output.write_text("\n".join(lines) + '\n{"host": "192.0')
elif mode in {"flood", "shout"}:
    output.write_text("\n".join(lines) + "\n")
    with output.open("ab") if mode == "flood" else sys.stdout.buffer as stream:
        for _ in range(1024):  # 1 GiB of lines that hold nothing
            stream.write(b" " * (1024 * 1024 - 1) + b"\n")
elif mode == "code":
    output.write_text("\n".join(lines) + "\n")
    sys.exit(77)
elif mode == "crash":
    output.write_text("\n".join(lines) + "\n")
    sys.stderr.write("cannot go on\n")
    os.kill(os.getpid(), signal.SIGSEGV)
elif mode != "silent":
    output.write_text("\n".join(lines) + "\n")
