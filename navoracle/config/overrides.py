"""Runtime overrides: a second file with a few limits, which the keeper reads again whenever it changes.

A closed set of settings may stand in it, `funds.NAME.gate` and `funds.NAME.risk.limits`; they are merged, key by key,
over those of the configuration, which must be complete without them. `expires` says until when one of them counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from navoracle.config.funds import FundSection
from navoracle.config.gates import GateSection
from navoracle.config.loading import explained, syntax_of
from navoracle.config.models import Config
from navoracle.config.references import reference_problems
from navoracle.config.risk import LimitsSection, RiskSection
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.units import Timestamp

MAX_BYTES: Final = 1_000_000
_PATH: Final = re.compile(r"funds\.(?P<fund>[^.]+)\.(?P<section>gate|risk\.limits)\.(?P<key>[a-z_]+)")
_ADVICE: Final = (
    "An overrides file holds `funds: NAME: gate: ...` and `funds: NAME: risk: limits: ...`, and `expires: PATH: TIME`."
)


@dataclass(frozen=True, slots=True)
class Overridden:
    """A configuration with its overrides merged in, and what they are.

    Attributes:
        said: by path ("funds.NAME.gate.max_drawdown"), as plain JSON: the value, `instead_of`, the configuration's, and
            `expires_at` (Unix seconds), from when on it counts no longer; null where it lasts.
        expired: the paths of those that count no longer.
    """

    config: Config
    said: Mapping[str, Mapping[str, Any]]
    expired: tuple[str, ...] = ()

    @property
    def next_expiry(self) -> Timestamp | None:
        """When the next of them ends; None where all last."""
        return min((each["expires_at"] for each in self.said.values() if each["expires_at"] is not None), default=None)


def with_overrides(config: Config, now: Timestamp) -> Overridden:
    """The configuration with the overrides of its file; unchanged without one, or where the file is not there.

    Args:
        now: Unix seconds; what ended before counts no longer.

    Raises:
        ConfigurationError: the file cannot be read, or holds something else; the message names file and path.
    """
    file = config.service.overrides_file
    return Overridden(config, {}) if file is None else overridden(config, read_overrides(file), str(file), now)


def read_overrides(file: Path) -> bytes:
    """The file's bytes; none where it is not there. Raises ConfigurationError."""
    try:
        with file.open("rb") as opened:
            found = opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error}", advice="Check the file and its mode.") from error
    if len(found) > MAX_BYTES:
        raise ConfigurationError(f"{file}: more than {MAX_BYTES} bytes", advice=_ADVICE)
    return found


def overridden(config: Config, content: bytes, name: str, now: Timestamp) -> Overridden:
    """Merge overrides over a configuration that has none.

    Args:
        name: what errors call the file.
        now: Unix seconds; an override counts until the second before it expires.

    Raises:
        ConfigurationError: it is no YAML, names what may not be overridden, or its values are not valid there.
    """
    funds, said = dict(config.funds), dict[str, Mapping[str, Any]]()
    raw, expires = parsed_overrides(content, name)
    expired = tuple(path for path, at in expires.items() if at <= now)
    for path in expired:
        take_out(raw, path)
    for fund, sections in raw.items():
        place = f"funds.{fund}"
        if fund not in funds:
            raise ConfigurationError(
                f"{name}: {place}: there is no such fund", advice=f"Name one of: {', '.join(funds)}."
            )
        for section, values in _mapping(sections, f"{name}: {place}", ("gate", "risk")).items():
            try:
                if section == "gate":
                    funds[fund], changed = _with_gate(funds[fund], _mapping(values, f"{name}: {place}.gate"), place)
                else:
                    limits = _mapping(values, f"{name}: {place}.risk", ("limits",)).get("limits", {})
                    changes = _mapping(limits, f"{name}: {place}.risk.limits")
                    funds[fund], changed = _with_limits(funds[fund], changes, f"{name}: {place}", place)
            except ValidationError as error:
                raise explained(error, f"{name}: {place}.{section}") from error
            said |= {path: {**each, "expires_at": expires.get(path)} for path, each in changed.items()}
    merged = config.model_copy(update={"funds": funds})
    for problem in reference_problems(merged):
        raise ConfigurationError(f"{name}: {problem}", advice=_ADVICE)
    return Overridden(merged, said, expired)


