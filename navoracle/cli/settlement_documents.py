"""Settlements as JSON; units as in `documents.py`."""

from __future__ import annotations

from typing import Any

from eth_utils.address import to_checksum_address

from navoracle.cli.documents import wad
from navoracle.keeper.settlements import Examined, Settlement
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
            "nav": wad(post.nav),
            "price_per_share": wad(post.price_per_share),
            "valuation_time": post.valuation_time,
            "confidence_percent": post.confidence,
            "components": None if examined.data is None else [wad(each) for each in post.components],
        },
        "fees": {
            "management": wad(fees.management),
            "performance": wad(fees.performance),
            "forgiven": wad(fees.forgiven),
            "shares": wad(fees.shares),
            "high_water_mark": wad(fees.high_water_mark),
        },
        "deposits": {
            "assets": str(deposits.assets),
            "queued": wad(deposits.queued),
            "delta": wad(deposits.delta),
            "value": wad(deposits.value),
            "shares": wad(deposits.shares),
        },
        "redemptions": {
            "shares": wad(redemptions.shares),
            "fee_shares": wad(redemptions.fee_shares),
            "burned": wad(redemptions.burned),
            "part": wad(redemptions.part),
            "worth": wad(redemptions.worth),
            "missing": wad(redemptions.missing),
            "payouts": [
                {"token": to_checksum_address(each.token), "paid": str(each.paid), "returned": str(each.returned)}
                for each in redemptions.payouts
            ],
        },
        "supply": wad(state.supply),
        "supply_after": wad(plan.supply),
    }


def settled_document(settled: SettledEpoch) -> dict[str, Any]:
    """What a settlement did."""
    return {
        "epoch": settled.epoch,
        "price_per_share": wad(settled.price_per_share),
        "valuation_time": settled.valuation_time,
        "deposited": wad(settled.deposited),
        "minted": wad(settled.minted),
        "fee_shares": wad(settled.fee_shares),
        "burned": wad(settled.burned),
        "payouts": [{"token": to_checksum_address(token), "amount": str(amount)} for token, amount in settled.payouts],
    }
