"""Settlements as JSON; units as in `documents.py`."""

from __future__ import annotations

from typing import Any

from eth_utils.address import to_checksum_address

from navoracle.domain.units import wad_text
from navoracle.keeper.examined_settlements import Examined
from navoracle.keeper.settlement_look import Settlement
from navoracle.vault_port import SettledEpoch


def settlement_document(found: Settlement) -> dict[str, Any]:
    """One fund's settlement: what would be done, why not, and what was done."""
    return {
        "fund": found.fund,
        "state": found.step.value,
        "reason": found.reason,
        "transaction": found.transaction,
        "plan": None if found.examined is None else plan_document(found.examined),
        "settled": None if found.settled is None else settled_document(found.settled),
        "differs": list(found.differs),
    }


def plan_document(examined: Examined) -> dict[str, Any]:
    """What the vault would do on the served post. With refusals the figures are forecasts. Payouts are raw units."""
    plan, post, state = examined.plan, examined.post, examined.look.state
    fees, deposits, redemptions = plan.fees, plan.deposits, plan.redemptions
    return {
        "block": examined.look.at.number,
        "epoch": plan.epoch,
        "closes_at": state.closes_at,
        "settleable_at": state.settleable_at,
        "next_closes_at": plan.closes_at,
        "settles": not examined.refusals,
        "refusals": [{"reason": each.code, "detail": each.detail, "advice": each.advice} for each in examined.refusals],
        "asked_the_vault": examined.previewed,
        "call": None if examined.data is None else "0x" + examined.data.hex(),
        "post": {
            "nav": wad_text(post.nav),
            "price_per_share": wad_text(post.price_per_share),
            "valuation_time": post.valuation_time,
            "confidence_percent": post.confidence,
            "components": None if examined.data is None else [wad_text(each) for each in post.components],
        },
        "fees": {
            "management": wad_text(fees.management),
            "performance": wad_text(fees.performance),
            "forgiven": wad_text(fees.forgiven),
            "shares": wad_text(fees.shares),
            "high_water_mark": wad_text(fees.high_water_mark),
        },
        "deposits": {
            "assets": str(deposits.assets),
            "queued": wad_text(deposits.queued),
            "delta": wad_text(deposits.delta),
            "value": wad_text(deposits.value),
            "shares": wad_text(deposits.shares),
        },
        "redemptions": {
            "shares": wad_text(redemptions.shares),
            "fee_shares": wad_text(redemptions.fee_shares),
            "burned": wad_text(redemptions.burned),
            "part": wad_text(redemptions.part),
            "worth": wad_text(redemptions.worth),
            "missing": wad_text(redemptions.missing),
            "payouts": [
                {"token": to_checksum_address(each.token), "paid": str(each.paid), "returned": str(each.returned)}
                for each in redemptions.payouts
            ],
        },
        "supply": wad_text(state.supply),
        "supply_after": wad_text(plan.supply),
    }


def settled_document(settled: SettledEpoch) -> dict[str, Any]:
    """What a settlement did."""
    return {
        "epoch": settled.epoch,
        "price_per_share": wad_text(settled.price_per_share),
        "valuation_time": settled.valuation_time,
        "deposited": wad_text(settled.deposited),
        "minted": wad_text(settled.minted),
        "fee_shares": wad_text(settled.fee_shares),
        "burned": wad_text(settled.burned),
        "payouts": [{"token": to_checksum_address(token), "amount": str(amount)} for token, amount in settled.payouts],
    }
