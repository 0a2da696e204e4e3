"""Names that sections give to the readers in them, unique in a frame."""

from __future__ import annotations

from typing import Any, get_args

from navoracle.positions import PositionModel

_FUND_KINDS = frozenset(
    get_args(model.model_fields["kind"].annotation)[0]
    for model in get_args(get_args(PositionModel)[0])
    if "fund" in model.section_fields
)
"""Kinds of positions that are told which fund they belong to."""


def named_asset(symbol: str, asset: Any) -> Any:
    if not isinstance(asset, dict):
        return asset
    named = dict(asset)
    if isinstance(named.get("sources"), list):
        named["sources"] = [
            {"asset": symbol, **source, "id": _within(symbol, source.get("id", source.get("group", index)))}
            if isinstance(source, dict)
            else source
            for index, source in enumerate(named["sources"])
        ]
    if isinstance(named.get("derived"), dict):
        named["derived"] = {**named["derived"], "id": f"{symbol}.derived"}
    if isinstance(named.get("native"), dict) and isinstance(named["native"].get("rate"), dict):
        rate = {**named["native"]["rate"], "id": f"{symbol}.native"}
        named["native"] = {**named["native"], "rate": rate}
    return named


def named_fund(name: str, fund: Any) -> Any:
    if not isinstance(fund, dict):
        return fund
    named = dict(fund)
    if isinstance(named.get("positions"), list):
        named["positions"] = [
            _named_position(name, index, position) for index, position in enumerate(named["positions"])
        ]
    if isinstance(named.get("supply"), dict):
        named["supply"] = {**named["supply"], "id": f"{name}.supply"}
    if isinstance(named.get("vault"), dict):
        named["vault"] = {**named["vault"], "id": f"{name}.vault.state"}
    if isinstance(named.get("risk"), dict):
        named["risk"] = _named_risk(name, named["risk"])
    return named


def watch_id(fund: str, name: str) -> str:
    """The id of what the risk monitor watches under that name, and of its reader where it has one."""
    return f"{fund}.risk.{name}"


def _named_risk(fund: str, risk: dict[str, Any]) -> dict[str, Any]:
    named = dict(risk)
    for section in ("lending", "margin"):
        if isinstance(named.get(section), list):
            named[section] = [_named_watch(fund, watch) for watch in named[section]]
    return named


def _named_watch(fund: str, watch: Any) -> Any:
    if not isinstance(watch, dict):
        return watch
    named = dict(watch)
    if isinstance(named.get("account"), dict):
        named["account"] = {**named["account"], "id": watch_id(fund, str(named.get("name")))}
    if isinstance(named.get("positions"), list):
        named["positions"] = [_within(fund, position) for position in named["positions"]]
    return named


def _within(section: str, name: object) -> str:
    """A reader's id: its section's name before its own, once (a configuration that was shown can be read again)."""
    text = str(name)
    return text if text.startswith(f"{section}.") else f"{section}.{text}"


def _named_position(fund: str, index: int, position: Any) -> Any:
    if not isinstance(position, dict):
        return position
    named = {**position, "id": _within(fund, position.get("id", index))}
    return {"fund": fund, **named} if position.get("kind") in _FUND_KINDS else named
