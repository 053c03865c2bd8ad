"""Greets, stays, and writes down what it was told when it left; who is thrown out writes nothing."""

import json
import socket
import sys
from pathlib import Path

address, port, greeting = sys.argv[1:4]
with socket.create_connection((address, int(port)), 5) as connection:
    connection.settimeout(110)
    connection.sendall(f"{greeting}\n".encode())
    if connection.recv(100) != b"go\n":
        sys.exit(9)
Path("result.jsonl").write_text(json.dumps({"host": address, "port": int(port)}) + "\n")
