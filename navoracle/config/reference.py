"""The reference of every setting, as Markdown: `python -m navoracle.config.reference`.

Written from the JSON schema, hence from the models themselves, whenever the guide is built. One section for each
model, by the first path that leads to it, with a row for each setting: name, type, default, meaning.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import TypeAdapter

from navoracle.config.schema import config_schema
from navoracle.readers import ChecksumAddress, DecimalWad

_REFERENCE: Final = "#/$defs/"
_BOUNDS: Final = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_TYPES: Final = {"boolean": "true or false", "integer": "integer", "number": "number", "string": "text", "null": "none"}
_FORMATS: Final = {"path": "file or folder", "password": "secret text"}
_LARGEST_WRITTEN: Final = 10**9
"""Larger bounds are those of the EVM's types, and nobody reads them."""


def settings_reference(level: int = 2) -> str:
    """The reference as Markdown, its headings of `level` and the one below."""
    schema = config_schema()
    parts = [_section("Top level", "top", schema, schema, level)]
    shown: set[str] = set()
    waiting = list(_used_by(schema, ""))
    while waiting:
        name, path = waiting.pop(0)
        definition = schema["$defs"][name]
        if name in shown or "properties" not in definition:
            continue
        shown.add(name)
        kind = _kind(definition)
        heading = f"`{path}`" + (f": `{kind}`" if kind else "")
        inner = path.removesuffix(".NAME").count(".") > 0
        parts.append(_section(heading, anchor_of(name), definition, schema, level + inner))
        # What belongs to a section comes right after it.
        waiting = [*_used_by(definition, path), *waiting]
    return "\n\n".join(parts) + "\n"


def _section(heading: str, anchor: str, definition: Mapping[str, Any], schema: Mapping[str, Any], level: int) -> str:
    required = definition.get("required", ())
    rows = [
        f"| `{name}` | {type_of(setting, schema)} | {_default(name, setting, required)} | {_cell(_meaning(setting))} |"
        for name, setting in definition["properties"].items()
    ]
    title = f"{'#' * level} {heading} {{ #{anchor} }}"
    head = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    return "\n".join([title, "", definition["description"], "", *head, *rows])


def _used_by(definition: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """The models that a model's settings hold, each with the path that leads there."""
    for name, setting in definition["properties"].items():
        yield from _held(setting, f"{path}.{name}" if path else name)


def _held(part: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    if "$ref" in part:
        yield part["$ref"].removeprefix(_REFERENCE), path
    for alternative in (*part.get("anyOf", ()), *part.get("oneOf", ())):
        yield from _held(alternative, path)
    if isinstance(part.get("items"), dict):
        yield from _held(part["items"], f"{path}[]")
    for inner in _values(part):
        yield from _held(inner, f"{path}.NAME")


def _values(part: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What a mapping of names holds."""
    by_pattern = list(part.get("patternProperties", {}).values())
    others = part.get("additionalProperties")
    return [*by_pattern, others] if isinstance(others, dict) else by_pattern


def type_of(part: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What may be written for a setting, in words, with links to the models that it holds."""
    if "$ref" in part:
        name = part["$ref"].removeprefix(_REFERENCE)
        definition = schema["$defs"][name]
        if "properties" not in definition:
            return type_of(definition, schema)
        return f"[{_kind(definition) or 'section'}](#{anchor_of(name)})"
    alternatives = [each for each in (*part.get("anyOf", ()), *part.get("oneOf", ())) if each.get("type") != "null"]
    if alternatives:
        return " or ".join(dict.fromkeys(type_of(each, schema) for each in alternatives))
    if "const" in part:
        return f"`{_text(part['const'])}`"
    if "enum" in part:
        return ", ".join(f"`{_text(value)}`" for value in part["enum"])
    if part.get("type") == "array":
        return f"list of: {type_of(part['items'], schema)}"
    if part.get("type") == "object":
        return "mapping of names to: " + " or ".join(type_of(each, schema) for each in _values(part))
    return _scalar(part)


def _scalar(part: Mapping[str, Any]) -> str:
    pattern = str(part.get("pattern", "")).partition("|")[0]
    if pattern in _WRITTEN:
        return _WRITTEN[pattern]
    word = _FORMATS.get(part.get("format", "")) or _TYPES[part["type"]]
    bounds = [
        f"{sign} {part[name]}" for name, sign in _BOUNDS.items() if name in part and abs(part[name]) < _LARGEST_WRITTEN
    ]
    return " ".join([word, " and ".join(bounds)]).strip()


def _default(name: str, setting: Mapping[str, Any], required: Sequence[str]) -> str:
    if name in required:
        return "**required**"
    default = setting.get("default")
    if default == {} and "$ref" in setting:
        return "its own"
    return "none" if default in (None, {}, [], "") else f"`{_text(default)}`"


def _meaning(setting: Mapping[str, Any]) -> str:
    text = str(setting.get("description", "")).replace("filled by `resolve`", "read from the chain at the start")
    return text[:1].upper() + text[1:]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _kind(definition: Mapping[str, Any]) -> str:
    return str(definition["properties"].get("kind", {}).get("const", ""))


def anchor_of(name: str) -> str:
    """The place of a model in the reference, by the model's name."""
    return name.lstrip("_").lower()


def _pattern_of(alias: Any) -> str:
    return str(TypeAdapter(alias).json_schema()["pattern"]).partition("|")[0]


_WRITTEN: Final = {_pattern_of(ChecksumAddress): "address", _pattern_of(DecimalWad): 'decimal in quotes, "0.05"'}
"""Types that are known by the pattern of their text."""


if __name__ == "__main__":
    print(settings_reference(), end="")
