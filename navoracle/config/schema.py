"""The configuration's JSON schema, for editors."""

from __future__ import annotations

from typing import Any

from navoracle.config.models import Config


def config_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a configuration file.

    A reader's `id` is optional in a file: sections name their readers themselves.
    """
    schema = Config.model_json_schema()
    for definition in schema["$defs"].values():
        if "kind" in definition.get("properties", {}):
            definition["required"] = [name for name in definition.get("required", ()) if name != "id"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "navoracle configuration",
        **{key: value for key, value in schema.items() if key != "title"},
    }
