"""The first end of a bridge, out of a posted frame's evidence, is the end that the valuation itself was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from navoracle.domain.bridge import bridge, end_of
from navoracle.domain.errors import GuardRefused
from navoracle.domain.fees import FeeState, FeeTerms
from navoracle.domain.flows import VaultFlows
from navoracle.domain.frame import FundFrame, NavStatus
from navoracle.domain.nav import value_fund
from navoracle.domain.positions import Position
from navoracle.domain.prices import PriceEstimate
from navoracle.domain.units import Wad
from navoracle.domain.valuation import PriceKey
from navoracle.domain.vault import VaultState
from navoracle.keeper.evidence import canonical
from navoracle.keeper.kept_bridges import bridge_end, kept_bridge
from tests.property.domain.test_bridge_laws import grown, shares, totals
from tests.property.domain.test_valuation_laws import NOW, fee_states, fee_terms, funds, markets


def document(positions: list[Position], market: dict[PriceKey, PriceEstimate], supply: Wad, **fields: object) -> bytes:
    terms, state, flows = fields["terms"], fields["state"], fields["flows"]
    assert isinstance(terms, FeeTerms)
    assert isinstance(state, FeeState)
    assert isinstance(flows, VaultFlows)
    valuation = value_fund(positions, market, shares=supply, fee_terms=terms, fee_state=state, now=NOW)
    found = FundFrame("f", NavStatus.LIVE, None, valuation, (), (), vault=VaultState(terms, state, flows))
    return canonical({"result": {"fund": found}})


@given(funds, markets(), shares, fee_terms, fee_states, totals)
def test_bridge_end__of_any_frames_evidence__is_the_end_of_its_valuation(
    positions: list[Position],
    market: dict[PriceKey, PriceEstimate],
    supply: Wad,
    terms: FeeTerms,
    state: FeeState,
    flows: VaultFlows,
) -> None:
    evidence = document(positions, market, supply, terms=terms, state=state, flows=flows)
    valuation = value_fund(positions, market, shares=supply, fee_terms=terms, fee_state=state, now=NOW)
    assert bridge_end(evidence) == end_of(valuation, flows)


@given(funds, funds, markets(), markets(), shares, totals, totals)
def test_kept_bridge__of_any_frames_evidence__is_the_bridge_that_it_found(
    old: list[Position],
    new: list[Position],
    then: dict[PriceKey, PriceEstimate],
    here: dict[PriceKey, PriceEstimate],
    supply: Wad,
    sums: VaultFlows,
    period: VaultFlows,
) -> None:
    ends = [
        end_of(value_fund(fund, market, shares=supply, fee_terms=FeeTerms(), fee_state=FeeState(), now=NOW), flows)
        for fund, market, flows in ((old, then, sums), (new, here, grown(sums, period)))
    ]
    found = FundFrame("f", NavStatus.HALTED, None, None, (), (), bridge=bridge(*ends))
    assert kept_bridge(canonical({"result": {"fund": found}})) == found.bridge


def test_kept_bridge__of_a_frame_without_one__is_none() -> None:
    assert kept_bridge(EMPTY) is None


EMPTY = document([], {}, Wad(0), terms=FeeTerms(), state=FeeState(), flows=VaultFlows(*[Wad(0)] * 6))


@pytest.mark.parametrize("missing", ["valuation", "vault"])
def test_bridge_end__of_a_frame_without_valuation_or_vault__is_none(missing: str) -> None:
    parsed = json.loads(EMPTY)
    parsed["result"]["fund"][missing] = None
    assert bridge_end(json.dumps(parsed).encode()) is None


@pytest.mark.parametrize("gone", ["valuation", "vault"])
def test_bridge_end__of_a_document_of_another_form__is_refused_with_the_way_out(gone: str) -> None:
    parsed = json.loads(EMPTY)
    del parsed["result"]["fund"][gone]
    with pytest.raises(GuardRefused) as refused:
        bridge_end(json.dumps(parsed).encode())
    assert "re-base" in refused.value.advice
    with pytest.raises(GuardRefused):
        bridge_end(b"no document")
