"""Each rule says what it should; together they are bounded, blind to order, monotone, and never hide a critical one."""

import re
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purple.domain.false_positives import (
    _PRODUCTS,
    GUESSED,
    HELD,
    NO_DOUBT,
    NOTED,
    OF_INTEREST,
    PROPOSED,
    SHIPPED,
    Case,
    Model,
    Silence,
    Telling,
    assess,
    independent,
    noted_below,
    words,
)
from purple.domain.severity import Severity

MODEL = Model()
VERSIONS = "Installed version: 9.2p1\nFixed version: 9.8p1"
BANNER = "OpenSSH 9.2p1 Debian 2+deb12u7"


def told(tool: str = "nessus", text: str = "", **changes: object) -> Telling:
    return replace(Telling(tool, f"{tool}:1", text), **changes)


def case(*tellings: Telling, **changes: object) -> Case:
    return replace(Case(Severity.HIGH, "", tellings or (told(),)), **changes)


def names(one: Case, model: Model = MODEL) -> set[str]:
    return {each.name for each in assess(one, model).reasons} - {"prior"}


def score(one: Case, model: Model = MODEL) -> float:
    return assess(one, model).score


def test_nothing_that_speaks_against_a_finding_is_no_doubt() -> None:
    assert assess(case(), MODEL) is NO_DOUBT
    sure = case(told("sslscan", settles=True), told("sslyze", settles=True))
    assert assess(sure, MODEL) is NO_DOUBT, "what speaks for it alone is none either"


def test_a_version_says_little_where_a_distribution_mends_without_a_new_one() -> None:
    compared = case(told(text=f"OpenSSH < 9.8\n{VERSIONS}"), cve=("CVE-2026-1",))
    assert names(compared) == {"version"}
    ported = replace(compared, banners=(BANNER,))
    assert names(ported) == {"backport"}
    assert PROPOSED > score(ported) > 0.6 > score(compared)
    both = (BANNER, "OpenSSH 8.9 Ubuntu 3")
    assert assess(replace(ported, banners=both), MODEL) == assess(replace(ported, banners=both[::-1]), MODEL)
    inside = case(
        told(text="Apache/2.4.57 (Debian)\nAccording to its banner, the version of Apache"), cve=("CVE-2026-1",)
    )
    assert names(inside) == {"backport"}, "the tool's own words may hold the banner"
    assert names(replace(ported, cve=())) == set(), "what is out of support is so on any distribution"
    measured = case(told(text=VERSIONS), told("nuclei", text="uid=0(root)"), cve=("CVE-2026-1",), banners=(BANNER,))
    assert names(measured) == set(), "somebody did more than compare"


@pytest.mark.parametrize(
    ("fixed", "banner", "newer"),
    [
        ("5.2.10", "X-Powered-By: PHP/5.6.40", True),
        ("5.3.2 / 5.2.13", "X-Powered-By: PHP/5.6.40", True),
        ("7.3.24", "X-Powered-By: PHP/5.6.40", False),
        ("5.10.1", "X-Powered-By: PHP/5.6.40", False),
        ("5.2.10", "nginx 7.0.1", False),
        ("unknown", "X-Powered-By: PHP/5.6.40", False),
    ],
)
def test_a_version_that_the_service_has_left_behind_is_doubted(fixed, banner, newer) -> None:
    text = f"PHP < {fixed} Multiple Vulnerabilities\nInstalled version : 5.1.6\nFixed version : {fixed}"
    found = case(told(text=text), cve=("CVE-2009-2687",), banners=(banner,))
    assert ("newer" in names(found)) == newer
    assert (score(found) >= PROPOSED) == newer


