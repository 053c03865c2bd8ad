"""Attack paths, found when somebody looks."""

import asyncio
from dataclasses import replace
from uuid import UUID

from purple.domain.attack_graph import graph_of
from purple.domain.attack_paths import MAX_FINDINGS, Asked, AttackPaths, attack_paths, fitting
from purple.domain.pages import check_limit
from purple.domain.ports import Work
from purple.services.weighing import known_each


class AttackPathsReader:
    """From the register and what is present now, so that no path is told that was mended."""

    def __init__(self, work: Work, most: int = MAX_FINDINGS) -> None:
        self._work = work
        self._most = most

    async def find(self, organisation_id: UUID, asked: Asked) -> AttackPaths:
        """The paths that were asked for, the heaviest first, and what to mend first.

        Raises:
            InvalidInputError: the filter, the technique or the limit cannot be used.
            NotFoundError: there is no such vulnerability.
        """
        check_limit(asked.limit)
        fitting(asked)
        async with self._work(organisation_id) as uow:
            if asked.through:
                await uow.findings.vulnerability(asked.through)
            chosen = await uow.attack_surface.chosen(asked.filter) if asked.filter.strip() else None
            targets = await uow.attack_surface.targets()
            findings = await uow.attack_surface.findings(self._most + 1)
            known = await known_each(uow, {each.cve for each in findings})
        looked_at = [(each, known[each.cve]) for each in findings[: self._most]]

        def look() -> AttackPaths:
            return attack_paths(graph_of(targets, looked_at), asked, chosen)

        found = await asyncio.to_thread(look)
        return replace(found, cut_off=found.cut_off or len(findings) > self._most)
