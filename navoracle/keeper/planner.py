"""Plan: from the configured system and the state so far to the next frame's task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypedDict

from navoracle.domain.breaker import Breaker, BreakerState
from navoracle.domain.bridge import BridgeEnd
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import GuardRefused
from navoracle.domain.fees import FeeState
from navoracle.domain.frame import NavFrame
from navoracle.domain.prices import LastValid, PriceEstimate, PriceStatus, Side
from navoracle.domain.prior import ConfirmedNav, FirstLook, FundPrior, Prior, PriorFrame, PriorPrice, PriorRound, Sample
from navoracle.domain.units import WAD, Rounding, Timestamp, Wad, mul_div
from navoracle.keeper.gate_priors import GatePriors
from navoracle.keeper.kept_bridges import bridge_end
from navoracle.keeper.plan import AssetPlan, FramePlan, FundPlan
from navoracle.keeper.pricing import SAMPLE_WINDOW
from navoracle.keeper.publishing import Outbox
from navoracle.ports import Reader
from navoracle.store_port import BreakerSubject, Claim, Store

LAST_FRAME_WINDOW = 86_400
"""Seconds after which a fund's frame before this one says nothing about it any more."""


class PostedEnd(TypedDict):
    """What a fund's prior says of the frame whose post the chain confirmed."""

    posted: BridgeEnd | None
    posted_unreadable: str | None


@dataclass(frozen=True, slots=True)
class Subject:
    """What the keeper is configured to value: all assets and funds, and the chain whose blocks set the time.

    `gates` say whether a chain may be read at all; see `FramePlan`.
    """

    unit: str
    home_chain: str | None
    assets: Mapping[str, AssetPlan]
    funds: Mapping[str, FundPlan]
    gates: tuple[Reader[object], ...] = ()


class PolicySource(Protocol):
    """Where limits may change while the keeper runs."""

    @property
    def overrides(self) -> Mapping[str, Any]:
        """What is overridden now, by path, as plain JSON."""

    def refresh(self, subject: Subject) -> Subject:
        """The subject with the limits as they are now."""


