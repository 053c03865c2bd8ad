"""`purple up | down | status | logs | doctor`: the local stack."""

import asyncio
import os
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.listing import Output, form
from cli.output import Column, Format, data, line, note, plain, table
from cli.runtime import settings, with_container
from purple.domain.errors import NotFoundError, PurpleError

if TYPE_CHECKING:
    from purple.stack.state import StackState


def up(*, lab: Annotated[bool, typer.Option(help="With the vulnerable lab of the demo")] = False) -> None:
    """Start the stack on loopback; servers of your own are used where their URLs are set."""
    from purple.stack.stack import told
    from purple.stack.stack import up as bring_up

    state = bring_up(settings().stack, lab=lab, wait_all=True, watcher=told(note))
    note(f"API: {state.offered.get('PURPLE_API__URL', '')}/api/docs")
    note(f"Temporal: {state.offered.get('PURPLE_TEMPORAL__UI_URL', 'yours')}")
    note("`purple down` stops it")


def down() -> None:
    """Stop everything; the data stays."""
    from purple.stack.stack import down as bring_down

    note("stopped" if bring_down(settings().stack.home) else "nothing was running")


def status(output: Output = None) -> None:
    """How each part is."""
    from purple.stack.launcher import running

    wanted = form(output)
    state = running(settings().stack.home)
    if state is None:
        raise NotFoundError("the stack is down", remedy="`purple up` starts it")
    parts = list(state.parts.values())
    written = [
        {"schema": "purple.part/1"} | part.model_dump(mode="json", exclude={"process", "stop_signal"}) for part in parts
    ]
    if wanted is Format.JSON:
        data(written)
    elif wanted is Format.JSONL:
        for each in written:
            line(each)
    else:
        now = time.time()
        table("Stack", _STATUS, [each | {"since": f"{now - each['since']:.0f} s"} for each in written])


_STATUS = (
    Column("title", "part", whole=True),
    Column("state"),
    Column("since", "for", optional=True),
    Column("restarts", optional=True),
    Column("detail"),
)


def logs(
    part: Annotated[str, typer.Argument(help="As `purple status -o json` names it")],
    lines: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
) -> None:
    """The end of a part's log."""
    folder = settings().stack.home / "logs"
    known = sorted(path.stem for path in folder.glob("*.log")) if folder.exists() else []
    if part not in known:
        raise NotFoundError(
            f"there is no log of {part!r}",
            field="part",
            value=part,
            remedy=f"use one of {', '.join(known) or 'none'}",
        )
    with (folder / f"{part}.log").open(errors="replace") as file:
        for line in deque(file, maxlen=lines):
            typer.echo(plain(line.rstrip("\n")))


def doctor() -> None:
    """Which parts and tools are usable, and what each missing one would add."""
    from purple.stack.launcher import running

    state = running(settings().stack.home)
    rows: list[tuple[object, ...]] = []
    if state is None:
        rows.append(("stack", "down", "`purple up` starts it", ""))
    else:
        rows += [
            (p.title, "ok" if p.state.good else p.state, p.detail, ADDS.get(p.name, "")) for p in state.parts.values()
        ]

    async def tools(container: Any) -> list[tuple[object, ...]]:
        found: list[tuple[object, ...]] = [await asyncio.to_thread(_isolation, container, state)]
        for name in container.tools.names():
            status = await asyncio.to_thread(container.tools.status, name)
            found.append((status.title, "ok" if status.usable else "missing", status.detail, status.purpose))
        try:
            found.append(("PDF reports", "ok", await container.renderer.prepare(), "reports as PDF"))
        except PurpleError as error:
            found.append(("PDF reports", "missing", error.line(), "reports as PDF"))
        ai = container.settings.ai
        said = f"{ai.provider} {ai.model}" if ai.provider != "none" else "set PURPLE_AI__PROVIDER to ollama or openai"
        found.append(
            ("AI triage", "ok" if ai.provider != "none" else "off", said, "an order of remediation by a model")
        )
        return found

    rows += with_container(tools)
    names = [column.key for column in _DOCTOR]
    table("Doctor", _DOCTOR, [dict(zip(names, row, strict=True)) for row in rows])


def _isolation(container: Any, state: "StackState | None") -> tuple[object, ...]:
    """Of tools, as the stack's workers find it, which may run as another user than who asks."""
    worker = state.parts.get("tools-1") if state else None
    try:
        status = Path(f"/proc/{worker.process.pid}").stat() if worker and worker.process else None
    except OSError:
        status = None  # it is not running
    asked = container.isolations
    if status is not None and os.geteuid() == 0 and status.st_uid != 0:
        found = asked.seen_by(status.st_uid, status.st_gid)
    else:
        found = asked.seen()
    wanted = container.settings.tools.isolation
    said = "ok" if found.name != "none" else "off" if wanted == "none" else "missing"
    return ("Isolation of tools", said, f"{found.name}: {found.detail}", "tools that are taken over reach less")


_DOCTOR = (
    Column("part", whole=True),
    Column("state"),
    Column("detail"),
    Column("adds", "what it adds", optional=True),
)


ADDS = {
    "postgres": "the truth: every row",
    "temporal": "durable campaigns and their UI",
    "elasticsearch": "faster full-text search; without it PostgreSQL searches",
    "valkey": "a cache",
    "api": "REST and live events",
    "relay": "positions of events, search, lost starts",
    "steps": "every step but tool runs",
    "tools-1": "tool runs",
    "tools-2": "tool runs, when the other worker dies",
    "tools": "the tools' programs",
    "lab": "targets for the demo",
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (up, down, status, logs, doctor):
        app.command()(command)
