"""Checkov's JSON, as Checkov 3.3.30 wrote it about the planted repository of the tests."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from purple.domain.fingerprints import fingerprint
from purple.domain.observations import FlawClass
from purple.domain.tools import ToolJob, ToolTarget
from purple.tools.checkov.adapter import Options, command
from purple.tools.checkov.parser import parse
from tests.support.parsers import check_damage, check_types, read

SAMPLES = Path(__file__).parent / "samples"
SAMPLE = (SAMPLES / "checkov-3.3.30-planted-repository.json").read_bytes()
"""`checkov --directory=repository --skip-download --output=json --framework dockerfile terraform`, on the planted code
without its other files; the work folder's name is changed."""
UNREADABLE = (SAMPLES / "checkov-3.3.30-unreadable-file.json").read_bytes()
"""With a file that is no Terraform, `--framework terraform --check CKV_AWS_24`: one report in place of a list."""
NOTHING = (SAMPLES / "checkov-3.3.30-nothing-to-look-at.json").read_bytes()
"""The same in an empty folder."""


def test_the_real_output_gives_what_was_planted() -> None:
    found, error = read(parse, SAMPLE)
    assert error is None
    assert [(each.rule, each.location.path, each.location.line, each.location.parameter) for each in found] == [
        ("checkov:CKV_DOCKER_7", "Dockerfile", 1, ""),
        ("checkov:CKV_DOCKER_5", "Dockerfile", 3, ""),
        ("checkov:CKV_DOCKER_8", "Dockerfile", 4, ""),
        ("checkov:CKV_DOCKER_2", "Dockerfile", 1, ""),
        ("checkov:CKV_AWS_24", "deploy/main.tf", 1, "aws_security_group.open"),
        ("checkov:CKV2_AWS_5", "deploy/main.tf", 1, "aws_security_group.open"),
    ]
    assert {each.flaw_class for each in found} == {FlawClass.CODE}
    assert 'cidr_blocks = ["0.0.0.0/0"]' in found[4].evidence


def test_what_a_comment_skips_is_told_with_the_comment() -> None:
    found, _ = read(parse, SAMPLE)
    assert "asks to skip this: not now" in found[3].description
    assert found[3].confidence < found[0].confidence


def test_a_file_that_could_not_be_read_is_no_clean_result() -> None:
    found, error = read(parse, UNREADABLE)
    assert [each.rule for each in found] == ["checkov:CKV_AWS_24"]
    assert "could not read 1 files: deploy/bad.tf" in str(error)


def test_nothing_to_look_at_is_clean() -> None:
    assert read(parse, NOTHING) == ([], None)


def changed(number: int, **parts: Any) -> bytes:
    document = json.loads(SAMPLE)
    document[number]["results"]["failed_checks"][0] |= parts
    return json.dumps(document).encode()


def test_a_resource_keeps_its_flaw_when_it_moves_or_grows_and_an_instruction_is_known_by_its_text() -> None:
    def of(data: bytes, rule: str) -> str:
        seen = next(each for each in read(parse, data)[0] if each.rule == rule)
        return fingerprint(UUID(int=1), seen, ["snippet"])

    moved = changed(1, file_line_range=[50, 90], code_block=[[50, "other"]])
    assert of(moved, "checkov:CKV_AWS_24") == of(SAMPLE, "checkov:CKV_AWS_24")
    moved = changed(0, file_line_range=[9, 9], code_block=[[9, "FROM  debian:latest\n"]])
    assert of(moved, "checkov:CKV_DOCKER_7") == of(SAMPLE, "checkov:CKV_DOCKER_7")
    other = changed(0, code_block=[[1, "FROM ubuntu:latest\n"]])
    assert of(other, "checkov:CKV_DOCKER_7") != of(SAMPLE, "checkov:CKV_DOCKER_7")


def test_what_stands_outside_the_code_is_not_shown() -> None:
    found, _ = read(parse, changed(1, file_path="/../../etc/main.tf", code_block=[[1, "host only"]]))
    assert "host only" not in repr(found)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"results": {"failed_checks": []}}', b"no JSON"])
def test_what_is_no_report_is_no_clean_result(data: bytes) -> None:
    found, error = read(parse, data)
    assert found == []
    assert error is not None


def test_damage_is_survived() -> None:
    check_damage(parse, SAMPLE, 15)
    check_types(parse, UNREADABLE, 150)


def test_the_folder_is_one_word_so_that_no_configuration_is_read_from_it() -> None:
    target = ToolTarget("--config-file=/etc/passwd", "", kind="repository")
    arguments = command(ToolJob("checkov", target, {}, 60, Path("/nowhere")), Options()).arguments
    assert "--directory=repository" in arguments
    assert not {"-d", "--directory", target.host} & {*arguments}
    assert not {"helm", "kustomize", "all", "secrets"} & {*arguments}
