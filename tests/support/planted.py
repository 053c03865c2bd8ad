"""A small repository with flaws planted in it, and beside each what must be said of it.

What it holds is put together here, so that no scanner of this repository finds it in this file.
"""

from dataclasses import dataclass
from pathlib import Path

from tests.support.repositories import commit

KEY = "AKIA" + "Z7QJ5VW3" + "M2NXK4TB"
TOKEN = "ghp_" + "9fK2mQ7xV4bT1nR8" + "sW3yC6zL5pJ0hD2gAeXu"
VIEWS = """import hashlib
import subprocess

import yaml


def look_up(cursor, name):
    cursor.execute("SELECT * FROM users WHERE name = '%s'" % name)


def ping(host):
    return subprocess.call("ping " + host, shell=True)  # nosec  # nosemgrep


def load(text):
    return yaml.load(text)


def digest(text):
    return hashlib.md5(text.encode()).hexdigest()
"""
CLOUD = """resource "aws_security_group" "open" {
  name = "open"
  description = "made"
  ingress {
    description = "ssh"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"""
SERVER = """import tarfile
import tempfile

import requests


def fetch(app, url, text):
    tarfile.open(tempfile.mktemp()).extractall()
    requests.get(url, verify=False)
    eval(text)
    app.run(debug=True)
"""
SCRIPT = """const hash = require("crypto").createHash("md5");
db.query("SELECT * FROM users WHERE name = '" + name + "'");
process.exec(`ls ${folder}`);
element.innerHTML = text;
agent({rejectUnauthorized: false});
eval(text);
"""
GO = """package made

func run(c string) {
	exec.Command("sh", "-c", c).Run()
	_ = tls.Config{InsecureSkipVerify: true}
}
"""
JAVA = """class Made {
  void run(String v) throws Exception {
    Runtime.getRuntime().exec("ls " + v);
    statement.executeQuery("SELECT " + v);
    MessageDigest.getInstance("MD5");
  }
}
"""
FILES = {
    "app/server.py": SERVER,
    "tests/script.js": SCRIPT,
    "vendor/made.go": GO,
    "src/Made.java": JAVA,
    "www/index.php": "<?php eval($_GET['x']);\n$a = unserialize($_POST['y']);\n",
    "lib/made.rb": "eval(params[:x])\n",
    "app/views.py": VIEWS,
    ".github/check.py": 'import os\n\nos.system("ls " + input())\n',
    "deploy/main.tf": CLOUD,
    "Dockerfile": "FROM debian:latest\n# checkov:skip=CKV_DOCKER_2:not now\nRUN apt-get update\nUSER root\n",
    "requirements.txt": "jinja2==2.4.1\nidna==3.10\n",
}
RAN = "the-code-ran"
RUNS = f"import os\nopen(os.path.join(os.environ['HOME'], '{RAN}'), 'w').close()\n"
SILENCERS = {
    ".bandit": "[bandit]\nexclude: /\nskips: B602,B608\n",
    ".semgrepignore": "*\n",
    ".gitleaks.toml": "[allowlist]\npaths = ['''.*''']\n",
    ".gitleaksignore": "config/settings.ini:aws-access-token:2\n",
    ".gitattributes": "*.ini -diff\n* filter=lfs\n",
    "pyproject.toml": "[tool.bandit]\nexclude_dirs = ['app']\n",
    ".checkov.yaml": "external-checks-dir: [repository/evil]\nskip-check: [CKV_AWS_24, CKV_DOCKER_8]\n",
    "evil/__init__.py": "import glob\n",
    "evil/check.py": RUNS,
    "sitecustomize.py": RUNS,
    "osv-scanner.toml": "[[PackageOverrides]]\nignore = true\n",
}
"""What a repository may hold to keep a tool from looking, or to have it run something; none of it may count."""


@dataclass(frozen=True)
class Truth:
    """A flaw that a tool must find."""

    tool: str
    rule: str
    path: str
    line: int = 0


TRUTH = (
    Truth("bandit", "bandit:B608", "app/views.py", 8),
    Truth("bandit", "bandit:B602", "app/views.py", 12),
    Truth("bandit", "bandit:B506", "app/views.py", 16),
    Truth("bandit", "bandit:B324", "app/views.py", 20),
    Truth("bandit", "bandit:B605", ".github/check.py", 3),
    *(
        Truth("semgrep", f"semgrep:{rule}", path, line)
        for path, rules in {
            "app/views.py": {
                "python-sql-built-from-text": 8,
                "python-shell-with-a-value": 12,
                "python-unsafe-deserialisation": 16,
                "python-broken-hash": 20,
            },
            "app/server.py": {
                "python-archive-unpacked-anywhere": 8,
                "python-temporary-name": 8,
                "python-tls-not-verified": 9,
                "python-eval": 10,
                "python-debugger-served": 11,
            },
            ".github/check.py": {"python-shell-with-a-value": 3},
            "tests/script.js": {
                "javascript-broken-hash": 1,
                "javascript-sql-built-from-text": 2,
                "javascript-shell-with-a-value": 3,
                "javascript-markup-from-text": 4,
                "javascript-tls-not-verified": 5,
                "javascript-eval": 6,
            },
            "vendor/made.go": {"go-shell-with-a-value": 4, "go-tls-not-verified": 5},
            "src/Made.java": {"java-shell-with-a-value": 3, "java-sql-built-from-text": 4, "java-broken-hash": 5},
            "www/index.php": {"php-eval": 1, "php-unsafe-deserialisation": 2},
            "lib/made.rb": {"ruby-eval": 1},
        }.items()
        for rule, line in rules.items()
    ),
    Truth("pip-audit", "advisory:CVE-2026-10001", ""),
    Truth("osv-scanner", "advisory:CVE-2026-10001", "requirements.txt"),
    Truth("checkov", "checkov:CKV_AWS_24", "deploy/main.tf", 1),
    Truth("checkov", "checkov:CKV_DOCKER_8", "Dockerfile", 4),
    Truth("checkov", "checkov:CKV_DOCKER_2", "Dockerfile", 1),
    Truth("gitleaks", "gitleaks:aws-access-token", "config/settings.ini", 2),
    Truth("gitleaks", "gitleaks:github-pat", "config/deploy.ini", 1),
)


def plant(folder: Path) -> str:
    """Make the repository: a key that was committed and taken out again, then the rest; the last commit."""
    commit(folder, {"config/settings.ini": f"[aws]\nkey = {KEY}\n"})
    return commit(
        folder, FILES | SILENCERS | {"config/settings.ini": "[aws]\n", "config/deploy.ini": f"token = {TOKEN}\n"}
    )
