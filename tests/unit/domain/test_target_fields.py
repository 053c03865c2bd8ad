"""What people write about targets."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from purple.domain.errors import InvalidInputError
from purple.domain.target_fields import (
    MAX_FIELD,
    checked_category,
    custom_fields,
    custom_mapping,
    custom_pairs,
    known_frameworks,
)


def test_a_category_has_single_blanks_and_is_no_word_of_lists() -> None:
    assert checked_category("  card   payment ") == "card payment"
    assert checked_category("") == ""
    for wrong in ("None", "x" * 51, "a\x07b"):
        with pytest.raises(InvalidInputError) as told:
            checked_category(wrong)
        assert told.value.field == "category"


def test_frameworks_are_named_once_whatever_their_case_and_must_be_there() -> None:
    assert known_frameworks([" PCI-DSS", "cis", "cis", ""], {"pci-dss", "cis"}) == ("cis", "pci-dss")
    with pytest.raises(InvalidInputError, match="no framework 'soc-2'") as told:
        known_frameworks(["soc-2"], {"pci-dss", "cis"})
    assert told.value.remedy == "use cis, pci-dss"


@pytest.mark.parametrize(
    "wrong", ["cost", "=1", "Cost=1", "cost=", "1st=x", f"cost={'x' * (MAX_FIELD + 1)}", "cost=a\x00", "a b=1"]
)
def test_a_custom_field_that_is_not_one_is_refused(wrong) -> None:
    with pytest.raises(InvalidInputError) as told:
        custom_fields([wrong])
    assert told.value.field == "custom"
    assert wrong.startswith(str(told.value.value)[:100])


def test_custom_fields_are_each_there_once() -> None:
    assert custom_fields([" rack = 7=b ", "", "cost-centre=4711"]) == ("cost-centre=4711", "rack=7=b")
    for wrong in (["a=1", "a=2"], [f"f{n}=1" for n in range(51)]):
        with pytest.raises(InvalidInputError):
            custom_fields(wrong)


@given(
    some.dictionaries(
        some.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True),
        some.text(some.characters(categories=["L", "N", "S"]), min_size=1, max_size=MAX_FIELD),
        max_size=20,
    )
)
def test_what_is_kept_is_read_again(fields) -> None:
    kept = custom_fields(custom_pairs(fields))
    assert custom_mapping(kept) == fields
    assert custom_fields(kept) == kept


def test_a_name_that_would_be_read_as_another_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        custom_fields(custom_pairs({"a=b": "c"}))
