"""From configuration to what a keeper is asked to value."""

from __future__ import annotations

from navoracle.composition.gate_plans import gate_policy
from navoracle.composition.risk_plans import risk_plan
from navoracle.config.assets import AssetSection
from navoracle.config.funds import FundSection
from navoracle.config.models import Config
from navoracle.domain.fees import FeeTerms
from navoracle.domain.guard_policy import GuardPolicy
from navoracle.domain.prices import AggregationPolicy, NativeBandPolicy
from navoracle.domain.units import Bps
from navoracle.keeper.plan import AssetPlan, FundPlan
from navoracle.keeper.planner import Subject
from navoracle.prices.sequencer import SequencerGate


def subject_of(config: Config) -> Subject:
    """What the configuration asks to value; its readers are not resolved yet."""
    return Subject(
        unit=config.unit_of_account,
        home_chain=config.home_chain,
        assets={symbol: _asset_plan(symbol, asset) for symbol, asset in config.assets.items()},
        funds={name: _fund_plan(name, fund, config) for name, fund in config.funds.items()},
        gates=tuple(
            SequencerGate(
                kind="sequencer",
                id=f"{name}.sequencer",
                chain=name,
                feed=section.sequencer.feed,
                grace=section.sequencer.grace,
            )
            for name, section in config.chains.items()
            if section.sequencer is not None
        ),
    )


def _asset_plan(symbol: str, asset: AssetSection) -> AssetPlan:
    native = asset.native
    return AssetPlan(
        symbol=symbol,
        policy=AggregationPolicy(
            max_age=asset.max_age,
            max_future=asset.max_future,
            min_confidence=Bps(asset.min_confidence),
            outlier_bps=Bps(asset.outlier_bps),
            wide_bps=Bps(asset.wide_bps),
            min_sources=asset.min_sources,
            method=asset.method,
        ),
        sources=asset.sources,
        derived=asset.derived,
        native=None if native is None else native.rate,
        native_band=None if native is None else NativeBandPolicy(native.native_band_bps, native.native_halt_bps),
    )


def _fund_plan(name: str, fund: FundSection, config: Config) -> FundPlan:
    fees, guards = fund.fees, fund.guards
    publisher = None if fund.publisher is None else config.publishers[fund.publisher]
    return FundPlan(
        fund=name,
        fund_id=fund.id,
        chain=fund.chain if publisher is None else publisher.chain,
        positions=fund.positions,
        supply=fund.supply,
        fees=FeeTerms(fees.management_rate, fees.performance_rate, fees.withdrawal_rate, fees.basis),
        guards=GuardPolicy(
            min_interval=guards.min_interval,
            max_change_bps=Bps(guards.max_change_bps),
            agreement_bps=Bps(guards.agreement_bps),
            max_haircut_bps=Bps(guards.max_haircut_bps),
            immaterial_bps=Bps(guards.immaterial_bps),
            rate_gap_bps=Bps(guards.rate_gap_bps),
            time_weighted_gap_bps=Bps(guards.time_weighted_gap_bps),
            max_mixed_age=guards.max_mixed_age,
            max_block_age=guards.max_block_age,
            max_baseline_age=guards.max_baseline_age,
            post_estimated=guards.post_estimated,
            max_unexplained_bps=Bps(guards.max_unexplained_bps),
        ),
        publisher=fund.publisher,
        base=None if publisher is None or publisher.base == config.unit_of_account else publisher.base,
        priced_in=() if publisher is None else publisher.priced_in,
        vault=fund.vault,
        risk=None if fund.risk is None else risk_plan(name, fund.risk),
        gate=gate_policy(fund, config),
        reporting=None if config.reporting is None else config.reporting.asset,
    )
