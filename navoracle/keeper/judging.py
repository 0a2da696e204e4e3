"""Guard: valuations in, one `FundFrame` per fund out, with its risks, its gate and its verdicts. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from navoracle.domain.failures import Failure
from navoracle.domain.frame import BlockStamp, FundFrame, NavStatus
from navoracle.domain.guards import GuardInput, agrees, forecast, judge
from navoracle.domain.prior import FundPrior
from navoracle.domain.risk.gates import GateDecision, GatePrior
from navoracle.domain.risk.report import RiskReport
from navoracle.domain.units import Timestamp, Wad
from navoracle.keeper.plan import FramePlan
from navoracle.keeper.pricing import Prices
from navoracle.keeper.session import Readings
from navoracle.keeper.valuing import Valued
from navoracle.risk.assess import assess
from navoracle.risk.gate import decide
from navoracle.risk.inputs import GateInput, RiskInput


def guard(
    plan: FramePlan,
    readings: Readings,
    prices: Prices,
    values: Sequence[Valued],
    *,
    stamps: Sequence[BlockStamp],
    clock: Timestamp,
    now: Timestamp,
) -> tuple[FundFrame, ...]:
    """Hold every valued fund against its guards; a fund without a valuation is HALTED with its reason."""
    home = next((stamp for stamp in stamps if stamp.chain == plan.home_chain), None)
    return tuple(_guard(plan, readings, prices, valued, stamps, home, clock, now) for valued in values)


def _guard(
    plan: FramePlan,
    readings: Readings,
    prices: Prices,
    valued: Valued,
    stamps: Sequence[BlockStamp],
    home: BlockStamp | None,
    clock: Timestamp,
    now: Timestamp,
) -> FundFrame:
    fund = valued.fund
    own = plan.for_valuation(fund.fund)
    failures = (*valued.failures, *_source_failures(own, readings))
    gate = _gate(own, prices, valued, stamps, clock, now)
    risk = _risk(plan.unit, readings, prices, valued, None if gate is None else gate.drawdown)
    if valued.valuation is None:
        return FundFrame(
            fund.fund,
            NavStatus.HALTED,
            valued.reason,
            None,
            (),
            failures,
            valued.immaterial,
            risk=risk,
            gate=gate,
        )
    keys = {(row.asset, "debt" if row.component.is_liability else "asset") for row in valued.valuation.positions}
    prior = plan.prior.funds.get(fund.fund, FundPrior())
    facts = GuardInput(
        valuation=valued.valuation,
        prior=prior,
        policy=fund.guards,
        now=now,
        clock=clock,
        stamps=stamps,
        home=home,
        estimates=[estimate for key, estimate in prices.estimates.items() if key in keys],
        averages=prices.averages,
        rate_gaps=[gap for gap in prices.rate_gaps if gap.asset in own.assets],
        readers=frozenset(reader.id for reader in fund.positions),
        immaterial=valued.immaterial,
        failures=failures,
        shortcomings=_shortcomings(own, prices, failures),
        chain=fund.chain,
        asset_breakers=own.prior.asset_breakers,
        turned_back=_turned_back(own, prices),
        bridge=valued.bridge,
        gate=gate,
        gate_policy=fund.gate,
    )
    status, reason, verdicts = judge(facts)
    return FundFrame(
        fund=fund.fund,
        status=status,
        reason=reason,
        valuation=valued.valuation,
        verdicts=verdicts,
        failures=failures,
        immaterial=valued.immaterial,
        distance=forecast(prior.confirmed, valued.valuation.price_per_share, now),
        agrees=agrees(facts),
        vault=valued.vault,
        bridge=valued.bridge,
        risk=risk,
        gate=gate,
    )


def _risk(unit: str, readings: Readings, prices: Prices, valued: Valued, drawdown: Wad | None) -> RiskReport | None:
    """The fund's risks by its readings; None for a fund that has no monitor."""
    plan = valued.fund.risk
    if plan is None:
        return None
    read, values = [reader.id for reader in plan.readers], readings.values
    return assess(
        RiskInput(
            policy=plan.policy,
            unit=unit,
            valuation=valued.valuation,
            lending={reader.id: values[reader.id] for reader in plan.lending if reader.id in values},
            margin={reader.id: values[reader.id] for reader in plan.margin if reader.id in values},
            failures=[failure for name in read if (failure := readings.failure(name)) is not None],
            estimates=prices.estimates,
            drawdown=drawdown,
        )
    )


def _gate(
    own: FramePlan,
    prices: Prices,
    valued: Valued,
    stamps: Sequence[BlockStamp],
    clock: Timestamp,
    now: Timestamp,
) -> GateDecision | None:
    """What the fund's gate decides; None for a fund that has none."""
    fund = valued.fund
    if fund.gate is None:
        return None
    keys, prior = own.key_closure(), own.prior.funds.get(fund.fund, FundPrior())
    chains = {reader.chain for reader in fund.positions}
    return decide(
        GateInput(
            policy=fund.gate,
            prior=GatePrior(None, None, (), (), is_first=False) if prior.gate is None else prior.gate,
            valuation=valued.valuation,
            confirmed=prior.confirmed,
            estimates=[estimate for key, estimate in prices.estimates.items() if key in keys],
            at_exchange=fund.at_exchange,
            balances_at=min((*(stamp.timestamp for stamp in stamps if stamp.chain in chains), clock)),
            now=now,
            clock=clock,
        )
    )


def _turned_back(own: FramePlan, prices: Prices) -> tuple[str, ...]:
    """On-chain sources whose answer was published before the one that the frame before had of them."""
    last = {known.source: known.published_at for known in own.prior.rounds}
    return tuple(
        quote.source
        for quote in prices.quotes
        if quote.source in last and quote.published_at is not None and quote.published_at < last[quote.source]
    )


def _source_failures(own: FramePlan, readings: Readings) -> tuple[Failure, ...]:
    ids: list[str] = []
    for symbol in sorted(own.assets):
        asset = own.assets[symbol]
        ids += [source.id for source in asset.sources]
        ids += [rate.id for rate in (asset.derived, asset.native) if rate is not None]
    return tuple(failure for name in ids if (failure := readings.failure(name)) is not None)


def _shortcomings(own: FramePlan, prices: Prices, failures: Sequence[Failure]) -> tuple[str, ...]:
    """What a second frame lacks of "every configured source": failed readers and refused quotes."""
    keys = own.key_closure()
    refused = {
        f"{source} ({reason})"
        for key, estimate in prices.estimates.items()
        if key in keys
        for source, reason in estimate.excluded
    }
    return (*(f"{failure.reader} ({failure.code})" for failure in failures), *sorted(refused))
