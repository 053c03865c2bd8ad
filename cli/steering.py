"""`purple campaign pause`, `resume`, `cancel`, `retry`, `skip`, `approve` …: what is asked of one that runs."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import typer

from cli import documents
from cli.listing import Output, form
from cli.output import Format, document, note
from cli.runtime import organisation, with_container
from purple.domain.campaigns import Campaign

One = Annotated[UUID, typer.Argument(metavar="CAMPAIGN", help="Its id")]
Tool = Annotated[str, typer.Argument(metavar="TOOL", help="The tool that waits")]
Reason = Annotated[str, typer.Option(help="Why, for the record")]

_SAID = {
    "pause": "paused: nothing new starts; `purple campaign resume {id}` goes on",
    "resume": "resumed; `purple campaign watch {id}` shows how it goes",
    "cancel": "asked to stop; `purple campaign show {id}` tells when it has",
    "retry": "running again what failed; `purple campaign watch {id}` shows how it goes",
    "skip": "skipped; `purple run list --campaign {id}` shows what runs",
    "concurrency": "as many tools at once as you said",
    "add-targets": "targets added; `purple campaign watch {id}` shows how it goes",
    "approve": "approved; `purple campaign watch {id}` shows how it goes",
    "reject": "rejected: its runs are skipped",
}


def pause(
    campaign: One,
    stop_running: Annotated[
        bool, typer.Option("--stop-running", help="Stop the tools that run; they run again once it is resumed")
    ] = False,
    output: Output = None,
) -> None:
    """Start nothing new until it is resumed; tools that run end by themselves, or are stopped."""
    if stop_running:
        _steer("pause", campaign, output, lambda c, actor: c.steering.stop(organisation(), campaign, actor))
    else:
        _steer("pause", campaign, output, lambda c, actor: c.steering.pause(organisation(), campaign, actor))


def resume(campaign: One, output: Output = None) -> None:
    """Go on after a pause."""
    _steer("resume", campaign, output, lambda c, actor: c.steering.resume(organisation(), campaign, actor))


def cancel(campaign: One, output: Output = None) -> None:
    """Stop one: running tools are killed, what was found stays."""
    _steer("cancel", campaign, output, lambda c, actor: c.steering.cancel(organisation(), campaign, actor))


def retry(campaign: One, output: Output = None) -> None:
    """Run again every tool run that is not complete, and only those, also after its end."""
    _steer("retry", campaign, output, lambda c, actor: c.steering.retry_failed(organisation(), campaign, actor))


def skip(
    campaign: One,
    tool: Annotated[str, typer.Option(help="Every run of this tool")] = "",
    run: Annotated[UUID | None, typer.Option(help="This tool run alone", show_default=False)] = None,
    reason: Reason = "",
    output: Output = None,
) -> None:
    """Run one tool run, or every one of a tool, no more; one that runs is stopped."""
    _steer(
        "skip",
        campaign,
        output,
        lambda c, actor: c.steering.skip(organisation(), campaign, actor, tool, run, reason),
    )


def concurrency(
    campaign: One,
    parallel: Annotated[int, typer.Argument(metavar="N", help="So many tools at once")],
    output: Output = None,
) -> None:
    """Change how many tools run at once; those that run stay."""
    _steer(
        "concurrency",
        campaign,
        output,
        lambda c, actor: c.steering.set_parallel(organisation(), campaign, actor, parallel),
    )


def add_targets(
    campaign: One,
    targets: Annotated[list[str], typer.Argument(metavar="TARGET...", help="Ids of the register, or values")],
    output: Output = None,
) -> None:
    """Add targets to one that runs; its authorisation must cover them."""

    async def ask(container: Any, actor: Any) -> Campaign:
        from cli.target import find_or_register

        ids = [(await find_or_register(container, text)).id for text in targets]
        added: Campaign = await container.steering.add_targets(organisation(), campaign, actor, ids)
        return added

    _steer("add-targets", campaign, output, ask)


def approve(campaign: One, tool: Tool, reason: Reason = "", output: Output = None) -> None:
    """Let a tool run that waits for a second person; who started the campaign cannot."""
    _answer("approve", campaign, tool, reason, output)


def reject(campaign: One, tool: Tool, reason: Reason = "", output: Output = None) -> None:
    """Skip a tool that waits for a second person; who started the campaign cannot."""
    _answer("reject", campaign, tool, reason, output)


def _answer(verb: str, campaign: UUID, tool: str, reason: str, output: Format | None) -> None:
    _steer(
        verb,
        campaign,
        output,
        lambda c, actor: c.steering.answer(
            organisation(), campaign, actor, tool, approve=verb == "approve", reason=reason
        ),
    )


def _steer(verb: str, campaign: UUID, output: Format | None, ask: Callable[[Any, Any], Any]) -> None:
    from purple.services.identity import ADMINISTRATOR

    wanted = form(output)

    async def steer(container: Any) -> Campaign:
        asked: Campaign = await ask(container, ADMINISTRATOR)
        return asked

    asked = with_container(steer)
    if verb == "cancel" and asked.state.ended:
        note(f"{asked.name} had ended: {asked.state}")
    else:
        note(f"{asked.name}: {_SAID[verb].format(id=campaign)}")
    if wanted is not Format.TABLE:
        document(documents.campaign(asked), wanted)


def register(nouns: typer.Typer) -> None:
    """Add the commands to those of campaigns."""
    for verb in (pause, resume, cancel, retry, skip, concurrency, add_targets, approve, reject):
        nouns.command(verb.__name__.replace("_", "-"))(verb)
