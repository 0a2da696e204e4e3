"""The JSON schema of every file, made of the models that the files are made of, and the reference of the guide.

`python -m navoracle.state_files.schemas DIR` writes both into a folder.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from navoracle.domain.errors import UsageError
from navoracle.state_files.documents import ADAPTERS, MODELS
from navoracle.state_files.documents.header import Header
from navoracle.state_files.documents.synced_state import PeakSection

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
REFERENCE: Final = "reference.md"
DERIVED: Final[Mapping[str, type]] = {PeakSection.__name__: PeakSection}
"""Parts of documents that are derived from others."""


def schema_of(name: str) -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a file. Raises UsageError for one that there is not."""
    if name not in MODELS:
        raise UsageError(f"there is no state file {name}", advice=f"Name one of: {', '.join(MODELS)}.")
    schema = ADAPTERS[name].json_schema()
    inherited = _inherited(MODELS[name])
    _describe(schema, inherited)
    for title, definition in schema.get("$defs", {}).items():
        _describe(definition, _inherited(DERIVED[title]) if title in DERIVED else {})
    return {"$schema": DIALECT, "title": f"navoracle {name}", **{k: v for k, v in schema.items() if k != "title"}}


def schema_file(name: str) -> str:
    """How the schema of a file is called: nav.json has nav.schema.json."""
    return f"{name.removesuffix('.json')}.schema.json"


def render(schema: Mapping[str, Any]) -> str:
    """A schema as it is kept."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def reference() -> str:
    """The reference of the guide: every field of every file, with its type and meaning."""
    lines = [
        "# Fields of the state files",
        "",
        "Made of the models that the files are made of; [State files](../state-files.md) says what holds for all of",
        "them. *decimal* is a decimal number as text, exact to 18 places. What is null has its reason in `unknown`,",
        "under its JSON pointer.",
    ]
    header = schema_of("nav_state.json")
    common = set(Header.__dataclass_fields__)
    lines += ["", "## Every file", "", *_table(header, common)]
    for name in MODELS:
        schema = schema_of(name)
        lines += ["", f"## {name}", "", str(schema["description"]), ""]
        lines += _table(schema, set(schema["properties"]) - common)
        for title, definition in schema.get("$defs", {}).items():
            lines += ["", f"### {title} of {name}", "", str(definition["description"]), ""]
            lines += _table(definition, set(definition["properties"]))
    return "\n".join(lines) + "\n"


def _table(schema: Mapping[str, Any], names: set[str]) -> Iterator[str]:
    yield "| field | type | meaning |"
    yield "|---|---|---|"
    for name, said in schema["properties"].items():
        if name in names:
            meaning = str(said.get("description", "")).replace("|", "\\|").replace("\n", " ")
            yield f"| `{name}` | {_type(said).replace('|', chr(92) + '|')} | {meaning} |"


def _type(said: Mapping[str, Any]) -> str:
    if "anyOf" in said:
        return " or ".join(_type(each) for each in said["anyOf"])
    if "$ref" in said:
        return str(said["$ref"]).rpartition("/")[2]
    if "enum" in said:
        return ", ".join(f"`{each}`" for each in said["enum"])
    if "const" in said:
        return f"`{said['const']}`"
    kind = said.get("type", "any")
    if kind == "string" and "pattern" in said:
        return "decimal"
    if kind == "array":
        return f"list of {_type(said['items'])}"
    if kind == "object" and isinstance(said.get("additionalProperties"), Mapping):
        return f"{_type(said['additionalProperties'])} by name"
    return str(kind)


def _inherited(model: type) -> dict[str, str]:
    """What the classes that a model is derived from say of their fields; pydantic reads a class's own alone."""
    found: dict[str, str] = {}
    for base in model.__mro__[1:]:
        if is_dataclass(base):
            properties = TypeAdapter(base).json_schema()["properties"]
            found.update({name: said["description"] for name, said in properties.items() if "description" in said})
    return found


def _describe(definition: dict[str, Any], inherited: Mapping[str, str]) -> None:
    """Descriptions on one line each, those of inherited fields too; titles, which repeat names, left out."""
    if "description" in definition:
        definition["description"] = _one_line(definition["description"])
    for name, said in definition.get("properties", {}).items():
        said.pop("title", None)
        text = said.get("description", inherited.get(name))
        if text is not None:
            said["description"] = _one_line(text)


def _one_line(text: str) -> str:
    return " ".join(inspect.cleandoc(text).split())


def main(folder: Path) -> None:
    """Write every schema and the reference into a folder."""
    for name in MODELS:
        (folder / schema_file(name)).write_text(render(schema_of(name)), encoding="utf-8")
    (folder / REFERENCE).write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
