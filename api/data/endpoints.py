"""/data: what others publish of flaws, as it is kept here."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from api.deps import allowed, service
from api.schemas import Answer
from purple.domain.enrichment import Dataset
from purple.domain.identity import Permission, Principal
from purple.services.enriching import Kept, Publications

router = APIRouter(prefix="/data", tags=["findings"])
Reader = Annotated[Principal, Depends(allowed(Permission.READ_VULNERABILITIES))]


class EditionAnswer(Answer):
    """One dataset; without an edition all but its name is empty."""

    dataset: Dataset
    version: str
    published_at: datetime | None
    brought_at: datetime | None = Field(description="When it was last brought in, or found to be still the newest")
    age_days: int | None = Field(description="Since it was published, or brought in where it does not say when")
    source: str
    sha256: str
    facts: int

    @classmethod
    def of(cls, kept: Kept) -> "EditionAnswer":
        """Flatten one."""
        edition = kept.edition
        return cls(
            dataset=kept.dataset,
            version=edition.version if edition else "",
            published_at=edition.published_at if edition else None,
            brought_at=edition.brought_at if edition else None,
            age_days=kept.age_days,
            source=edition.source if edition else "",
            sha256=edition.sha256 if edition else "",
            facts=edition.facts if edition else 0,
        )


class DataAnswer(Answer):
    """All datasets."""

    items: list[EditionAnswer]


@router.get("")
async def get_data(
    caller: Reader, publications: Annotated[Publications, Depends(service("publications"))]
) -> DataAnswer:
    """Which editions of CVE, CWE, CAPEC, ATT&CK, EPSS and KEV findings are enriched with, and how old they are."""
    return DataAnswer(items=[EditionAnswer.of(each) for each in await publications.kept(caller.organisation_id)])
