"""The first end of a NAV bridge, out of the evidence of the frame that was posted.

The evidence is the one record of what was posted that anyone can check; a second copy of its rows could only differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from navoracle.domain.bridge import BridgeEnd, HeldPosition
from navoracle.domain.errors import GuardRefused
from navoracle.domain.flows import VaultFlows
from navoracle.domain.positions import Component
from navoracle.domain.units import RawAmount, Wad


def bridge_end(document: bytes) -> BridgeEnd | None:
    """What a posted frame found for a fund; None where it did not value it, or read no vault.

    Raises:
        GuardRefused: the document is no evidence of this version.
    """
    try:
        found = json.loads(document)["result"]["fund"]
        valuation, vault = found["valuation"], found["vault"]
        if valuation is None or vault is None:
            return None
        return BridgeEnd(
            rows=tuple(_row(row) for row in valuation["positions"] if row["epoch"] is None),
            fees=Wad(sum(int(fee) for fee in valuation["fees"].values())),
            shares=Wad(int(valuation["shares"])),
            price_per_share=Wad(int(valuation["price_per_share"])),
            totals=VaultFlows(**{each.name: Wad(int(vault["flows"][each.name])) for each in fields(VaultFlows)}),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise GuardRefused(
            f"the evidence of the posted frame cannot be compared with: {type(error).__name__}: {error}",
            advice="It is of another version of navoracle, or damaged: grant a re-base, and post again.",
        ) from error


def _row(row: Mapping[str, Any]) -> HeldPosition:
    return HeldPosition(
        position=str(row["position"]),
        component=Component(row["component"]),
        asset=str(row["asset"]),
        amount=RawAmount(int(row["amount"]["value"]), int(row["amount"]["decimals"])),
        price=Wad(int(row["price"])),
        value=Wad(int(row["value"])),
    )
