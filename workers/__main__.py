"""`python -m workers ROLE…` or `python -m workers relay`."""

import asyncio
import os
import sys

from purple.domain.errors import PurpleError
from purple.observability.logs import set_up_logs
from purple.settings import load_settings
from workers.relay import run_relay
from workers.runner import ROLES, Container, on_signals, run_roles


async def run(roles: list[str]) -> None:
    """Until a signal comes."""
    settings = load_settings()
    set_up_logs(settings.log)
    stop = asyncio.Event()
    on_signals(stop)
    container = Container(settings)
    try:
        if roles == ["relay"]:
            await run_relay(container, stop)
        else:
            await run_roles(container, roles, stop)
    finally:
        await container.close()


def main() -> int:
    """Check the roles, then run."""
    roles = sys.argv[1:]
    known = (*ROLES, "relay")
    wrong = [role for role in roles if role not in known] or (["relay"] if "relay" in roles and len(roles) > 1 else [])
    if not roles or wrong:
        said = f"unknown role {wrong[0]}: " if wrong else ""
        sys.stderr.write(f"{said}usage: python -m workers {{{'|'.join(ROLES)}}}… or python -m workers relay\n")
        return 2
    try:
        asyncio.run(run(roles))
    except PurpleError as error:
        sys.stderr.write(f"{error.line()}\n")
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # a process that used Temporal's client can abort while the interpreter ends
    os._exit(code)
