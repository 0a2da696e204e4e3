"""The end of a NAV bridge, out of what a frame's evidence says of a fund."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from navoracle.domain.bridge import BridgeEnd, HeldPosition
from navoracle.domain.flows import VaultFlows
from navoracle.domain.positions import Component
from navoracle.domain.units import RawAmount, Wad


def end_in(found: Mapping[str, Any]) -> BridgeEnd | None:
    """What a frame found for a fund; None where it did not value it. Without a vault its flows are not known.

    Args:
        found: `result.fund` of an evidence document, as JSON.

    Raises:
        KeyError, TypeError, ValueError: it is of another form.
    """
    valuation, vault = found["valuation"], found["vault"]
    if valuation is None:
        return None
    return BridgeEnd(
        rows=tuple(_row(row) for row in valuation["positions"] if row["epoch"] is None),
        fees=Wad(sum(int(fee) for fee in valuation["fees"].values())),
        shares=_wad(valuation["shares"]),
        price_per_share=_wad(valuation["price_per_share"]),
        totals=None
        if vault is None
        else VaultFlows(**{each.name: _wad(vault["flows"][each.name]) for each in fields(VaultFlows)}),
    )


def _wad(text: str) -> Wad:
    return Wad(int(text))


def _row(row: Mapping[str, Any]) -> HeldPosition:
    return HeldPosition(
        position=str(row["position"]),
        component=Component(row["component"]),
        asset=str(row["asset"]),
        amount=RawAmount(int(row["amount"]["value"]), int(row["amount"]["decimals"])),
        price=_wad(row["price"]),
        value=_wad(row["value"]),
    )
