"""The bridge of a fund without a vault, out of the evidence of two frames: its parts add up, to the wei."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given

from navoracle.domain.bridge import bridge, end_of
from navoracle.domain.errors import StoreError
from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.frame import EVIDENCE_FORMAT, FundFrame, NavStatus
from navoracle.domain.nav import FundValuation, value_fund
from navoracle.domain.positions import Position
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.units import Wad
from navoracle.domain.valuation import PriceKey
from navoracle.keeper.evidence import canonical
from navoracle.read_model import bridges
from navoracle.read_model.bridges import bridge_since_post
from navoracle.store_port import History
from tests.property.domain.test_bridge_laws import shares
from tests.property.domain.test_valuation_laws import NOW, fee_states, fee_terms, funds, markets


def document(valuation: FundValuation | None, confirmed: dict[str, str | None] | None) -> bytes:
    """What a frame's evidence says of a fund without a vault, as far as a bridge looks at it."""
    found = FundFrame("f", NavStatus.LIVE, None, valuation, (), ())
    prior = {"fund": {"confirmed": confirmed}}
    return canonical({"format": EVIDENCE_FORMAT, "prior": prior, "result": {"fund": found}})


def history(posted: bytes | None) -> History:
    """A store that has the evidence of the frame "posted" alone."""

    def evidence(frame: str, fund: str) -> bytes:
        assert (frame, fund) == ("posted", "f")
        if posted is None:
            raise StoreError("there is none", advice="none")
        return posted

    return cast(History, SimpleNamespace(evidence=evidence))


def worth(positions: list[Position], market: dict[PriceKey, PriceEstimate], supply: Wad, **fees: Any) -> FundValuation:
    return value_fund(
        positions,
        market,
        shares=supply,
        fee_terms=fees.get("terms", FeeTerms()),
        fee_state=fees.get("state", FeeState()),
        now=NOW,
    )


@given(funds, funds, markets(), markets(), shares, fee_terms, fee_states)
def test_bridge__of_any_two_frames_evidence__adds_up_to_the_change_to_the_wei(
    old: list[Position],
    new: list[Position],
    then: dict[PriceKey, PriceEstimate],
    here: dict[PriceKey, PriceEstimate],
    supply: Wad,
    terms: FeeTerms,
    state: FeeState,
) -> None:
    before = worth(old, then, supply)
    now = worth(new, here, supply, terms=terms, state=state)
    newest = json.loads(document(now, {"frame": "posted"}))
    found, why = bridge_since_post(history(document(before, None)), "f", newest)
    assert why is None
    assert found is not None
    assert found.posted_frame == "posted"
    assert (int(found.before), int(found.now)) == (before.before.nav, now.before.nav)
    parts = [found.price, found.income, found.fees, found.residual]
    assert sum(map(int, parts)) == int(found.now) - int(found.before)
    assert (found.flows, found.unexplained, found.shares) == (None, None, None)
    expected = bridge(end_of(before, None), end_of(now, None))
    assert [int(part) for part in parts] == [expected.price, expected.income, expected.fees, expected.residual]
    assert [(row.position, int(row.price), int(row.income), int(row.amount)) for row in found.changes] == [
        (row.position, row.price, row.income, row.amount) for row in expected.changes
    ]


EMPTY = worth([], {}, Wad(0))
OURS: dict[str, str | None] = {"frame": "posted"}


@pytest.mark.parametrize(
    ("posted", "now", "confirmed", "why"),
    [
        (document(EMPTY, None), EMPTY, None, bridges.NOTHING_POSTED),
        (document(EMPTY, None), EMPTY, {"frame": None}, bridges.NOT_OURS),
        (document(EMPTY, None), None, OURS, bridges.NOT_VALUED_NOW),
        (document(None, None), EMPTY, OURS, bridges.NOT_VALUED_THEN),
        (None, EMPTY, OURS, bridges.NO_POSTED_EVIDENCE),
    ],
)
def test_bridge__one_end_missing__is_none_with_the_reason(
    posted: bytes | None, now: FundValuation | None, confirmed: dict[str, str | None] | None, why: str
) -> None:
    newest = json.loads(document(now, confirmed))
    assert bridge_since_post(history(posted), "f", newest) == (None, why)


def test_bridge__of_a_vault_without_one_in_the_evidence__is_not_computed_without_its_flows() -> None:
    newest = json.loads(document(EMPTY, OURS))
    newest["result"]["fund"]["vault"] = {"flows": {}}
    assert bridge_since_post(history(document(EMPTY, None)), "f", newest) == (None, bridges.NOT_READABLE)
