"""From configuration to plans, and from evidence back to the plan that it was made by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from navoracle.composition.claims import check_claims
from navoracle.config.models import AssetSection, Config, FundSection
from navoracle.domain.breaker import Breaker
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import (
    ChainError,
    ConfigurationError,
    EndpointsDisagree,
    NoQuorum,
    ReadError,
    SourceDown,
)
from navoracle.domain.fees import FeeTerms
from navoracle.domain.frame import FundPrior, GuardPolicy, Prior, PriorPrice, PriorRound, Sample
from navoracle.domain.prices import AggregationPolicy, NativeBandPolicy
from navoracle.domain.units import Bps, Timestamp
from navoracle.keeper.collect import read_all
from navoracle.keeper.plan import AssetPlan, FramePlan, FundPlan
from navoracle.keeper.planner import Subject
from navoracle.keeper.session import Readings
from navoracle.ports import ChainReader, OffChainReader, Read, ReadPoint
from navoracle.positions import FundVaultState, PositionModel, SupplyModel
from navoracle.prices import Rate, Source
from navoracle.prices.sequencer import SequencerGate
from navoracle.readers import ReaderModel

M = TypeVar("M", bound=ReaderModel)

_UNREACHABLE = frozenset({ReadError.code, ChainError.code, EndpointsDisagree.code, NoQuorum.code, SourceDown.code})
"""Failures of the way to a contract rather than of the contract."""

_SOURCE: TypeAdapter[Any] = TypeAdapter(Source)
_RATE: TypeAdapter[Any] = TypeAdapter(Rate)
_POSITION: TypeAdapter[Any] = TypeAdapter(PositionModel)
_SUPPLY: TypeAdapter[Any] = TypeAdapter(SupplyModel)
_FEES = TypeAdapter(FeeTerms)
_GUARDS = TypeAdapter(GuardPolicy)
_POLICY = TypeAdapter(AggregationPolicy)
_NATIVE_BAND = TypeAdapter(NativeBandPolicy)
PRICES = TypeAdapter(tuple[PriorPrice, ...])
SAMPLES = TypeAdapter(tuple[Sample, ...])
FUND_PRIOR = TypeAdapter(FundPrior)
ROUNDS = TypeAdapter(tuple[PriorRound, ...])
ASSET_BREAKERS = TypeAdapter(dict[str, Breaker])


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
    )


@dataclass(frozen=True, slots=True)
class _Resolving(Generic[M]):
    """A reader's resolution, in the shape of a reader, so that all are resolved in one batch."""

    reader: M

    @property
    def id(self) -> str:
        return self.reader.id

    @property
    def chain(self) -> str | None:
        chain: str | None = getattr(self.reader, "chain", None)
        return chain

    def read(self, at: ReadPoint) -> Read[M]:
        return self.reader.resolve(at)

    def describe(self) -> Mapping[str, object]:
        return self.reader.describe()


async def resolve(
    subject: Subject,
    chains: Mapping[str, ChainReader],
    off_chain: OffChainReader,
    now: Timestamp,
    chain_ids: Mapping[str, int] | None = None,
) -> Subject:
    """Read once what travels with every reader from then on (decimals), all in one batch per chain.

    Args:
        chain_ids: by chain name, so that what is counted twice is found under two names of one chain too.

    Raises:
        ChainError: a chain cannot be read.
        ConfigurationError: a reader cannot be resolved, for example because its address holds no contract; or two
            readers of a fund count the same thing.
    """
    resolved = await _resolved(subject, chains, off_chain, now)
    check_claims(resolved.funds.values(), chain_ids or {})
    return resolved


async def _resolved(
    subject: Subject, chains: Mapping[str, ChainReader], off_chain: OffChainReader, now: Timestamp
) -> Subject:
    for reader in _models(subject):
        name = getattr(reader, "chain", None)
        if name is not None and name not in chains and not reader.is_resolved:
            raise ConfigurationError(
                f"chain {name} is not configured", advice=f"Add `chains: {name}:` with its endpoint."
            )
    resolved, readings = await resolve_each(subject, chains, off_chain, now)
    failures = list(readings.failures.values())
    if failures:
        first = failures[0]
        if first.code in _UNREACHABLE:
            raise ChainError(first.message, advice=first.advice)
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        raise ConfigurationError(f"{first.message}{more}", advice=first.advice)
    return resolved


async def resolve_each(
    subject: Subject, chains: Mapping[str, ChainReader], off_chain: OffChainReader, now: Timestamp
) -> tuple[Subject, Readings]:
    """Resolve every reader for itself: the subject with those that could be, and what was read for it.

    Raises:
        ChainError: a chain cannot be read at all.
    """
    waiting = [_Resolving(reader) for reader in _models(subject) if not reader.is_resolved]
    if not waiting:
        return subject, Readings({}, {}, {}, {})
    names = sorted({reader.chain for reader in waiting if reader.chain is not None and reader.chain in chains})
    stamps = [await chains[name].stamp() for name in names]
    readings = await read_all(waiting, stamps, now, chains, off_chain)
    return _with_readers(subject, dict(readings.values)), readings


def _models(subject: Subject) -> list[Any]:
    readers: list[Any] = []
    for asset in subject.assets.values():
        readers += asset.sources
        readers += [rate for rate in (asset.derived, asset.native) if rate is not None]
    for fund in subject.funds.values():
        readers += [*fund.positions, fund.supply, *([] if fund.vault is None else [fund.vault])]
    return readers


def _with_readers(subject: Subject, found: Mapping[str, Any]) -> Subject:
    def pick(reader: Any) -> Any:
        return None if reader is None else found.get(reader.id, reader)

    def pick_all(readers: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(pick(reader) for reader in readers)

    return replace(
        subject,
        assets={
            symbol: replace(
                asset, sources=pick_all(asset.sources), derived=pick(asset.derived), native=pick(asset.native)
            )
            for symbol, asset in subject.assets.items()
        },
        funds={
            name: replace(fund, positions=pick_all(fund.positions), supply=pick(fund.supply), vault=pick(fund.vault))
            for name, fund in subject.funds.items()
        },
    )


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
