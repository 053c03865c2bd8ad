"""Megabytes a second of each parser, beside a plain streaming reader of the same format.

Each reads its largest real sample again and again. Most of these are a few kilobytes, as the outputs of most tools are,
so what a parser does once for each file weighs here.
"""

import csv
import io
import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.parsers import expat

import ijson
import orjson

from bench.measures import Measure, measure, median
from purple.domain.errors import ParseError
from purple.toolkit.tools.plugins import Plugin, load_plugins

ROUNDS = 5
ROUND_S = 0.1
MB = 1_000_000

Read = Callable[[bytes], object]


def _xml(data: bytes) -> None:
    expat.ParserCreate().Parse(data, True)  # noqa: FBT003 - expat takes it by position


def _json(data: bytes) -> None:
    deque(ijson.basic_parse(io.BytesIO(data)), maxlen=0)


def _lines_of_json(data: bytes) -> None:
    deque(map(orjson.loads, filter(None, data.splitlines())), maxlen=0)


def _csv(data: bytes) -> None:
    deque(csv.reader(io.TextIOWrapper(io.BytesIO(data), errors="replace")), maxlen=0)


def _text(data: bytes) -> None:
    deque(io.TextIOWrapper(io.BytesIO(data), errors="replace"), maxlen=0)


def plain(file: Path, data: bytes) -> tuple[str, Read]:
    """The streaming reader of a file's format, and its name."""
    if data.lstrip().startswith(b"<"):
        return "expat", _xml
    if file.suffix == ".csv":
        return "csv", _csv
    try:
        json.loads(data)
    except ValueError:
        is_lines = file.suffix in {".jsonl", ".ndjson"}
        return ("orjson, line by line", _lines_of_json) if is_lines else ("lines of text", _text)
    return "ijson", _json


def largest(plugin: Plugin) -> tuple[Path, bytes] | None:
    """The largest sample that its parser reads to the end."""
    samples = [each for each in (plugin.folder / "samples").glob("*") if each.suffix != ".md"]
    for file in sorted(samples, key=lambda each: -each.stat().st_size):
        data = file.read_bytes()
        try:
            deque(plugin.parser.parse(io.BytesIO(data)), maxlen=0)
        except ParseError:
            continue
        return file, data
    return None


def rate(read: Read, data: bytes) -> float:
    """Megabytes a CPU second, for as many readings as a round has time for."""
    count, began = 0, time.process_time()
    while (spent := time.process_time() - began) < ROUND_S:
        read(data)
        count += 1
    return count * len(data) / spent / MB


def run(*, full: bool) -> Iterator[Measure]:  # noqa: ARG001 - every group has it
    """One measure a parser; told, not judged."""
    for plugin in load_plugins().values():
        found = largest(plugin)
        if found is None:
            continue
        file, data = found
        name, reader = plain(file, data)

        def ours(data: bytes, plugin: Plugin = plugin) -> None:
            deque(plugin.parser.parse(io.BytesIO(data)), maxlen=0)

        rounds = [(rate(ours, data), rate(reader, data)) for _ in range(ROUNDS)]
        mine, other = (median(each) for each in zip(*rounds, strict=True))
        yield measure(f"parser rate, {plugin.spec.name}, {len(data):,} bytes", mine, "MB/s", (name, other), "told")
