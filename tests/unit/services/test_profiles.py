"""What is wrong with a profile is said with its line; the schema and the shipped profiles agree."""

import jsonschema
import pytest
import yaml

from purple.contracts.profiles import Profile
from purple.services.profiles import Profiles
from purple.services.profiles.checking import MAX_BYTES, check, schema
from purple.toolkit.tools.catalogue import Catalogue
from purple.toolkit.tools.install import Programs

SHIPPED = ("quick", "web", "network", "api", "code", "full", "standard", "discovery", "tls", "import-sarif")


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tools")
    return Catalogue(Programs(folder, folder))


def text_of(name: str) -> str:
    from importlib.resources import files

    return (files("purple.services.profiles") / f"{name}.yaml").read_text()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_profile_has_nothing_wrong_and_fits_the_schema(name, tools) -> None:
    assert check(text_of(name), name, tools) == []
    jsonschema.validate(yaml.safe_load(text_of(name)), schema(tools))
    assert Profiles().load(name).name == name


def test_the_schema_knows_the_tools_and_refuses_what_the_contract_refuses(tools) -> None:
    made = schema(tools)
    jsonschema.Draft202012Validator.check_schema(made)
    for wrong in (
        {"name": "x", "version": 1, "title": "t", "tools": [{"tool": "no-such-tool"}]},
        {"name": "x", "version": 1, "title": "t", "tools": [{"tool": "nmap", "when": "smtp"}]},
        {"name": "X", "version": 1, "title": "t"},
        {"name": "x", "version": 1, "title": "t", "more": 1},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, made)


HEAD = "name: x\nversion: 1\ntitle: t\n"
WRONG = [
    ("name: [", 1, "", "not YAML"),
    (HEAD + "recon: {a: 1, b", 4, "", "not YAML"),
    ("- a", 1, "", "valid dictionary"),
    ("", 0, "", "valid dictionary"),
    (HEAD + "tools:\n  - tool: nmap\n    whne: http\n", 6, "tools.0.whne", "Extra inputs"),
    (HEAD + "tools:\n  - when: http\n", 5, "tools.0.tool", "Field required"),
    (HEAD + "tools:\n  - tool: nmap\n  - tool: nmpa\n", 6, "tools.1.tool", "unknown tool 'nmpa'"),
    (HEAD + "tools:\n  - tool: nmap\n    options:\n      prots: '80'\n", 6, "tools.0.options", "'prots' of nmap"),
    (HEAD + "tools:\n  - tool: nmap\nlimits: {parallel: 0}\n", 6, "limits.parallel", "greater than or equal to 1"),
    (HEAD + "tools:\n  - tool: nmap\ntitle: again\n", 6, "title", "twice"),
    (HEAD + "tools:\n  - tool: nmap\n  - tool: nmap\n", 6, "tools.1", "nmap runs there twice"),
    (HEAD + "recon:\n  - tool: nmap\n    when: http\n", 6, "recon.0.when", "before anything is found"),
    (HEAD + "tools:\n  - tool: ssh-audit\n    when: ssh\n", 6, "tools.0.when", "no recon step finds ssh"),
    (HEAD + "tools:\n  - tool: nmap\n    when: repository\n", 6, "tools.0.when", "takes no repository"),
    (HEAD, 1, "tools", "it runs nothing"),
    (HEAD.replace("name: x", "name: y") + "tools:\n  - tool: nmap\n", 1, "name", "the file is called x, the profile y"),
    ("#" * (MAX_BYTES + 1), 0, "", "larger than"),
    ("[" * 5_000, 0, "", "not YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "field", "said"), WRONG)
def test_what_is_wrong_is_said_with_its_line(text, line, field, said, tools) -> None:
    found = check(text, "x", tools)
    assert [(each.line, each.field) for each in found if said in each.message] == [(line, field)], found
    assert all(each.remedy for each in found)


def test_everything_that_is_wrong_is_said_at_once(tools) -> None:
    text = "name: x\nversion: 0\nkind: y\ntools:\n  - tool: nmap\n    when: never\n"
    assert [(each.line, each.field) for each in check(text, "x", tools)] == [
        (1, "title"),
        (2, "version"),
        (3, "kind"),
        (6, "tools.0.when"),
    ]


def test_an_old_plan_is_read_by_this_version() -> None:
    old = {"name": "standard", "version": 2, "title": "t", "recon": [{"tool": "nmap", "when": "always", "options": {}}]}
    assert Profile.model_validate(old).recon[0].when == "always"
