"""The size gate: at most 400 lines a file and 60 a function, tests and migrations aside."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("workflows", "activities", "api", "workers", "cli", "purple", "lab", "bench", "scripts")
MAX_FILE = 400
MAX_FUNCTION = 60


def exempt(path: Path) -> bool:
    """Tests grow by cases and migrations are written once."""
    return path.name.startswith("test_") or path.name == "conftest.py" or "migrations" in path.parts


def offences(path: Path, shown: Path) -> list[str]:
    """What is too long in one file."""
    text = path.read_text()
    found = []
    if (lines := text.count("\n")) > MAX_FILE:
        found.append(f"{shown}: {lines} lines, at most {MAX_FILE}")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION:
                found.append(f"{shown}:{node.lineno}: {node.name} has {length} lines, at most {MAX_FUNCTION}")
    return found


def main(root: Path = ROOT) -> int:
    """Print each offence; 1 where there is one."""
    found = [
        offence
        for room in ROOMS
        for path in sorted((root / room).rglob("*.py"))
        if not exempt(path.relative_to(root))
        for offence in offences(path, path.relative_to(root))
    ]
    for offence in found:
        print(offence)  # noqa: T201 - the gate's answer
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
