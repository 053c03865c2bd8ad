"""`purple search …`: the index that finds words, held against the database and built anew."""

import sys
from typing import Any

import typer

from cli.listing import Output, form
from cli.output import Column, Format, document, note, table
from cli.runtime import with_container
from purple.domain.errors import ExitCode

SHOWN = 10
"""Ids of each kind."""


def _counted(word: str) -> Any:
    """What tells how many there were so far, where a person looks."""

    def told(count: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{word} {count}")
            sys.stderr.flush()

    return told


def rebuild() -> None:
    """Fill a new index from the database and put it in the place of the old one, which answers meanwhile."""
    copied = with_container(lambda c: c.indexing.rebuild(_counted("copied")))
    note(f"{copied} vulnerabilities are in the new index")


def verify(output: Output = None) -> None:
    """Hold every document of the index against its row; exit code 3 where one differs."""
    wanted = form(output)
    found = with_container(lambda c: c.indexing.verify(_counted("compared")))
    kinds = {name: getattr(found.difference, name) for name in ("missing", "left_over", "other")}
    if wanted is Format.TABLE:
        rows = [
            {"what": name.replace("_", " "), "number": len(ids), "ids": ", ".join(map(str, ids[:SHOWN]))}
            for name, ids in kinds.items()
        ]
        table("Index beside database", (Column("what"), Column("number"), Column("ids", "the first")), rows)
    else:
        ids = {name: [str(one) for one in each] for name, each in kinds.items()}
        document({"schema": "purple.search/1", "rows": found.rows, "behind": found.behind, **ids}, wanted)
    differing = len(found.difference.ids)
    if not differing:
        note(f"all {found.rows} vulnerabilities are in the index as they are in the database")
        return
    remedy = f"{found.behind} events are not fed yet: try again" if found.behind else "`purple search rebuild` mends it"
    note(f"{differing} differ; {remedy}")
    raise typer.Exit(ExitCode.GATE_FAILED)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="The index that finds words in what was found.", no_args_is_help=True)
    nouns.command()(rebuild)
    nouns.command()(verify)
    app.add_typer(nouns, name="search")
