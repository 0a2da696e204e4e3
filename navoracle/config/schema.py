"""The configuration's JSON schema, for editors and for the guide."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, SecretStr

from navoracle.config.descriptions import description_of, models_of, summary_of
from navoracle.config.models import Config
from navoracle.readers import written_wad

_VARIABLE: Final = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"


def config_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a configuration file, with what each setting means.

    A reader's `id` is optional in a file: sections name their readers themselves. Where text has a pattern, `${NAME}`
    may stand for it.
    """
    schema = Config.model_json_schema()
    _allow_variables(schema)
    _describe(schema)
    for definition in schema["$defs"].values():
        if "kind" in definition.get("properties", {}):
            definition["required"] = [name for name in definition.get("required", ()) if name != "id"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "navoracle configuration",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _describe(schema: dict[str, Any]) -> None:
    for model in models_of(Config):
        definition = schema if model is Config else schema["$defs"][model.__name__]
        definition["description"] = summary_of(model)
        for name, setting in definition.get("properties", {}).items():
            if (text := description_of(model, name)) is not None:
                setting["description"] = text
            _write_default(setting, model.model_fields[name].default)


def _write_default(setting: dict[str, Any], default: object) -> None:
    """State a default as it would be written in a file; pydantic states it as it is held."""
    if isinstance(default, BaseModel):
        setting["default"] = {}  # the section's settings state their own
    elif isinstance(default, SecretStr):
        setting["default"] = default.get_secret_value()  # one that stands in the code is no secret
    elif isinstance(default, int) and setting.get("type") == "string":
        setting["default"] = written_wad(default)


def _allow_variables(schema: Any) -> None:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            schema["pattern"] += f"|{_VARIABLE}"
        for part in schema.values():
            _allow_variables(part)
    elif isinstance(schema, list):
        for part in schema:
            _allow_variables(part)
