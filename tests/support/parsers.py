"""What every parser must survive, whoever wrote it."""

import io
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from purple.domain.errors import ParseError
from purple.domain.observations import MAX_TEXT, Observation

Parse = Callable[[BinaryIO], Iterator[Observation]]


def read(parse: Parse, data: bytes) -> tuple[list[Observation], ParseError | None]:
    """What a parser yields, and the error it ends with."""
    found: list[Observation] = []
    try:
        found.extend(parse(io.BytesIO(data)))
    except ParseError as error:
        return found, error
    return found, None


def check_text(found: list[Observation]) -> None:
    """Nothing that PostgreSQL refuses or that is longer than it may be."""
    for seen in found:
        texts = [seen.title, seen.rule, seen.evidence, seen.description, seen.remediation, seen.location.url]
        texts += [seen.location.host, seen.location.parameter, *seen.attributes.values()]
        for text in texts:
            assert "\x00" not in text
            assert len(text) <= MAX_TEXT
            text.encode()


def check_damage(parse: Parse, sample: bytes, rounds: int = 120) -> None:
    """Output that was cut off keeps what came before and says so; damage is read or refused, never a crash."""
    seen, error = read(parse, sample)
    whole = [(each.rule, each.location) for each in seen]
    assert error is None
    chance = random.Random(20260101)  # noqa: S311 - the same damage every time
    for _ in range(rounds):
        place = chance.randrange(1, len(sample.rstrip()))
        found, error = read(parse, sample[:place])
        assert error is not None, place
        assert [(each.rule, each.location) for each in found] == whole[: len(found)]
        noise = chance.randbytes(chance.randrange(1, 20))
        check_text(read(parse, sample[:place] + noise + sample[place + len(noise) :])[0])
        check_text(read(parse, noise)[0])


WRONG = (None, True, -1, 2**70, 1.5, "", "\x00\ud800" * 5000, [], {}, [None], {"x": []}, "../../etc/passwd")


def check_types(parse: Parse, sample: bytes, rounds: int = 250) -> None:
    """A JSON report in which any one value is of another type, or hostile, is read or refused, never a crash."""
    chance = random.Random(20260102)  # noqa: S311 - the same values every time
    document = json.loads(sample)
    places = list(_places(document))
    for _ in range(rounds):
        holder, key = chance.choice(places)
        kept, holder[key] = holder[key], chance.choice(WRONG)
        check_text(read(parse, json.dumps(document).encode())[0])
        holder[key] = kept


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in keys:
        yield value, key
        yield from _places(inner)
