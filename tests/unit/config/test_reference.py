"""Every setting of every model is in the reference and in the schema, with its type, default and meaning."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from navoracle.config.base import Section
from navoracle.config.descriptions import description_of, models_of, summary_of
from navoracle.config.models import Config
from navoracle.config.reference import anchor_of, settings_reference
from navoracle.config.schema import config_schema
from navoracle.domain.units import format_wad
from navoracle.readers import ReaderModel

MODELS = models_of(Config)


def settings(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """What is written for a model; its section knows the rest."""
    left_out = model.section_fields if issubclass(model, ReaderModel) else frozenset()
    return {name: field for name, field in model.model_fields.items() if name not in left_out}


@cache
def sections() -> dict[str, dict[str, list[str]]]:
    """The reference taken apart: by anchor, the cells of each setting's row after its name."""
    found: dict[str, dict[str, list[str]]] = {}
    for part in re.split(r"^#{2,3} ", settings_reference(), flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        anchor = re.search(r"\{ #([\w-]+) \}$", heading)
        assert anchor is not None, heading
        assert anchor.group(1) not in found, heading
        rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", body, flags=re.MULTILINE)
        found[anchor.group(1)] = {name: re.split(r" (?<!\\)\| ", cells) for name, cells in rows}
    return found


@cache
def whole_schema() -> dict[str, Any]:
    return config_schema()


def anchor(model: type[BaseModel]) -> str:
    return "top" if model is Config else anchor_of(model.__name__)


def written(field: FieldInfo) -> str:
    """How a default must stand in the reference."""
    default: Any = field.get_default(call_default_factory=True)
    if isinstance(default, Section):
        return "its own"
    if default is None or default in ({}, (), ""):
        return "none"
    if isinstance(default, SecretStr):
        return f"`{default.get_secret_value()}`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if any("DecimalWad" in str(each) or "_parse_wad" in str(each) for each in field.metadata):
        return f"`{format_wad(default).rstrip('0').rstrip('.')}`"
    if isinstance(default, tuple):
        return f"`{json.dumps(list(default))}`"
    return f"`{getattr(default, 'value', default)}`"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_settings__of_a_model__are_in_the_reference_with_type_default_and_meaning(model: type[BaseModel]) -> None:
    for name, field in settings(model).items():
        kind, default, meaning = sections()[anchor(model)][name]
        assert kind.strip(), name
        assert "$ref" not in kind, name
        if name == "id" and issubclass(model, ReaderModel):
            assert default == "none"  # its section gives it one
        else:
            assert default == ("**required**" if field.is_required() else written(field)), name
        told = description_of(model, name)
        assert told, f"describe {name} under `Attributes:` in the docstring of {model.__name__}"
        plain = told.replace("filled by `resolve`", "read from the chain at the start")
        assert meaning.replace("\\|", "|") == plain[:1].upper() + plain[1:], name


def test_reference__sections__are_those_of_the_models_and_no_others() -> None:
    assert set(sections()) == {anchor(model) for model in MODELS}
    shown = {(place, name) for place, rows in sections().items() for name in rows}
    known = {(anchor(model), name) for model in MODELS for name in settings(model)}
    assert shown == known


def test_reference__links__lead_to_its_own_sections() -> None:
    links = set(re.findall(r"\]\(#([\w-]+)\)", settings_reference()))
    assert len(links) > 50
    assert links <= set(sections())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_model__its_summary__is_one_sentence_or_more_in_the_schema(model: type[BaseModel]) -> None:
    schema = whole_schema()
    definition = schema if model is Config else schema["$defs"][model.__name__]
    assert definition["description"] == summary_of(model) != ""


def test_schema__defaults__are_written_as_a_file_has_them() -> None:
    schema = whole_schema()["$defs"]
    assert schema["CadenceSection"]["properties"]["volatility_limit"]["default"] == "0.8"
    assert schema["StoreSection"]["properties"]["url"]["default"] == "sqlite:///navoracle.db"
    for name, definition in schema.items():
        for setting, said in definition.get("properties", {}).items():
            if said.get("type") == "string" and "default" in said:
                assert isinstance(said["default"], str), f"{name}.{setting}"


class Base(BaseModel):
    """A model.

    Attributes:
        first, second: what both mean,
            over two lines.
        third: one line.

    Nothing of this is a setting: of no model.
    """

    first: int
    second: int
    third: int
    holder: str
    unsaid: int


class Derived(Base):
    """Another one.

    Attributes:
        third: something else: with a colon.
    """


@pytest.mark.parametrize(
    ("model", "name", "text"),
    [
        (Base, "first", "what both mean, over two lines"),
        (Base, "second", "what both mean, over two lines"),
        (Base, "third", "one line"),
        (Derived, "third", "something else: with a colon"),
        (Derived, "first", "what both mean, over two lines"),
        (Derived, "holder", "the account whose units count"),
        (Derived, "unsaid", None),
        (Base, "setting", None),
    ],
)
def test_description__of_a_field__is_the_nearest_class_s_own_words(
    model: type[BaseModel], name: str, text: str | None
) -> None:
    assert description_of(model, name) == text


def test_summary__of_a_model__is_its_first_paragraph() -> None:
    assert summary_of(Derived) == "Another one."
