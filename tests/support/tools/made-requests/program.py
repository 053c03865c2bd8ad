"""What the made tool runs: a request every twentieth of a second, and a line for each that was answered."""

import json
import socket
import sys
import time
from pathlib import Path

address, port, requests = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with Path("result.jsonl").open("w") as output:
    for number in range(1, requests + 1):
        with socket.create_connection((address, port), timeout=5) as connection:
            connection.sendall(f"{number}\n".encode())
            connection.recv(16)
        output.write(json.dumps({"host": address, "port": number}) + "\n")
        output.flush()
        time.sleep(0.05)
