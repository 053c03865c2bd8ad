"""Files of targets: what a spreadsheet or a program wrote is read as it was meant, or refused by row and field."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purple.domain import target_files
from purple.domain.errors import InvalidInputError, PurpleError, TooLargeError
from purple.domain.target_files import COLUMNS, read, write
from purple.domain.target_imports import Becomes, Register, understand
from purple.domain.targets import Control, Criticality, Target, TargetKind
from purple.domain.units import Tree, Unit
from purple.toolkit.world import TimeOrderedIds

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORGANISATION = uuid4()
PAYMENTS = Unit(uuid4(), ORGANISATION, "Payments", NOW, path="Retail/Payments")
TREE = Tree([PAYMENTS])


def cells(text: str) -> list[dict]:
    return [dict(row.cells) for row in read(text.encode())]


def target(value: str, kind: TargetKind = TargetKind.HOST, **fields: object) -> Target:
    known = {"name": value, "criticality": Criticality.HIGH, "tags": ("dmz",), "created_at": NOW} | fields
    return Target(id=uuid4(), organisation_id=ORGANISATION, kind=kind, value=value, **known)


def plan(text: str, *known: Target):
    wanted, refused = understand(read(text.encode()), TREE, ("cis", "gdpr"))
    return Register(known, TREE, ORGANISATION, TimeOrderedIds(), NOW).plan(wanted, refused)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("value,name\n192.0.2.7,a\n", [{"value": "192.0.2.7", "name": "a"}]),
        ("\ufeffName;Value\r\n\r\n x ; 192.0.2.7\r\n", [{"value": "192.0.2.7", "name": "x"}]),
        ("Value\tData Class\n192.0.2.7\tpublic\n;\n", [{"value": "192.0.2.7", "data_class": "public"}, {"value": ";"}]),
        ("value,tags\n192.0.2.7,\n", [{"value": "192.0.2.7"}]),
        ('value,tags,zone\n192.0.2.7,"a, ""b,c""",none\n', [{"value": "192.0.2.7", "tags": ("a", "b,c"), "zone": ""}]),
        ("value,tags,name\n192.0.2.7,None,none\n", [{"value": "192.0.2.7", "tags": (), "name": "none"}]),
        ("value,name\n192.0.2.7,=1+1\n", [{"value": "192.0.2.7", "name": "=1+1"}]),
        ("value,name\n192.0.2.7,'=1+1\n", [{"value": "192.0.2.7", "name": "=1+1"}]),
        ("value,name\n192.0.2.7,'tis\n", [{"value": "192.0.2.7", "name": "'tis"}]),
        ('[{"value": "192.0.2.7", "tags": [], "zone": null}]', [{"value": "192.0.2.7", "tags": ()}]),
        (' {"items": [{"value": "192.0.2.7", "name": "\'=1"}]}', [{"value": "192.0.2.7", "name": "'=1"}]),
    ],
)
def test_a_file_is_read_as_it_was_meant(text, found) -> None:
    assert cells(text) == found


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"name\nx\n", "must hold value"),
        (b"value,value\nx,y\n", "each once"),
        (b"value,colour\nx,red\n", "no column 'colour'"),
        (b'[{"value": "x", "colour": "red"}]', "no column 'colour'"),
        (b"value,name\n192.0.2.7,a,b\n", "row 2 has 3 cells for 2 columns"),
        (b'value,name\n192.0.2.7,ok\n192.0.2.8,"a\n', "row 3 cannot be read"),
        (b"value\n\xff\n", "not UTF-8"),
        (b"value\n\x00\n", "NUL"),
        (b"[1]", "no list of targets"),
        (b'{"a": 1}', "no list of targets"),
        (b"[", "not JSON"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_file_of_targets_is_refused_as_a_whole(data, said) -> None:
    with pytest.raises(InvalidInputError, match=said) as told:
        read(data)
    assert told.value.remedy


def test_a_file_is_only_so_large(monkeypatch) -> None:
    monkeypatch.setattr(target_files, "MAX_ROWS", 2)
    assert len(read(b"value\na\nb\n")) == 2
    with pytest.raises(TooLargeError):
        read(b"value\na\nb\nc\n")
    monkeypatch.setattr(target_files, "MAX_BYTES", 5)
    with pytest.raises(TooLargeError):
        read(b"value\n")


def test_every_mistake_of_a_row_is_named_with_its_row_field_and_remedy() -> None:
    rows = [
        {"value": "a b", "criticality": "huge", "controls": ["luck"]},
        {"value": "192.0.2.0/33", "kind": "network", "unit": "Retail/Nowhere"},
        {"value": "192.0.2.1", "kind": "boat", "zone": "A b", "tags": "x"},
        {"name": "no value"},
        {"value": "192.0.2.2", "tags": [f"t{n}" for n in range(51)], "name": 7},
        {"value": "192.0.2.3", "name": "\ud800", "exposure": {"a": 1}},
        {"value": "192.0.2.4", "name": "n" * 201},
        {"value": "192.0.2.5"},
        {"value": "192.0.2.5 "},
    ]
    made = plan(json.dumps(rows))
    assert [(each.row, each.field) for each in made.refused] == [
        (1, "criticality"), (1, "controls"), (1, "value"), (2, "unit"), (2, "value"), (3, "kind"), (3, "zone"),
        (3, "tags"), (4, "value"), (5, "tags"), (5, "name"), (6, "name"), (6, "exposure"), (7, "name"), (9, "value"),
    ]  # fmt: skip
    assert all(each.detail and each.remedy for each in made.refused)
    assert "luck" in made.refused[1].value
    assert [line.row for line in made.lines] == [8]


def test_a_row_changes_what_it_says_and_nothing_else() -> None:
    known = target("192.0.2.7", name="web", zone="inner", controls=(Control.WAF,))
    text = "value,criticality,tags,unit\n192.0.2.7,low,,retail/payments\n192.0.2.8,,,\n"
    made = plan(text, known)
    changed, new = made.lines
    assert (changed.becomes, changed.target.id) == (Becomes.CHANGED, known.id)
    assert [(each.field, each.before, each.after) for each in changed.changes] == [
        ("criticality", "high", "low"),
        ("unit", "", "Retail/Payments"),
    ]
    assert (changed.target.name, changed.target.tags, changed.target.zone) == ("web", ("dmz",), "inner")
    assert (new.becomes, new.target.name, new.target.criticality) == (Becomes.CREATED, "192.0.2.8", Criticality.MEDIUM)
    again = plan(text, *(line.target for line in made.lines))
    assert [line.becomes for line in again.lines] == [Becomes.UNCHANGED] * 2
    cleared = plan("value,tags,zone,unit,controls\n192.0.2.7,none,none,none,none\n", changed.target).lines[0]
    assert (cleared.target.tags, cleared.target.zone, cleared.target.unit_id, cleared.target.controls) == (
        (),
        "",
        None,
        (),
    )


def test_what_a_target_means_comes_in_and_goes() -> None:
    text = 'value,environment,category,frameworks,custom\n192.0.2.7,Production,web  shop,"gdpr,CIS","row=3,rack=7=b"\n'
    made = plan(text).lines[0].target
    assert (made.environment, made.category, made.frameworks) == ("production", "web shop", ("cis", "gdpr"))
    assert made.custom == ("rack=7=b", "row=3")
    asked = json.dumps([{"value": "192.0.2.7", "custom": {"rack": 9}, "frameworks": ["cis"], "category": ""}])
    told = plan(asked, made).lines[0].target
    assert (told.custom, told.frameworks, told.category, told.environment) == (("rack=9",), ("cis",), "", "production")
    held = {"on": True, "load": 0.5, "gone": None, "rack": "7"}
    (line,) = plan(json.dumps([{"value": "192.0.2.7", "custom": held}]), made).lines
    assert line.target.custom == ("load=0.5", "on=true", "rack=7")
    (nested, listed) = plan('[{"value": "a.example", "custom": {"a": {"b": 1}}}, {"value": "b.example", "custom":'
                            ' {"c": [1], "d": NaN}}]').refused  # fmt: skip
    assert [(each.row, each.field) for each in (nested, listed)] == [(1, "custom"), (2, "custom")]
    assert "'a' holds no text, number or truth value" in nested.detail
    assert nested.remedy.startswith("write it as a text")
    cleared = plan("value,custom,frameworks,category\n192.0.2.7,none,none,none\n", made).lines[0].target
    assert (cleared.custom, cleared.frameworks, cleared.category) == ((), (), "")
    wrong = plan("value,environment,category,frameworks,custom\n192.0.2.7,moon,none!,soc-2,Rack\n", made)
    assert [each.field for each in wrong.refused] == ["environment", "frameworks", "custom"]


def test_a_row_without_a_kind_names_what_is_there_whatever_its_kind() -> None:
    api = target("https://api.example.org/", TargetKind.API)
    assert plan("value,name\nHTTPS://api.example.org,x\n", api).lines[0].target.kind is TargetKind.API
    assert plan("value,kind\nhttps://api.example.org,web application\n", api).lines[0].becomes is Becomes.CREATED
    web = target("https://api.example.org/", TargetKind.WEB_APPLICATION)
    assert plan("value\nhttps://api.example.org\n", api, web).lines[0].target.id == web.id
    two = [target("x.example.org/a.git", kind) for kind in (TargetKind.IMAGE, TargetKind.API)]
    made = plan("value\nx.example.org/a.git\n", *two)
    assert [each.remedy for each in made.refused] == ["say which kind it is"]


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12).map(str.strip)


@given(
    name=TEXTS.filter(bool),
    tags=st.sets(TEXTS.filter(bool), max_size=3),
    controls=st.sets(st.sampled_from(Control)),
    start=st.sampled_from(["", "=", "'=", "''@", "+", "-", "none"]),
)
def test_what_is_written_is_read_again_and_is_no_formula(name, tags, controls, start) -> None:
    row = dict.fromkeys(COLUMNS, "") | {"value": "192.0.2.7", "kind": "host"}
    row |= {"name": start + name, "tags": sorted({start + each for each in tags}), "controls": sorted(controls)}
    text = "".join(write([row]))
    (found,) = read(text.encode())
    said = {column: tuple(value) if isinstance(value, list) else value for column, value in row.items() if value}
    assert dict(found.cells) == said
    import csv
    import io

    for written in list(csv.reader(io.StringIO(text, newline="")))[1]:
        assert written[:1] not in set("=+-@") or not written


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"value,tags\n{text}".encode(errors="replace")))
def test_nothing_that_a_file_holds_makes_it_fail_otherwise(data) -> None:
    try:
        wanted, refused = understand(read(data), TREE)
    except PurpleError:
        return
    Register([], TREE, ORGANISATION, TimeOrderedIds(), NOW).plan(wanted, refused)
