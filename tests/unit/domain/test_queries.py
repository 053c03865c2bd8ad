"""The language of searches: words beside terms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purple.domain.errors import InvalidInputError
from purple.domain.filters import Operator, Term
from purple.domain.queries import Phrase, Written, folded, marks, parse_query


def phrase(*tokens: str, **more: bool) -> Phrase:
    return Phrase(tokens, **more)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", Written()),
        ("login", Written((), (phrase("login"),))),
        ("Login  -staging", Written((), (phrase("login"), phrase("staging", negated=True)))),
        ('"SQL injection"', Written((), (phrase("sql", "injection"),))),
        (r'-"say \"no\""', Written((), (phrase("say", "no", negated=True),))),
        ("CVE-2024-1234", Written((), (phrase("cve", "2024", "1234"),))),
        ("10.0.0.7:8443", Written((), (phrase("10", "0", "0", "7", "8443"),))),
        ("admin*", Written((), (phrase("admin", open=True),))),
        ("-https://a.example/x?y=1", Written((), (phrase("https", "a", "example", "x", "y", "1", negated=True),))),
        ("a_b", Written((), (phrase("a", "b"),))),
        ("Prüfung", Written((), (phrase("prüfung"),))),
        (
            "severity:critical target.bu:payments -state:fixed seen:<7d login",
            Written(
                (
                    Term("severity", Operator.IS, ("critical",)),
                    Term("target.bu", Operator.IS, ("payments",)),
                    Term("state", Operator.IS, ("fixed",), negated=True),
                    Term("seen", Operator.BELOW, ("7d",)),
                ),
                (phrase("login"),),
            ),
        ),
    ],
)
def test_queries_are_read(text, written) -> None:
    assert parse_query(text) == written


@pytest.mark.parametrize(
    "text",
    ["severity:", "Severity:high", "-severity:high,", 'say "no', "&&", "-", '""', "sql-inj*", "a\x00b", "a" * 256,
     " ".join(["a"] * 21), '"' + "a " * 21 + '"', " ".join(["a:b"] * 21)],
)  # fmt: skip
def test_what_is_no_query_is_refused_with_a_remedy(text) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_query(text)
    assert refused.value.remedy


def test_words_are_letters_and_digits() -> None:
    assert folded('The "id" of 10.0.0.7:8443/a_b-c <B>') == "the id of 10 0 0 7 8443 a b c b"


@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_ascii_has_the_words_that_it_has_beside_other_letters(text) -> None:
    assert folded(f"{text} ß") == f"{folded(text)} ß".strip()


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("sql", "SQL injection in sql", ["SQL", "sql"]),
        ('"sql injection"', "blind SQL-Injection, sql", ["SQL-Injection"]),
        ("10.0.0.7", "at 10.0.0.7:80 and 10.0.0.77", ["10.0.0.7"]),
        ("inj*", "an injection in Injector", ["injection", "Injector"]),
        ("-sql", "sql", []),
        ('"a b" "b c"', "a b c", ["a b c"]),
        ("absent", "sql", []),
    ],
)
def test_the_places_that_match_are_told_by_their_offsets(query, text, found) -> None:
    assert [text[start:end] for start, end in marks(text, parse_query(query).phrases)] == found


@given(st.text(max_size=80), st.text(max_size=80))
def test_marks_are_in_order_and_inside_whatever_the_text_is(query, text) -> None:
    try:
        written = parse_query(query)
    except InvalidInputError:
        return
    places = [each for span in marks(text, written.phrases) for each in span]
    assert places == sorted(places)
    assert all(0 <= each <= len(text) for each in places)
