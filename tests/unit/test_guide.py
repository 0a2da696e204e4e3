"""The guide says what is there: each kind has a section, snippets are valid, settings, defaults and commands exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, Final

import click
import pytest
import typer
import yaml

from navoracle.chain.node_state import NodeState
from navoracle.cli.commands import COMMANDS, loaded
from navoracle.cli.main import app
from navoracle.config.base import Section as BaseSection
from navoracle.config.loading import load_config, parse_config
from navoracle.config.schema import config_schema
from navoracle.domain import errors
from navoracle.domain.risk.gates import NavHealth
from navoracle.publishers.peers import PeerModelUnion
from navoracle.store_port import RequestState
from navoracle.telemetry.error_codes import CODES
from tests.requirements import PROJECT
from tests.unit.guide import (
    PAGES,
    PLACES,
    Section,
    around,
    configuration,
    described,
    filled,
    models_of,
    read,
    sections,
)

KINDS: Final = [section for place in PLACES for section in described(place)]
EXAMPLES: Final = [
    pytest.param(snippet, id=f"{section.name}-{index}")
    for page in PAGES
    for section in sections(page)
    if not section.kinds
    for index, snippet in enumerate(section.snippets())
]
DOCUMENTS: Final = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"] + [
    path.relative_to(PROJECT).as_posix() for path in sorted((PROJECT / "docs").glob("*.md"))
]
LOGGED: Final = {
    "log_watch", "node_state", "overrides_cleared", "overrides_set", "overrides_taken", "settlement_waiting",
}  # fmt: skip
"""Events of the log that the guide names."""


def by_name(section: Section) -> str:
    return section.name


# ---- kinds and their snippets


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_guide__every_kind_of_a_union__has_one_section(place: tuple[str, str]) -> None:
    told = [kind for section in described(place) for kind in section.kinds]
    assert sorted(told) == sorted(models_of(PLACES[place]))


def test_publishers__every_kind__has_one_section_and_is_shown_in_a_valid_configuration() -> None:
    described_here = [section for section in sections("publishers") if section.kinds]
    told = [kind for section in described_here for kind in section.kinds]
    assert sorted(told) == sorted(models_of(PeerModelUnion))
    for section in described_here:
        (snippet,) = section.snippets()
        config = parse_config(around(snippet, snippet), section.name)
        assert {publisher.kind for publisher in config.publishers.values()} <= set(section.kinds)
        assert config.publishers


@pytest.mark.parametrize("section", KINDS, ids=by_name)
def test_section__of_kinds__shows_each_of_them(section: Section) -> None:
    assert {item["kind"] for item in section.items()} == set(section.kinds)


@pytest.mark.parametrize("section", KINDS, ids=by_name)
def test_section__its_snippets__are_a_valid_configuration(section: Section, tmp_path: Path) -> None:
    file = tmp_path / "navoracle.yaml"
    file.write_text(yaml.safe_dump(configuration(section)), encoding="utf-8")
    config = load_config(file, {})
    readers = [source for asset in config.assets.values() for source in asset.sources]
    rates = [asset.derived for asset in config.assets.values() if asset.derived is not None]
    positions = [position for fund in config.funds.values() for position in (*fund.positions, fund.supply)]
    known = {reader.kind for reader in (*readers, *rates, *positions)}
    assert known >= set(section.kinds)


@pytest.mark.parametrize("snippet", EXAMPLES)
def test_example__between_the_sections__is_a_valid_part_of_a_configuration(snippet: dict[str, Any]) -> None:
    config = parse_config(around(snippet, snippet), "guide")
    for name, value in snippet.items():
        assert name in type(config).model_fields
        assert value


def test_readme__its_configuration__is_valid() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", read("README.md"), flags=re.DOTALL)
    config = parse_config(yaml.safe_load(filled(text)), "README.md")
    assert set(config.funds) == {"stable"}


# ---- settings and figures


def words_of(schema: object) -> Iterator[str]:
    """The names of all settings, and the words that they may have as values."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        yield from (word for word in [*schema.get("enum", ()), schema.get("const")] if isinstance(word, str))
        for part in schema.values():
            yield from words_of(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from words_of(part)


def error_codes() -> set[str]:
    return {found.code for found in vars(errors).values() if isinstance(found, type) and hasattr(found, "code")}


@pytest.mark.parametrize("section", [section for page in PAGES for section in sections(page)], ids=by_name)
def test_guide__a_setting_that_it_names__exists(section: Section) -> None:
    known = {*words_of(config_schema()), *error_codes(), *(state.value for state in NodeState), *LOGGED}
    known |= {code for _, code in CODES} | {field.name for field in fields(NavHealth)}
    known |= {state.value for state in RequestState}
    spans = re.findall(r"`([^`\n]+)`", section.prose)
    named = {found.group(1) for span in spans if (found := re.fullmatch(r"([a-z][a-z0-9]*(?:_[a-z0-9]+)+)", span))}
    named |= {found.group(1) for span in spans if (found := re.fullmatch(r"([a-z][a-z0-9_]*): .+", span))}
    assert named <= known


def stated_defaults(section: Section) -> list[tuple[str, str]]:
    return re.findall(r"`(\w+)`\s+\(default\s+(\w+)\)", section.prose)


def defaults_of(name: str, owners: list[Any]) -> set[str]:
    fields = [owner.model_fields[name] for owner in owners if name in owner.model_fields]
    return {"none" if field.default is None else str(field.default) for field in fields}


@pytest.mark.parametrize("section", KINDS, ids=by_name)
def test_section__defaults_that_it_states__are_those_of_its_kinds(section: Section) -> None:
    known = models_of(PLACES[section.page, section.part])
    for name, value in stated_defaults(section):
        assert defaults_of(name, [known[kind] for kind in section.kinds]) == {value}, name


def test_guide__defaults_outside_the_kinds__are_those_of_the_configuration() -> None:
    owners = BaseSection.__subclasses__()
    rates = list(models_of(PLACES["rates", "Rates"]).values())
    stated = [pair for page in PAGES for part in sections(page) if not part.kinds for pair in stated_defaults(part)]
    assert len(stated) > 10
    for name, value in stated:
        assert value in defaults_of(name, [*owners, *rates]), name


def test_sources__table_of_confidence__is_that_of_the_models() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) % \|", read("docs/sources.md"), flags=re.MULTILINE))
    known = models_of(PLACES["sources", "Sources"])
    assert {kind: int(percent) * 100 for kind, percent in rows.items()} == {
        kind: model.model_fields["confidence"].default for kind, model in known.items()
    }


