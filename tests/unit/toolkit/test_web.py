"""What tools for web applications share: pinned addresses, places, word lists, JSON Lines."""

import io

import pytest

from purple.domain.errors import InvalidInputError, ParseError
from purple.domain.tools import ToolTarget
from purple.toolkit import jsonlines
from purple.toolkit.jsonlines import read_json_lines, read_lines
from purple.toolkit.web import host_header, pinned_url, place_of
from purple.toolkit.words import meaning_of, words


def target(url: str, address: str = "192.0.2.7", host: str = "app.example.org") -> ToolTarget:
    return ToolTarget(host, address, 0, url)


@pytest.mark.parametrize(
    ("url", "address", "pinned", "folder", "header"),
    [
        (
            "https://app.example.org:8443/shop/item?id=1",
            "192.0.2.7",
            "https://192.0.2.7:8443/shop/item?id=1",
            "https://192.0.2.7:8443/shop/",
            "Host: app.example.org:8443",
        ),
        (
            "http://app.example.org/",
            "2001:db8::7",
            "http://[2001:db8::7]/",
            "http://[2001:db8::7]/",
            "Host: app.example.org",
        ),
    ],
)
def test_a_url_leads_to_the_checked_address(url: str, address: str, pinned: str, folder: str, header: str) -> None:
    assert pinned_url(target(url, address)) == pinned
    assert pinned_url(target(url, address), folder=True) == folder
    assert host_header(target(url, address)) == header


def test_an_address_needs_no_host_header() -> None:
    assert host_header(target("http://192.0.2.7/", host="192.0.2.7")) == ""


@pytest.mark.parametrize("url", ["", "ftp://app.example.org/", "javascript:1"])
def test_a_target_without_a_url_is_refused_with_a_remedy(url: str) -> None:
    with pytest.raises(InvalidInputError, match="takes a URL") as caught:
        pinned_url(target(url))
    assert caught.value.remedy


def test_the_place_of_a_url_has_its_port() -> None:
    assert place_of("https://a.example/x").port == 443
    assert place_of("http://a.example:8080/x", parameter="q").parameter == "q"
    with pytest.raises(ValueError, match="no-url"):
        place_of("no-url")


@pytest.mark.parametrize(
    ("path", "meaning"),
    [
        ("/.git/HEAD", ("repository-exposed", "/.git/")),
        ("/app/.git/objects/ab", ("repository-exposed", "/app/.git/")),
        ("/.env", ("file-exposed", "/.env")),
        ("/old/.env.production", ("file-exposed", "/old/.env.production")),
        ("/backup.sql", ("file-exposed", "/backup.sql")),
        ("/wp-config.php.bak", ("file-exposed", "/wp-config.php.bak")),
        ("/admin/", ("", "/admin/")),
        ("/environment", ("", "/environment")),
        ("/.gitignore", ("", "/.gitignore")),
    ],
)
def test_a_served_path_says_what_it_means(path: str, meaning: tuple[str, str]) -> None:
    assert meaning_of(path) == meaning


@pytest.mark.parametrize("name", ["paths", "parameters", "logins"])
def test_the_word_lists_hold_each_word_once_and_no_blanks(name: str) -> None:
    lines = words(name).splitlines()
    assert len(set(lines)) == len(lines) > 10
    assert all(line == line.strip() and line for line in lines)


def test_lines_that_are_no_json_are_told_and_passed() -> None:
    lines = list(read_json_lines(io.BytesIO(b'{"a": 1}\n\nnonsense\n[2]'), 1000))
    assert lines == [(1, {"a": 1}), (3, None), (4, [2])]
    assert list(read_json_lines(io.BytesIO(b"[" * 100_000), 1_000_000)) == [(1, None)]


def test_a_line_without_an_end_costs_no_more_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonlines, "MAX_LINE", 100)

    class Endless(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def readline(self, size: int | None = -1, /) -> bytes:
            assert size
            assert 0 < size <= 101
            self.given += size
            return b"x" * size

    source = Endless()
    with pytest.raises(ParseError, match="longer than 100 bytes"):
        list(read_lines(source, 10_000))  # type: ignore[arg-type]
    assert source.given == 101
