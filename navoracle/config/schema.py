"""The configuration's JSON schema, for editors."""

from __future__ import annotations

from typing import Any, Final

from navoracle.config.models import Config

_VARIABLE: Final = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"


def config_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a configuration file.

    A reader's `id` is optional in a file: sections name their readers themselves. Where text has a pattern, `${NAME}`
    may stand for it.
    """
    schema = Config.model_json_schema()
    _allow_variables(schema)
    for definition in schema["$defs"].values():
        if "kind" in definition.get("properties", {}):
            definition["required"] = [name for name in definition.get("required", ()) if name != "id"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "navoracle configuration",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _allow_variables(schema: Any) -> None:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            schema["pattern"] += f"|{_VARIABLE}"
        for part in schema.values():
            _allow_variables(part)
    elif isinstance(schema, list):
        for part in schema:
            _allow_variables(part)
