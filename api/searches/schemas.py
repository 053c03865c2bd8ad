"""Saved searches on the wire."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.schemas import Answer, Body
from purple.domain.saved import MAX_NAME, MAX_QUERY

_QUERY = "Words and terms, as /vulnerabilities/search takes them"


class SavedSearchBody(Body):
    """A search to keep."""

    name: str = Field(min_length=1, max_length=MAX_NAME, examples=["Exploited in payments"])
    query: str = Field(min_length=1, max_length=MAX_QUERY, description=_QUERY, examples=["kev:yes unit:Payments"])
    shared: bool = Field(default=False, description="Whether everybody of the organisation sees it")
    alert: bool = Field(default=False, description="Whether receivers of notices are told of what newly matches")


class SavedSearchEdit(Body):
    """What may change; what is left out stays."""

    name: str = Field(default="", min_length=1, max_length=MAX_NAME)
    query: str = Field(default="", min_length=1, max_length=MAX_QUERY, description=_QUERY)
    shared: bool = False
    alert: bool = False


class SavedSearchAnswer(Answer):
    """A search that somebody keeps."""

    id: UUID
    name: str
    owner: str = Field(description="Who keeps it, by user name, and alone may change it")
    query: str
    shared: bool
    alert: bool
    created_at: datetime