@pytest.mark.parametrize("place", [("rates", "Rates"), ("positions", "Positions")], ids="-".join)
def test_guide__overview_of_a_page__names_every_kind(place: tuple[str, str]) -> None:
    overview = "".join(section.text for section in sections(place[0]) if not section.kinds)
    rows = re.findall(r"^\|.*\|$", overview, flags=re.MULTILINE)
    assert set(models_of(PLACES[place])) <= set(re.findall(r"`(\w+)`", "".join(rows)))


def test_chains__table_of_states__has_all_of_them() -> None:
    (states,) = [section for section in sections("chains") if section.part == "States of a node"]
    rows = re.findall(r"^\| `(\w+)` \|", states.text, flags=re.MULTILINE)
    assert sorted(rows) == sorted(state.value for state in NodeState)


# ---- commands and links


@cache
def commands() -> dict[str, click.Command]:
    """Every command by its words: "nav", "config show"."""
    found: dict[str, Any] = {}
    for name in COMMANDS:
        command = loaded(name)
        inner = getattr(command, "commands", None)
        found |= {name: command} if inner is None else {f"{name} {word}": each for word, each in inner.items()}
    return found


def options_of(command: Any) -> set[str]:
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


def command_lines(text: str) -> Iterator[list[str]]:
    """The words after `navoracle` of every command line in a document, and spans that begin with a command."""
    names = {name.split()[0] for name in commands()}
    for line in re.findall(r"^\s*navoracle (.+)$", text, flags=re.MULTILINE):
        yield line.split("#")[0].split()
    for span in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        words = span.split()
        if words[0] == "navoracle" and len(words) > 1:
            yield words[1:]
        elif words[0].startswith("--") or (words[0] in names and "--" in span):
            yield words


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document__command_lines__name_commands_and_options_that_exist(name: str) -> None:
    known = commands()
    everywhere = {"--help", *options_of(typer.main.get_command(app))}
    anywhere = everywhere | {option for command in known.values() for option in options_of(command)}
    for words in command_lines(read(name)):
        options = {option for word in words for option in re.findall(r"^[\[`(]*(--[a-z-]+)", word)}
        if words[0].startswith("--") or words[0] == "COMMAND":
            assert options <= anywhere, words
            continue
        command = known.get(" ".join(words[:2])) or known.get(words[0].strip(",.;"))
        assert command is not None, words
        assert options <= everywhere | options_of(command), words


def test_commands__table__names_every_command() -> None:
    cells = re.findall(r"^\| (`.+?) \|", read("docs/commands.md"), flags=re.MULTILINE)
    told = " ".join(cells)
    assert [name for name in commands() if not re.search(rf"`{name}\b", told)] == []


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document__links__lead_to_files_and_headings_that_exist(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", read(name)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = (PROJECT / name).parent / path if path else PROJECT / name
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


def test_index__of_the_documentation__names_every_page_and_record() -> None:
    folder = PROJECT / "docs"
    pages = {path.relative_to(folder).as_posix() for path in folder.rglob("*.md")} - {"README.md"}
    assert pages <= set(re.findall(r"\]\(([^)\s]+)\)", read("docs/README.md")))
