"""`python -m workers ROLE… [--zone ZONE]` or `python -m workers relay`."""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from purple.domain.errors import InvalidInputError, PurpleError
from purple.domain.target_fields import checked_zone
from purple.observability.logs import set_up_logs
from purple.observability.runtime import share, stand_back
from purple.settings import load_settings
from workers.relay import run_relay
from workers.runner import ROLES, TOOL_ROLES, Container, on_signals, run_roles

RELAY = "relay"
USAGE = f"usage: python -m workers {{{'|'.join(ROLES)}}}… [--zone ZONE] or python -m workers {RELAY}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a process is to be."""

    roles: tuple[str, ...]
    zone: str = ""


def asked(arguments: Sequence[str]) -> Asked:
    """Read the arguments.

    Raises:
        InvalidInputError: a role or zone is none, or the two do not go together.
    """
    roles = list(arguments)
    zone = ""
    if "--zone" in roles:
        at = roles.index("--zone")
        if at + 1 == len(roles):
            raise InvalidInputError("--zone names no zone", field="--zone", remedy=USAGE)
        zone = checked_zone(roles[at + 1], "--zone")
        del roles[at : at + 2]
    wrong = [role for role in roles if role not in {*ROLES, RELAY}]
    if wrong or not roles or (RELAY in roles and len(roles) > 1):
        said = f"unknown role {wrong[0]}" if wrong else "roles are missing, or do not go together"
        raise InvalidInputError(said, remedy=USAGE)
    if zone and not TOOL_ROLES.issuperset(roles):
        raise InvalidInputError(
            "only workers that run tools serve a zone",
            field="--zone",
            value=zone,
            remedy=f"start {' or '.join(sorted(TOOL_ROLES))} with it",
        )
    return Asked(tuple(roles), zone)


async def run(wanted: Asked) -> None:
    """Until a signal comes."""
    share()
    settings = load_settings()
    set_up_logs(settings.log)
    stand_back(settings.worker.nice)
    stop = asyncio.Event()
    on_signals(stop)
    container = Container(settings)
    try:
        if wanted.roles == (RELAY,):
            await run_relay(container, stop)
        else:
            await run_roles(container, wanted.roles, stop, wanted.zone)
    finally:
        await container.close()


def main() -> int:
    """Check the roles, then run."""
    try:
        wanted = asked(sys.argv[1:])
    except InvalidInputError as error:
        sys.stderr.write(f"{error.line()}\n")
        return 2
    try:
        asyncio.run(run(wanted))
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
