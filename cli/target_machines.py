"""`purple target machine`, `proposals`, `same`, `apart`, `undo-ruling`: which targets are one machine."""

from typing import Annotated, Any
from uuid import UUID

import typer

from cli.listing import Output, form
from cli.output import Column, Format, data, document, note, table
from cli.runtime import organisation, with_container
from cli.target import One, find_target
from purple.domain.machines import MAX_PROPOSALS

Other = Annotated[str, typer.Argument(metavar="OTHER", help="Another target: its id or value")]
Why = Annotated[str, typer.Option(help="What makes you sure; it is kept")]
OTHERS = (Column("value"), Column("because"), Column("via", optional=True), Column("id", whole=True, optional=True))
RULINGS = (Column("id", whole=True), Column("what"), Column("actor", "by"), Column("why"))
RULING = (
    "id", "target_id", "other_id", "same", "created_at", "actor", "why", "evidence", "undone_at", "undone_by",
)  # fmt: skip
PROPOSALS = (
    Column("target"),
    Column("other", "is it also"),
    Column("seen_at", "resolved to it", optional=True),
    Column("names", "names there", whole=True),
)


def machine(target: One, output: Output = None) -> None:
    """Show which other targets are the same machine, why, and the risk of it, each flaw once."""
    wanted = form(output)

    async def look(container: Any) -> dict[str, Any]:
        known = await find_target(container, target)
        found = await container.machine_keeping.of(organisation(), known.id)
        return _machine(found, await container.risking.machine(organisation(), known.id))

    _show(with_container(look), wanted)


def proposals(
    limit: Annotated[int, typer.Option(min=1, max=MAX_PROPOSALS, help="At most")] = 50, output: Output = None
) -> None:
    """Show targets that may be one machine: a name resolved to the address of another. `same` or `apart` decides."""
    wanted = form(output)

    async def look(container: Any) -> Any:
        return await container.machine_keeping.proposals(organisation(), limit)

    rows = [_proposal(each) for each in with_container(look)]
    if wanted is Format.TABLE:
        table("The same machine?", PROPOSALS, rows)
    else:
        data({"schema": "purple.machine-proposals/1", "items": rows})


def same(target: One, other: Other, why: Why, output: Output = None) -> None:
    """Say that two targets are one machine; it stands until it is undone."""
    _rule("join", target, other, why, form(output))


def apart(target: One, other: Other, why: Why, output: Output = None) -> None:
    """Say that two targets are not one machine, whatever hosts and addresses say; it stands until it is undone."""
    _rule("split", target, other, why, form(output))


def undo_ruling(
    ruling: Annotated[UUID, typer.Argument(metavar="RULING", help="Its id, as `machine` shows it")],
    why: Why,
    output: Output = None,
) -> None:
    """Let hosts, and what else people said, decide again."""
    wanted = form(output)

    async def act(container: Any) -> Any:
        from purple.services.identity import ADMINISTRATOR

        return await container.machine_keeping.undo(ruling, why, ADMINISTRATOR)

    document({"schema": "purple.machine-ruling/1", **_ruling(with_container(act))}, wanted)


def _rule(verb: str, target: str, other: str, why: str, wanted: Format) -> None:
    async def act(container: Any) -> dict[str, Any]:
        from purple.services.identity import ADMINISTRATOR

        one, another = [await find_target(container, each) for each in (target, other)]
        found = await getattr(container.machine_keeping, verb)(one.id, another.id, why, ADMINISTRATOR)
        return _machine(found, await container.risking.machine(organisation(), one.id))

    _show(with_container(act), wanted)


def _show(made: dict[str, Any], wanted: Format) -> None:
    if wanted is not Format.TABLE:
        document(made, wanted)
        return
    note(f"risk of the machine: {made['risk']} of 100, {made['vulnerabilities']} present vulnerabilities")
    table(f"The same machine as {made['value']}: {made['count']}", OTHERS, made["others"])
    if made["rulings"]:
        rows = [
            each | {"what": f"{each['value']} {'is' if each['same'] else 'is not'} {each['other']}"}
            for each in made["rulings"]
        ]
        table("People said", RULINGS, rows)


def _machine(found: Any, risk: Any) -> dict[str, Any]:
    """`purple.machine/1`: a target with the others that are one machine with it."""
    others = [
        {
            "id": each.id,
            "value": each.value,
            "because": link.because,
            "via": found.names[link.via],
            "ruling_id": link.ruling.id if link.ruling else None,
        }
        for each, link in found.others
    ]
    rulings = [
        _ruling(each) | {"value": found.names[each.target_id], "other": found.names[each.other_id]}
        for each in found.rulings
    ]
    known = {"target_id": found.target.id, "value": found.target.value, "machine_id": found.target.machine_id}
    told = {"count": found.count, "risk": risk.risk.score, "vulnerabilities": risk.count}
    return {"schema": "purple.machine/1", **known, **told, "others": others, "rulings": rulings}


def _ruling(row: Any) -> dict[str, Any]:
    """What a person said of two targets."""
    return {name: getattr(row, name) for name in RULING}


def _proposal(row: Any) -> dict[str, Any]:
    """Two targets that may be one machine."""
    fields = ("target_id", "other_id", "address", "seen_at", "scan_id", "names")
    known = {name: getattr(row.proposal, name) for name in fields}
    return known | {"target": row.target.value, "other": row.other.value}


def register(nouns: typer.Typer) -> None:
    """Add the commands to `purple target`."""
    for verb in (machine, proposals, same, apart, undo_ruling):
        nouns.command()(verb)
