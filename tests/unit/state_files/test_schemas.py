"""The schemas and the reference that are kept are those of the code, and say what every field is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from navoracle.domain.errors import UsageError
from navoracle.state_files.documents import MODELS
from navoracle.state_files.names import DOCUMENTS
from navoracle.state_files.schemas import REFERENCE, reference, render, schema_file, schema_of
from tests.requirements import PROJECT
from tests.unit.state_files.builders import documents

FOLDER = PROJECT / "docs" / "state-files"
AGAIN = "write it anew: python -m navoracle.state_files.schemas docs/state-files"


def test_names__of_the_documents__are_those_that_are_written() -> None:
    assert tuple(MODELS) == DOCUMENTS


@pytest.mark.parametrize("name", MODELS)
def test_schema__that_is_kept__is_that_of_the_code(name: str) -> None:
    assert (FOLDER / schema_file(name)).read_text(encoding="utf-8") == render(schema_of(name)), AGAIN


def test_reference__that_is_kept__is_that_of_the_code() -> None:
    assert (FOLDER / REFERENCE).read_text(encoding="utf-8") == reference(), AGAIN


def test_folder__of_schemas__holds_nothing_else() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*map(schema_file, MODELS), REFERENCE}


def objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    yield from schema.get("$defs", {}).values()


@pytest.mark.parametrize("name", MODELS)
def test_schema__every_field__says_what_it_is_and_no_other_is_allowed(name: str) -> None:
    schema = schema_of(name)
    Draft202012Validator.check_schema(schema)
    for each in objects(schema):
        assert each["additionalProperties"] is False
        assert each["description"]
        assert set(each["required"]) == set(each["properties"])
        for field, said in each["properties"].items():
            assert said.get("description") or "$ref" in said, (name, each["title"], field)


@pytest.mark.parametrize("name", MODELS)
def test_schema__of_a_file__refuses_a_number_where_a_decimal_is_due(name: str) -> None:
    document = documents()[name.removesuffix(".json")]
    validator = Draft202012Validator(schema_of(name))
    assert validator.is_valid(document)
    assert not validator.is_valid({**document, "other": 1})
    assert not validator.is_valid({key: value for key, value in document.items() if key != "frame"})


def test_schema__of_a_money_figure__takes_decimal_text_alone() -> None:
    document, validator = documents()["nav_state"], Draft202012Validator(schema_of("nav_state.json"))
    for wrong in (1.5, 1, "1.", "1e3", "0.0000000000000000001", ""):
        assert not validator.is_valid({**document, "total_equity": wrong})
    for right in ("-1.5", "0", None):
        assert validator.is_valid({**document, "total_equity": right})


def test_schema__of_what_there_is_not__is_refused() -> None:
    with pytest.raises(UsageError, match=r"there is no state file other\.json"):
        schema_of("other.json")