class Planner:
    """Makes plans. Keeps the prior's prices, samples, rounds and last frames at hand, as far as it has seen them.

    Args:
        policies: asked before each plan of a slot; the subject's limits stay as they are when None.
    """

    def __init__(
        self,
        subject: Subject,
        store: Store | None,
        outboxes: Mapping[str, Outbox],
        *,
        now: Timestamp,
        policies: PolicySource | None = None,
    ) -> None:
        self.subject = subject
        self._policies = policies
        self._store = store
        self._outboxes = outboxes
        self._prices: dict[tuple[str, str], PriorPrice] = {}
        self._samples: list[Sample] = []
        self._rounds: dict[str, PriorRound] = {}
        self._last_frames: dict[str, PriorFrame] = {}
        self._posted: dict[str, tuple[str, BridgeEnd | None]] = {}
        self._gates = GatePriors(store)
        self._on_chain = frozenset(
            source.id for asset in subject.assets.values() for source in asset.sources if source.chain is not None
        )
        if store is not None:
            self._prices = {(price.asset, price.side): price for price in store.load_prior_prices()}
            self._samples = list(store.load_samples(Timestamp(now - SAMPLE_WINDOW)))

    @property
    def overrides(self) -> Mapping[str, Any]:
        """The limits that are overridden while the keeper runs, by path, as plain JSON: value, and what it replaces."""
        return {} if self._policies is None else self._policies.overrides

    def sample(self, at: Timestamp) -> FramePlan:
        """The sampler's plan: price everything, value nothing."""
        return FramePlan(
            slot_time=at,
            cadence=Cadence.HOURLY,
            unit=self.subject.unit,
            home_chain=self.subject.home_chain if self._samples_on_chain() else None,
            assets=self.subject.assets,
            funds=(),
            prior=Prior(prices=tuple(self._prices.values())),
            stop_after="price",
            gates=self.subject.gates,
        )

    async def slot(
        self,
        funds: Iterable[str],
        slot_time: Timestamp,
        cadence: Cadence,
        *,
        publish: bool,
        now: Timestamp,
        claims: Sequence[Claim] = (),
        first_looks: Mapping[str, FirstLook] | None = None,
        verifies: str | None = None,
    ) -> FramePlan:
        """The plan of one slot, from the NAVs that the chain confirms and what the store remembers.

        Raises:
            ChainError: a registry could not be read; without a baseline nothing is posted.
        """
        if self._policies is not None:
            self.subject = self._policies.refresh(self.subject)
        chosen = tuple(self.subject.funds[name] for name in funds)
        breakers = {} if self._store is None else self._store.load_breakers()
        return FramePlan(
            slot_time=slot_time,
            cadence=cadence,
            unit=self.subject.unit,
            home_chain=self.subject.home_chain,
            assets=self._assets_of(chosen),
            funds=chosen,
            prior=Prior(
                prices=tuple(self._prices.values()),
                samples=tuple(sample for sample in self._samples if sample.time > now - SAMPLE_WINDOW),
                funds=await self._fund_priors(chosen, first_looks or {}, now, breakers),
                rounds=tuple(self._rounds[source] for source in sorted(self._rounds)),
                asset_breakers={
                    subject.name: breakers[subject]
                    for subject in sorted(breakers, key=lambda subject: subject.name)
                    if subject.kind == "asset"
                },
            ),
            verifies=verifies,
            publish=publish,
            claims=tuple(claims),
            gates=self.subject.gates,
        )

    def absorb(self, frame: NavFrame) -> None:
        """Remember the frame's live prices: the last valid one of each asset and side, and a sample of each asset."""
        for (asset, side), estimate in frame.estimates.items():
            found = live_price(asset, side, estimate, frame.id)
            if found is None:
                continue
            known = self._prices.get((asset, side))
            if known is None or known.last_valid.observed_at <= found.last_valid.observed_at:
                self._prices[asset, side] = found
            if side == "asset" and (not self._samples or self._last_sample(asset) < frame.now):
                self._samples.append(Sample(asset, frame.now, found.last_valid.price, frame.id))
        for quote in frame.quotes:
            if quote.source in self._on_chain and quote.published_at is not None:
                self._rounds[quote.source] = PriorRound(quote.source, quote.published_at, frame.id)
        blocks = {stamp.chain: stamp.number for stamp in frame.stamps}
        for part in frame.funds:
            price = None if part.valuation is None else part.valuation.price_per_share
            self._last_frames[part.fund] = PriorFrame(frame.id, frame.now, price, blocks)
        self._gates.absorb(frame)
        horizon = frame.now - SAMPLE_WINDOW
        if self._samples and self._samples[0].time < horizon - SAMPLE_WINDOW:
            self._samples = [sample for sample in self._samples if sample.time >= horizon]

    def _samples_on_chain(self) -> bool:
        """Whether any price is read on a chain; otherwise the clock alone sets the time of a sample."""
        return any(
            reader.chain is not None
            for asset in self.subject.assets.values()
            for reader in (*asset.sources, asset.derived, asset.native)
            if reader is not None
        )

    def _last_sample(self, asset: str) -> Timestamp:
        return next((sample.time for sample in reversed(self._samples) if sample.asset == asset), Timestamp(0))

    def _assets_of(self, funds: tuple[FundPlan, ...]) -> Mapping[str, AssetPlan]:
        if len(funds) == len(self.subject.funds):
            return self.subject.assets
        whole = FramePlan(Timestamp(0), Cadence.HOURLY, self.subject.unit, None, self.subject.assets, funds, Prior())
        needed: dict[str, AssetPlan] = {}
        for fund in funds:
            needed.update(whole.for_fund(fund.fund).assets)
        return needed

    async def _fund_priors(
        self,
        funds: tuple[FundPlan, ...],
        first_looks: Mapping[str, FirstLook],
        now: Timestamp,
        breakers: Mapping[BreakerSubject, Breaker],
    ) -> dict[str, FundPrior]:
        priors = {fund.fund: FundPrior() if self._store is None else self._store.load_fund(fund.fund) for fund in funds}
        for target in sorted({fund.target for fund in funds if fund.target is not None}):
            if target not in self._outboxes:
                continue
            ids = {fund.fund: fund.fund_id for fund in funds if fund.target == target}
            for name, served in (await self._outboxes[target].publisher.confirmed(ids)).items():
                confirmed = self._in_unit_of_account(self.subject.funds[name], served)
                if confirmed is None:
                    continue
                frame, distributions = None, priors[name].distributions_per_share
                if self._store is not None:
                    frame = self._store.frame_of_post(name, confirmed.valuation_time)
                    distributions = self._store.distributions_since(name, confirmed.valuation_time, until=now)
                priors[name] = replace(
                    priors[name],
                    confirmed=replace(confirmed, frame=frame),
                    **self._posted_end(self.subject.funds[name], frame),
                    distributions_per_share=distributions,
                )
        gates = self._gates.of(funds, {name: prior.confirmed for name, prior in priors.items()}, now)
        return {
            name: replace(
                prior if self.subject.funds[name].vault is None else replace(prior, fees=FeeState(), fees_frame=None),
                first_look=first_looks.get(name),
                last_frame=self._last_frame(name, breakers, now),
                breaker=breakers.get(BreakerSubject("fund", name), Breaker()),
                rebase=None if self._store is None else self._store.rebase_of(name, now),
                gate=gates.get(name),
            )
            for name, prior in priors.items()
        }

    def _posted_end(self, fund: FundPlan, frame: str | None) -> PostedEnd:
        """What the frame of the confirmed post found; nothing without a vault, or where the post is not ours.

        Evidence that cannot be read stops this fund alone: the reason goes into its prior.
        """
        if fund.vault is None or frame is None or self._store is None:
            return PostedEnd(posted=None, posted_unreadable=None)
        known = self._posted.get(fund.fund)
        if known is None or known[0] != frame:
            try:
                end = bridge_end(self._store.evidence(frame, fund.fund))
            except GuardRefused as error:
                return PostedEnd(posted=None, posted_unreadable=error.message)
            known = self._posted[fund.fund] = frame, end
        return PostedEnd(posted=known[1], posted_unreadable=None)

    def _in_unit_of_account(self, fund: FundPlan, served: ConfirmedNav) -> ConfirmedNav | None:
        """What the contract serves, at the last valid price of the asset that it counts in.

        None where that price is not known: a contract that counts in another asset is no baseline then, and the post is
        held against the contract's own guards alone.
        """
        if fund.base is None:
            return served
        known = self._prices.get((fund.base, "asset"))
        if known is None:
            return None
        price = known.last_valid.price
        return replace(
            served,
            nav=None if served.nav is None else Wad(mul_div(served.nav, price, WAD, Rounding.DOWN)),
            price_per_share=Wad(mul_div(served.price_per_share, price, WAD, Rounding.DOWN)),
        )

    def _last_frame(self, fund: str, breakers: Mapping[BreakerSubject, Breaker], now: Timestamp) -> PriorFrame | None:
        """The fund's frame before this one; of the store where this process has seen none, or is to agree with it.

        A breaker that is half open may have been brought there by another keeper, whose frames this one has not seen.
        """
        breaker = breakers.get(BreakerSubject("fund", fund), Breaker())
        known = self._last_frames.get(fund)
        if self._store is None or (known is not None and breaker.state is not BreakerState.HALF_OPEN):
            return known
        rows = self._store.fund_frames(fund=fund, since=Timestamp(now - LAST_FRAME_WINDOW), limit=1)
        if not rows or (known is not None and rows[0].frame == known.frame):
            return known
        row = rows[0]
        frames = {frame.id: frame for frame in self._store.frames(since=row.now)}
        blocks = {stamp.chain: stamp.number for stamp in frames[row.frame].stamps} if row.frame in frames else {}
        price = None if row.values is None else row.values.price_per_share
        return PriorFrame(row.frame, row.now, price, blocks)


def live_price(asset: str, side: Side, estimate: PriceEstimate, frame: str) -> PriorPrice | None:
    """The estimate as a last valid price; None unless it is live (a decayed price never becomes one)."""
    if estimate.status is not PriceStatus.LIVE or estimate.price is None or estimate.as_of is None:
        return None
    return PriorPrice(asset, side, LastValid(estimate.price, estimate.confidence, estimate.as_of), frame)