@pytest.mark.parametrize(
    ("text", "banner", "wrong"),
    [
        ("VULNERABLE: Apache byterange filter DoS", "nginx 1.22.1", True),
        ("VULNERABLE: Apache byterange filter DoS", "Apache httpd 2.2.14", False),
        ("VULNERABLE: Apache byterange filter DoS", "Apache httpd 2.2.14 behind nginx", False),
        ("Apache Tomcat AJP request injection", "Apache httpd 2.2.14", True),
        ("OpenSSH: remote code execution", "nginx 1.22.1", False),
        ("Dropbear SSH before 2022.82", "OpenSSH 9.2p1", True),
        ("Something of no known product", "nginx 1.22.1", False),
    ],
)
def test_a_check_of_one_product_is_doubted_at_another(text, banner, wrong) -> None:
    found = case(told("nmap", text=text, confidence=0.9), cve=("CVE-2011-3192",), banners=(banner,))
    assert ("product" in names(found)) == wrong


def test_a_server_that_answers_every_guess_proves_none_of_them() -> None:
    guess = case(told("ffuf", confidence=0.9), told("dirsearch", confidence=0.9), weakness="file-exposed")
    assert names(replace(guess, guesses=6)) == set()
    assert independent(replace(guess, guesses=6)) == {"ffuf", "dirsearch"}
    crowded = replace(guess, guesses=90)
    assert names(crowded) == {"crowd"}, "that two were fooled alike is no agreement"
    assert score(crowded) >= PROPOSED
    read = case(told("ffuf", confidence=0.9), told("nmap", confidence=1.0), weakness="repository-exposed", guesses=90)
    assert names(read) == set(), "nmap read what is there"
    pages = [f"Sensitive file served\nGET /.env\nstatus 200, 966B, {kind}" for kind in ("text/html", "text/plain")]
    page, file = (
        case(told("dirsearch", text=each, confidence=0.9), weakness="file-exposed", guesses=90) for each in pages
    )
    assert (names(page), names(file)) == ({"crowd"}, set()), "it is answered as a file, and not as a page"


def test_who_measures_and_finds_nothing_speaks_louder_than_who_only_looks() -> None:
    banner = case(told("nuclei"), weakness="tls-protocol-obsolete")
    settled = replace(banner, silent=(Silence("sslyze", settles=True), Silence("testssl", settles=True)))
    looked = replace(banner, silent=(Silence("wapiti"),))
    assert (names(settled), names(looked)) == ({"settled"}, {"silent"})
    assert score(settled) > 0.8
    assert score(looked) < 0.2
    assert score(replace(settled, told=(told("sslscan", settles=True),))) < 0.5, "one measured it, two did not find it"


def test_a_tool_that_is_not_sure_says_so() -> None:
    guess = case(told("bandit", confidence=0.4))
    assert names(guess) == {"unsure"}
    assert score(guess) < NOTED, "which alone is little"
    for model in (MODEL, Model({**SHIPPED, "unsure": 4.0})):
        assert score(case(told("bandit", confidence=noted_below(model) - 0.01)), model) >= NOTED
        assert score(case(told("bandit", confidence=noted_below(model) + 0.01)), model) < NOTED
    assert noted_below(Model({**SHIPPED, "unsure": 0.0})) == 0


def test_a_tool_that_only_asks_to_look_says_so_too() -> None:
    hint = "Consider possible security implications associated with the subprocess module."
    assert names(case(told("bandit", text=hint))) == {"hint"}
    assert names(case(told("bandit", text=hint), told("semgrep", text="A shell runs a command"))) == set()


def test_verdicts_on_a_rule_count_when_there_are_some() -> None:
    found = case(told("nikto"), weakness="file-exposed")
    few = Model(past={"rule nikto:1": (2, 0)})
    false = Model(past={"rule nikto:1": (12, 0), "weakness file-exposed": (12, 1)})
    true = Model(past={"rule nikto:1": (0, 12)})
    assert (names(found, few), names(found, false), names(found, true)) == (set(), {"rule", "weakness"}, set())
    assert score(found, false) > score(found, Model(past={"rule nikto:1": (12, 0)})) > 0.4
    unsure = replace(found, told=(told("nikto", confidence=0.5),))
    assert score(unsure, true) < score(unsure), "that it was always true is told too"


