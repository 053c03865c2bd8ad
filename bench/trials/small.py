"""`python -m bench.trials.small HOME`: a PostgreSQL in a folder, until standard input closes; says where it is."""

import json
import sys
from pathlib import Path

from purple.stack.servers import running_servers


def run(home: Path) -> None:
    """Hold it."""
    with running_servers(home, {"postgres"}) as servers:
        print(json.dumps({"environment": servers.environment, "admin_url": servers.admin_url}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    run(Path(sys.argv[1]))
