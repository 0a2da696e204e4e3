"""Loading: a YAML file, environment variables expanded, validated; every error names the file and the path in it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from navoracle.config.models import Config
from navoracle.config.secrets import hide_secrets_of
from navoracle.config.service import anchored
from navoracle.config.state_files import anchored_state_files
from navoracle.domain.errors import ConfigurationError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

_QUOTED = re.compile(r"'[^']{3,}'")

_REMEDIES = {
    "extra_forbidden": "remove it, or correct its spelling; `navoracle config schema` lists every key",
    "missing": "add it",
    "tuple_type": "write a list: every item begins with `- `",
    "dict_type": "write a mapping: `name: value`",
    "model_type": "write a mapping: `name: value`",
    "union_tag_invalid": "use one of the kinds named",
    "union_tag_not_found": "add `kind:`",
}


def load_config(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Load a configuration file.

    Args:
        path: the YAML file; relative paths in it are taken from its folder.
        environment: the variables for `${NAME}`; the process's own when None.

    Raises:
        ConfigurationError: naming the file, the path in it and the remedy.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path}: no such file", advice="Name a configuration with --config FILE; config/ holds examples."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}", advice="Check the file and its mode.") from error
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(
            f"{path}: not YAML: {syntax_of(error)}", advice="Correct the syntax at that place."
        ) from None
    if not isinstance(raw, dict):
        raise ConfigurationError(
            f"{path}: holds no configuration", advice="A configuration is a mapping with `assets:` and `funds:`."
        )
    unset: dict[str, str] = {}
    expanded = _expand(raw, (), os.environ if environment is None else environment, unset)
    if unset:
        raise _unset(path, unset)
    return _anchor(parse_config(expanded, str(path)), path.parent)


def parse_config(raw: Mapping[str, Any], name: str) -> Config:
    """Validate a configuration that is already plain data; `name` is what errors call it.

    From then on no log, event or traceback of this process shows one of its secrets.
    """
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        raise explained(error, name) from error
    hide_secrets_of(config)
    return config


def syntax_of(error: yaml.YAMLError) -> str:
    """What is wrong and where; the text around it is left out, it may hold a key."""
    mark = getattr(error, "problem_mark", None)
    what = _QUOTED.sub("'***'", getattr(error, "problem", None) or "it cannot be read")
    return what if mark is None else f"{what}, line {mark.line + 1}, column {mark.column + 1}"


def explained(error: ValidationError, name: str) -> ConfigurationError:
    """What is wrong with a configuration that `name` calls, place by place, with its remedy."""
    problems = []
    for problem in error.errors(include_url=False, include_input=False):
        place = ".".join(str(step) for step in problem["loc"]) or "(top)"
        remedy = _REMEDIES.get(problem["type"])
        message = problem["msg"].removeprefix("Value error, ")
        problems.append(f"{place}: {message}" + (f" ({remedy})" if remedy else ""))
    more = f"; and {len(problems) - 1} more: " + "; ".join(problems[1:6]) if len(problems) > 1 else ""
    return ConfigurationError(
        f"{name}: {problems[0]}{more}", advice="Correct the place named; `navoracle config schema` describes every key."
    )


def _expand(value: Any, place: tuple[str, ...], environment: Mapping[str, str], unset: dict[str, str]) -> Any:
    """The value with its variables filled in; each that is not set is noted in `unset`, with its first place."""
    if isinstance(value, dict):
        return {key: _expand(item, (*place, str(key)), environment, unset) for key, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, (*place, str(index)), environment, unset) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in environment:
            unset.setdefault(name, ".".join(place))
            return ""
        return environment[name]

    return _VARIABLE.sub(replace, value)


def _unset(path: Path, unset: Mapping[str, str]) -> ConfigurationError:
    (name, place), *others = unset.items()
    more = "".join(f"; {other} ({where})" for other, where in others)
    return ConfigurationError(
        f"{path}: {place}: environment variable {name} is not set" + (f"; nor are{more[1:]}" if others else ""),
        advice=f"Set {', '.join(unset)}, or write {'the values' if others else 'the value'} in the file.",
    )


def _anchor(config: Config, folder: Path) -> Config:
    """Take relative file names from the configuration's folder."""
    recorded = {
        name: series.model_copy(update={"file": folder / series.file}) for name, series in config.recorded.items()
    }
    chains = {
        name: chain.model_copy(
            update={
                "signer": chain.signer and chain.signer.anchored(folder),
                "guardian": chain.guardian and chain.guardian.anchored(folder),
                "safe": chain.safe and chain.safe.anchored(folder),
            }
        )
        for name, chain in config.chains.items()
    }
    return config.model_copy(
        update={
            "recorded": recorded,
            "chains": chains,
            "service": anchored(config.service, folder),
            "state_files": anchored_state_files(config.state_files, folder),
        }
    )


def config_hash(config: Config) -> str:
    """A name of what the configuration says, its secrets aside: 16 hex digits of the SHA-256 of its JSON."""
    said = json.dumps(config.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]