def test_a_critical_one_that_several_saw_is_never_proposed() -> None:
    everything = case(
        told("a", confidence=0.0), told("b", confidence=0.0), severity=Severity.CRITICAL, weakness="file-exposed",
        silent=(Silence("c", settles=True), Silence("d", settles=True)), guesses=500,
    )  # fmt: skip
    false = Model(past={"rule a:1": (50, 0), "rule b:1": (50, 0)})
    assert score(everything, false) == HELD < PROPOSED
    assert assess(everything, false).reasons[-1].name == "held"
    assert score(replace(everything, severity=Severity.HIGH), false) > 0.99
    assert score(replace(everything, told=everything.told[:1]), false) > 0.99, "of one tool it is only proposed"


def test_reasons_cite_what_they_rest_on_and_sum_to_the_score() -> None:
    ids = (UUID(int=1), UUID(int=2))
    found = case(*(told(text=VERSIONS, observation_id=each) for each in ids), cve=("CVE-2026-1",), banners=(BANNER,))
    made = assess(found, MODEL)
    assert [(each.name, each.observation_ids) for each in made.reasons] == [("prior", ()), ("backport", ids)]
    assert sum(each.weight for each in made.reasons) == pytest.approx(SHIPPED["prior"] + SHIPPED["backport"])
    assert words(made.reasons)[0].startswith("it rests on a version alone, and a distribution (Debian)")


def test_what_is_not_read_is_of_no_interest_to_the_rules() -> None:
    for pattern in (one for products in _PRODUCTS.values() for one in products.values()):
        bare = re.sub(r"\(\?!.*|\\b", "", pattern)
        assert all(any(word in each.replace("?", "") for word in OF_INTEREST) for each in bare.split("|")), pattern


TELLINGS = st.builds(
    Telling,
    tool=st.sampled_from("abcd"),
    rule=st.sampled_from(("a:1", "b:1")),
    text=st.sampled_from(("", VERSIONS, "Apache/2.4 (Debian) nginx", "Apache httpd")),
    confidence=st.floats(-1, 2),
    settles=st.booleans(),
    observation_id=st.uuids() | st.none(),
)
CASES = st.builds(
    Case,
    severity=st.sampled_from(Severity),
    weakness=st.sampled_from(("", "tls-cipher-weak", *sorted(GUESSED))),
    told=st.lists(TELLINGS, min_size=1, max_size=4).map(tuple),
    cve=st.sampled_from(((), ("CVE-2026-1",))),
    banners=st.lists(st.sampled_from((BANNER, "nginx", "OpenSSH 8.9 Ubuntu 3")), max_size=2).map(tuple),
    silent=st.lists(st.builds(Silence, st.sampled_from("efgh"), st.booleans()), max_size=3).map(tuple),
    guesses=st.integers(0, 1000),
)
MODELS = st.builds(Model, past=st.dictionaries(st.sampled_from(("rule a:1", "weakness file-exposed")),
                                               st.tuples(st.integers(0, 99), st.integers(0, 99))))  # fmt: skip


@given(CASES, MODELS, st.randoms())
def test_a_score_is_bounded_blind_to_order_and_never_hides(one, model, random) -> None:
    made = assess(one, model)
    assert 0 <= made.score <= 1
    turned = {name: list(getattr(one, name)) for name in ("told", "banners", "silent")}
    for each in turned.values():
        random.shuffle(each)
    assert assess(replace(one, **{name: tuple(each) for name, each in turned.items()}), model) == made
    if one.severity is Severity.CRITICAL and len({each.tool for each in one.told}) > 1:
        assert made.score <= HELD < PROPOSED


@given(CASES, MODELS)
def test_more_that_speaks_against_a_finding_never_makes_it_less_doubtful(one, model) -> None:
    settled = replace(one, silent=(*one.silent, Silence("z", settles=True)))
    assert score(settled, model) >= score(one, model)
    assert score(replace(one, guesses=one.guesses + 50), model) >= score(one, model)
    measured = replace(one, told=(*one.told, told("y", confidence=1.0, settles=True)))
    assert score(measured, model) <= score(one, model)
