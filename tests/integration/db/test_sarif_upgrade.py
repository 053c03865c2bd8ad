"""What an upgrade does to results of SARIF that are known by rule and file alone, on a real PostgreSQL."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import create_engine

from purple.contracts.campaigns import CampaignRef
from purple.domain.fingerprints import fingerprint
from purple.domain.life import Wanted
from purple.domain.observations import Observation, observation_id_of
from purple.domain.vulnerabilities import Vulnerability, VulnerabilityState
from purple.services.analysis import Analysis
from purple.toolkit.tools.plugins import load_plugins
from tests.integration.db.test_rulings import House, house, migration

__all__ = ["house"]
SARIF = load_plugins()["sarif"]
S = VulnerabilityState
OLD = {"semgrep": "Semgrep OSS", "CodeQL": "CodeQL"}
"""As rules began before."""


def results(name: str) -> list[Observation]:
    with (SARIF.folder / "samples" / name).open("rb") as file:
        return [*SARIF.parser.parse(file)]


def as_it_was_told(seen: Observation) -> Observation:
    tool, _, name = seen.rule.partition(":")
    path = f"repository/{seen.location.path}" if tool == "semgrep" else seen.location.path
    place = replace(seen.location, path=path)
    return replace(seen, rule=f"{OLD[tool]}:{name}", weakness="", attributes={}, location=place)


async def imported(house: House, day: int, seen: Iterable[Observation], *, old: bool) -> list[Vulnerability]:
    """All that SARIF tells of, after an import of this."""
    tenant = house.tenant
    scan = await tenant.scan(campaign := await tenant.campaign(day), tool="sarif", key="sarif")
    for each in map(as_it_was_told, seen) if old else seen:
        known = fingerprint(tenant.target.id, each, () if old else SARIF.spec.fingerprint_fields)
        row = replace(tenant.sight(scan, 0), id=observation_id_of(scan.id, each), seen=each, fingerprint=known)
        await tenant.record(row)
    ref = CampaignRef(organisation_id=tenant.id, campaign_id=campaign.id, round=1)
    await Analysis(tenant.work, house.clock).analyse(ref)
    return [each for each in await house.all() if "sarif" in each.tools]


async def test_results_are_told_apart_and_what_people_said_of_them_stays(house, servers) -> None:
    """Of one the code is known, by which it is known again; of the other nothing, until the next import tells it."""
    code, queries = results("semgrep-1.185.0-made-repository.sarif"), results("made-codeql.sarif")[:2]
    first = {each.cwe: each for each in await imported(house, 2, code + queries, old=True)}
    assert set(first) == {(), (78,), (89,)}, "both queries were one"
    for each in (first[78,], first[89,]):
        await house.life.edit(each.id, each.version, Wanted(S.FALSE_POSITIVE, why="a test file"), house.ann)
    engine = create_engine(servers.admin_url)
    with engine.begin() as connection:
        migration("0033").renew(connection)
    engine.dispose()
    after = await imported(house, 3, code + queries, old=False)
    assert {each.id for each in first.values()} < {each.id for each in after}
    assert [each.state for each in after if each.cwe == (78,)] == [S.FALSE_POSITIVE]
    assert sorted(each.state for each in after if each.cwe == (89,)) == [S.FALSE_POSITIVE, S.OPEN], "two flaws now"
    assert len(after) == 4
    again = await imported(house, 4, reversed(code + queries), old=False)
    assert {(each.id, each.state) for each in again} == {(each.id, each.state) for each in after}


async def test_joined_results_stay_joined(house, servers) -> None:
    code = results("semgrep-1.185.0-made-repository.sarif")
    kept, other = await imported(house, 2, code, old=True)
    await house.join(kept, other)
    engine = create_engine(servers.admin_url)
    with engine.begin() as connection:
        migration("0033").renew(connection)
    engine.dispose()
    (one,) = await imported(house, 3, code, old=False)
    assert (one.id, (await house.get(other)).state) == (kept.id, S.DUPLICATE)