def parsed_overrides(content: bytes, name: str) -> tuple[dict[str, Any], dict[str, Timestamp]]:
    """What the file says of each fund, and when which path of it expires; the values are not validated.

    Raises:
        ConfigurationError: it is no YAML, or no such mapping; an expiry is no time, or of what is not overridden.
    """
    try:
        raw = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError) as error:
        # Bytes that are no text are a ValueError.
        what = syntax_of(error) if isinstance(error, yaml.YAMLError) else "it is no text"
        raise ConfigurationError(f"{name}: not YAML: {what}", advice="Correct the syntax at that place.") from None
    whole = _mapping({} if raw is None else raw, name, ("funds", "expires"))
    funds = _mapping(whole.get("funds", {}), f"{name}: funds")
    expires = _mapping(whole.get("expires", {}), f"{name}: expires")
    for path, at in expires.items():
        if type(at) is not int or at < 0:
            raise ConfigurationError(f"{name}: expires: {path}: {at} is no time", advice="Write Unix seconds.")
        if not is_in(funds, path):
            raise ConfigurationError(
                f"{name}: expires: {path} is not overridden", advice="Name a path of this file, or take the line out."
            )
    return funds, {path: Timestamp(at) for path, at in expires.items()}


def place_of(path: str) -> tuple[str, tuple[str, ...], str] | None:
    """The fund, the section and the key of a path that may be overridden; None for any other path."""
    found = _PATH.fullmatch(path)
    return None if found is None else (found["fund"], tuple(found["section"].split(".")), found["key"])


def is_in(funds: Mapping[str, Any], path: str) -> bool:
    """Whether the funds' part of an overrides file says something at a path."""
    place = place_of(path)
    if place is None:
        return False
    fund, section, key = place
    inner: Any = funds
    for step in (fund, *section):
        inner = inner.get(step) if isinstance(inner, dict) else None
    return isinstance(inner, dict) and key in inner


def take_out(funds: dict[str, Any], path: str) -> None:
    """Take one value out of the funds' part of an overrides file, and the sections that are empty then."""
    place = place_of(path)
    if place is None or not is_in(funds, path):
        return
    fund, section, key = place
    outer: list[tuple[dict[str, Any], str]] = []
    inner = funds
    for step in (fund, *section):
        outer.append((inner, step))
        inner = inner[step]
    del inner[key]
    for holder, step in reversed(outer):
        if not holder[step]:
            del holder[step]


def _mapping(value: object, place: str, keys: tuple[str, ...] | None = None) -> dict[str, Any]:
    """A mapping by text; with `keys`, of no other ones."""
    if not isinstance(value, dict):
        raise ConfigurationError(f"{place}: it is no mapping", advice=_ADVICE)
    for key in value:
        if not isinstance(key, str) or (keys is not None and key not in keys):
            raise ConfigurationError(f"{place}: {key} cannot be overridden", advice=_ADVICE)
    return value


def _with_gate(
    fund: FundSection, values: Mapping[str, Any], place: str
) -> tuple[FundSection, dict[str, Mapping[str, Any]]]:
    before = {} if fund.gate is None else fund.gate.model_dump(mode="json")
    gate = GateSection.model_validate({**before, **values})
    return fund.model_copy(update={"gate": gate}), _told(f"{place}.gate", values, before, gate)


def _with_limits(
    fund: FundSection, values: Mapping[str, Any], told: str, place: str
) -> tuple[FundSection, dict[str, Mapping[str, Any]]]:
    if fund.risk is None:
        raise ConfigurationError(
            f"{told}.risk: the fund has no risk monitor", advice="Add its `risk` section to the configuration first."
        )
    before = fund.risk.limits.model_dump(mode="json")
    limits = LimitsSection.model_validate({**before, **values})
    # The whole section is validated anew: a limit may ask for something that its mode does not watch.
    risk = RiskSection.model_validate({**dict(fund.risk), "limits": limits})
    return fund.model_copy(update={"risk": risk}), _told(f"{place}.risk.limits", values, before, limits)


def _told(
    place: str, values: Mapping[str, Any], before: Mapping[str, Any], after: GateSection | LimitsSection
) -> dict[str, Mapping[str, Any]]:
    now = after.model_dump(mode="json")
    return {f"{place}.{key}": {"value": now[key], "instead_of": before.get(key)} for key in values}
