"""Which settings are wrong or unknown, and what may be shown of those that are right."""

import pytest

from purple.settings import Settings
from purple.settings.checks import HIDDEN, Source, known, problems, shown


def found(**values):
    return list(problems([Source("environment", values)]))


def test_what_is_right_is_no_problem() -> None:
    assert found(PURPLE_AI__PROVIDER="ollama", PURPLE_TOOLS__EXTRA='["/a"]', PURPLE_READY_FILE="/r") == []
    assert found(PURPLE_CLI__OUTPUT="jsonl", PURPLE_AI='{"provider": "openai"}') == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PURPLE_AI__PROVIDER", "oracle", "'oracle'"),
        ("PURPLE_API__PORT", "99999", "less than or equal to 65535"),
        ("PURPLE_DATABASE__POOL_SIZE", "many", "integer"),
        ("PURPLE_TOOLS__EXTRA", "/a/folder", "no JSON"),
        ("PURPLE_CLI__FAIL_ON", "awful", "'critical'"),
        ("PURPLE_AI", '{"provider": "oracle"}', "provider"),
        ("PURPLE_AI", "nonsense", "JSON"),
    ],
)
def test_what_is_wrong_is_named_with_its_value(name, value, words) -> None:
    (problem,) = found(**{name: value})
    assert problem.name == name
    assert words in problem.detail
    assert problem.fatal


def test_what_is_unknown_is_named_with_the_nearest() -> None:
    (problem,) = found(PURPLE_AI__PROVIDR="ollama")
    assert "PURPLE_AI__PROVIDER" in problem.remedy
    assert problem.fatal, "a room refuses what it does not know"
    (elsewhere,) = found(PURPLE_DATABSE__URL="x")
    assert "PURPLE_DATABASE__URL" in elsewhere.remedy
    assert not elsewhere.fatal, "what belongs to no room has no effect"


def test_each_problem_comes_from_its_place_and_each_is_named() -> None:
    places = [Source("environment", {"PURPLE_AI__PROVIDER": "x"}), Source(".env", {"PURPLE_API__PORT": "-1"})]
    assert [(each.name, each.source) for each in problems(places)] == [
        ("PURPLE_AI__PROVIDER", "environment"),
        ("PURPLE_API__PORT", ".env"),
    ]


def test_the_value_of_a_secret_is_never_said() -> None:
    (problem,) = found(PURPLE_TEMPORAL='{"api_key": {"s": "hush"}}')
    assert "hush" not in problem.line()
    (wrong,) = found(PURPLE_SEARCH__URL__X="hush")
    assert "hush" not in wrong.line()


def test_settings_are_shown_with_their_source_and_without_secrets(monkeypatch) -> None:
    settings = Settings(
        _env_file=None,
        database={"url": "postgresql://app:hush@127.0.0.1:5432/purple"},
        identity={"actor_key": "hush"},
        tools={"extra": ["/a"]},
    )
    given = [Source("environment", {"PURPLE_DATABASE__URL": "…"}), Source(".env", {"PURPLE_IDENTITY": "…"})]
    by_name = {each.name: each for each in shown(settings, given)}
    assert set(by_name) == set(known())
    assert by_name["PURPLE_DATABASE__URL"].value == f"postgresql://app:{HIDDEN}@127.0.0.1:5432/purple"
    assert by_name["PURPLE_DATABASE__URL"].source == "environment"
    assert (by_name["PURPLE_IDENTITY__ACTOR_KEY"].value, by_name["PURPLE_IDENTITY__ACTOR_KEY"].source) == (
        HIDDEN,
        ".env",
    )
    assert by_name["PURPLE_TOOLS__EXTRA"].value == ["/a"]
    assert by_name["PURPLE_API__PORT"].source == "default"
    assert "hush" not in str(by_name)
