"""From evidence back to the plan that it was made by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from navoracle.composition.gate_plans import GATE
from navoracle.domain.breaker import Breaker
from navoracle.domain.cadence import Cadence
from navoracle.domain.fees import FeeTerms
from navoracle.domain.guard_policy import GuardPolicy
from navoracle.domain.prices import AggregationPolicy, NativeBandPolicy
from navoracle.domain.prior import FundPrior, Prior, PriorPrice, PriorRound, Sample
from navoracle.domain.risk.policy import RiskPolicy
from navoracle.domain.units import Timestamp
from navoracle.keeper.plan import AssetPlan, FramePlan, FundPlan, RiskPlan
from navoracle.positions import FundVaultState, LendingModel, MarginModel, PositionModel, SupplyModel
from navoracle.prices import Rate, Source
from navoracle.prices.sequencer import SequencerGate

_SOURCE: TypeAdapter[Any] = TypeAdapter(Source)
_RATE: TypeAdapter[Any] = TypeAdapter(Rate)
_POSITION: TypeAdapter[Any] = TypeAdapter(PositionModel)
_SUPPLY: TypeAdapter[Any] = TypeAdapter(SupplyModel)
_LENDING: TypeAdapter[Any] = TypeAdapter(LendingModel)
_MARGIN: TypeAdapter[Any] = TypeAdapter(MarginModel)
_RISK_POLICY = TypeAdapter(RiskPolicy)
_FEES = TypeAdapter(FeeTerms)
_GUARDS = TypeAdapter(GuardPolicy)
_POLICY = TypeAdapter(AggregationPolicy)
_NATIVE_BAND = TypeAdapter(NativeBandPolicy)
PRICES = TypeAdapter(tuple[PriorPrice, ...])
SAMPLES = TypeAdapter(tuple[Sample, ...])
FUND_PRIOR = TypeAdapter(FundPrior)
ROUNDS = TypeAdapter(tuple[PriorRound, ...])
ASSET_BREAKERS = TypeAdapter(dict[str, Breaker])


def plan_from_evidence(document: Mapping[str, Any]) -> FramePlan:
    """Build a fund's plan again from its parsed evidence, readers and prior included.

    Raises:
        KeyError, ValueError (pydantic's too): the document does not hold a plan.
    """
    described, prior = document["plan"], document["prior"]
    fund = described["fund"]
    name = str(fund["fund"])
    return FramePlan(
        slot_time=Timestamp(int(described["slot_time"])),
        cadence=Cadence(described["cadence"]),
        unit=str(described["unit"]),
        home_chain=described["home_chain"],
        assets={symbol: _asset_from(asset) for symbol, asset in described["assets"].items()},
        funds=(
            FundPlan(
                fund=name,
                fund_id=int(fund["fund_id"]),
                chain=fund["chain"],
                positions=_all(_POSITION, fund["positions"]),
                supply=_SUPPLY.validate_python(fund["supply"]),
                fees=_FEES.validate_python(fund["fees"]),
                guards=_GUARDS.validate_python(fund["guards"]),
                publisher=fund["publisher"],
                base=fund["base"],
                priced_in=tuple(fund["priced_in"]),
                vault=None if fund["vault"] is None else FundVaultState.model_validate(fund["vault"]),
                risk=None if fund["risk"] is None else _risk_from(fund["risk"]),
                gate=GATE.validate_python(fund["gate"]),
                reporting=fund["reporting"],
            ),
        ),
        prior=Prior(
            prices=PRICES.validate_python(prior["prices"]),
            samples=SAMPLES.validate_python(prior["samples"]),
            funds={name: FUND_PRIOR.validate_python(prior["fund"])},
            rounds=ROUNDS.validate_python(prior["rounds"]),
            asset_breakers=ASSET_BREAKERS.validate_python(prior["asset_breakers"]),
        ),
        verifies=described["verifies"],
        gates=tuple(SequencerGate.model_validate(gate) for gate in described["gates"]),
    )


def _risk_from(described: Mapping[str, Any]) -> RiskPlan:
    return RiskPlan(
        policy=_RISK_POLICY.validate_python(described["policy"]),
        lending=_all(_LENDING, described["lending"]),
        margin=_all(_MARGIN, described["margin"]),
    )


def _asset_from(described: Mapping[str, Any]) -> AssetPlan:
    derived, native, band = described["derived"], described["native"], described["native_band"]
    return AssetPlan(
        symbol=str(described["symbol"]),
        policy=_POLICY.validate_python(described["policy"]),
        sources=_all(_SOURCE, described["sources"]),
        derived=None if derived is None else _RATE.validate_python(derived),
        native=None if native is None else _RATE.validate_python(native),
        native_band=None if band is None else _NATIVE_BAND.validate_python(band),
    )


def _all(adapter: TypeAdapter[Any], described: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(adapter.validate_python(item) for item in described)
