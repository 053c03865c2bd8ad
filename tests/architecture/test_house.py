"""The house keeps its shape: layers, sizes, a domain of standard library only."""

import ast
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("purple", "workflows", "activities", "api", "workers", "cli")


def test_the_domain_uses_the_standard_library_only() -> None:
    for path in (ROOT / "purple/domain").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                top = name.split(".")[0]
                assert top in sys.stdlib_module_names or name.startswith("purple.domain"), f"{path.name}: {name}"


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("purple/domain/planted.py", "import purple.services"),
        ("purple/services/planted.py", "import purple.db"),
        ("workflows/planted.py", "import sqlalchemy"),
        ("api/planted.py", "import purple.search"),
        ("purple/contracts/planted.py", "import purple.services"),
        ("activities/planted.py", "import workflows"),
    ],
)
def test_a_planted_violation_is_caught(tmp_path: Path, file: str, line: str) -> None:
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "samples"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / file).write_text(line + "\n")
    linter = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    result = subprocess.run(linter, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stdout
    assert "planted" in result.stdout


def test_the_size_gate_catches_a_long_file_and_a_long_function(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("size_gate", ROOT / "scripts/size_gate.py")
    assert spec
    assert spec.loader
    gate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gate)
    (tmp_path / "purple").mkdir()
    (tmp_path / "purple/long.py").write_text("def f():\n" + "    pass\n" * 60 + "x = 1\n" * 400)
    assert gate.main(tmp_path) == 1
    (tmp_path / "purple/long.py").write_text("def f():\n" + "    pass\n" * 59)
    assert gate.main(tmp_path) == 0
