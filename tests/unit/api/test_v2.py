"""Version 2 of the API beside version 1."""

import re
from pathlib import Path

import pytest

from api.findings.schemas import VulnerabilityAnswer
from api.targets.schemas import TargetAnswer
from api.v2.schemas import TargetV2, VulnerabilityV2

DOCUMENT = Path(__file__).parents[3] / "docs/api-v2.md"


@pytest.mark.parametrize(("first", "second"), [(VulnerabilityAnswer, VulnerabilityV2), (TargetAnswer, TargetV2)])
def test_what_version_2_lacks_is_in_its_document(first, second) -> None:
    (told,) = re.findall(r"^- (.*) of version 1 are gone", DOCUMENT.read_text(), re.MULTILINE)
    gone = first.model_fields.keys() - second.model_fields.keys()
    assert gone == set(re.findall(r"`(\w+)`", told)) & first.model_fields.keys()
