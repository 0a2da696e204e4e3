"""NAV bridges out of evidence: the end that a posted frame was, and the bridge that a frame found.

The evidence is the one record of a frame that anyone can check; a second copy of its rows could only differ.
"""

from __future__ import annotations

import json
from dataclasses import fields

from navoracle.domain.bridge import BridgeEnd, NavBridge, PositionChange, ShareReconciliation
from navoracle.domain.bridge_ends import end_in
from navoracle.domain.errors import GuardRefused
from navoracle.domain.positions import Component
from navoracle.domain.units import Wad


def bridge_end(document: bytes) -> BridgeEnd | None:
    """What a posted frame found for a fund; None where it did not value it, or read no vault.

    Raises:
        GuardRefused: the document is no evidence of this version.
    """
    try:
        end = end_in(json.loads(document)["result"]["fund"])
    except (KeyError, TypeError, ValueError) as error:
        raise GuardRefused(
            f"the evidence of the posted frame cannot be compared with: {type(error).__name__}: {error}",
            advice="It is of another version of navoracle, or damaged: grant a re-base, and post again.",
        ) from error
    return None if end is None or end.totals is None else end


def kept_bridge(document: bytes) -> NavBridge | None:
    """The bridge that a frame found for a fund; None where it found none.

    Raises:
        ValueError, KeyError, TypeError: the document is no evidence.
    """
    found = json.loads(document)["result"]["fund"].get("bridge")
    if found is None:
        return None
    shares = found["shares"]
    return NavBridge(
        **{name: _wad(found[name]) for name in ("before", "now", "price", "income", "fees", "residual", "base")},
        flows=None if found["flows"] is None else _wad(found["flows"]),
        unexplained=None if found["unexplained"] is None else _wad(found["unexplained"]),
        shares=None
        if shares is None
        else ShareReconciliation(**{each.name: _wad(shares[each.name]) for each in fields(ShareReconciliation)}),
        changes=tuple(
            PositionChange(
                position=str(row["position"]),
                component=Component(row["component"]),
                asset=str(row["asset"]),
                price=_wad(row["price"]),
                income=_wad(row["income"]),
                amount=_wad(row["amount"]),
            )
            for row in found["changes"]
        ),
    )


def _wad(text: str) -> Wad:
    return Wad(int(text))
