"""The grammar of filters and sorts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purple.domain.errors import InvalidInputError
from purple.domain.filters import Operator, SortKey, Term, parse_filter, parse_sort, quoted


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("   ", ()),
        ("severity:high", (Term("severity", Operator.IS, ("high",)),)),
        (" state:open,confirmed  -tool:nmap ", (
            Term("state", Operator.IS, ("open", "confirmed")), Term("tool", Operator.IS, ("nmap",), negated=True))),
        ("risk:>=50", (Term("risk", Operator.FROM, ("50",)),)),
        ("last_seen:<7d", (Term("last_seen", Operator.BELOW, ("7d",)),)),
        ('title:~"sql injection"', (Term("title", Operator.HOLDS, ("sql injection",)),)),
        (r'title:"say \"a, b\""', (Term("title", Operator.IS, ('say "a, b"',)),)),
        ('title:a,"b, c",d', (Term("title", Operator.IS, ("a", "b, c", "d")),)),
        ("url:https://h:8443/a?b=c", (Term("url", Operator.IS, ("https://h:8443/a?b=c",)),)),
        ('title:""', (Term("title", Operator.IS, ("",)),)),
    ],
)  # fmt: skip
def test_terms_are_read(text, terms) -> None:
    assert parse_filter(text) == terms


@pytest.mark.parametrize(
    "text",
    ["severity", "severity:", "severity:high,", "a:,b", ":x", "a:b:c d", 'a:"open', 'a:"x"y', "Risk:>1", "risk:>1,2",
     "a:\x00", " ".join(["a:b"] * 21), "a:" + ",".join("v" * 201)],
)  # fmt: skip
def test_what_is_no_filter_is_refused_with_a_remedy(text) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_filter(text)
    assert refused.value.field == "filter"
    assert refused.value.remedy


def test_a_sort_is_read() -> None:
    assert parse_sort("-risk, title") == (SortKey("risk", descending=True), SortKey("title"))
    assert parse_sort("") == ()


@pytest.mark.parametrize("text", ["risk desc", "risk,risk", "a,b,c,d,e", "--risk", "risk;drop"])
def test_what_is_no_sort_is_refused(text) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_sort(text)
    assert refused.value.field == "sort"


@given(st.text(max_size=200))
def test_no_text_is_read_as_anything_but_terms(text) -> None:
    try:
        terms = parse_filter(text)
    except InvalidInputError:
        return
    assert all(term.values for term in terms)
    assert bool(terms) == bool(text.strip())


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=60))
def test_a_quoted_value_is_read_as_it_is(value) -> None:
    assert parse_filter(f"cause:{quoted(value)}") == (Term("cause", Operator.IS, (value,)),)
