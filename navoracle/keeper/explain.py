"""Look-through: the tree from a number down to the raw bytes that it came from.

Pure: what a frame collected and computed goes in, a tree of lines comes out. Every figure is exact (18 decimals).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from navoracle.abi import known_signature
from navoracle.domain.frame import FundFrame
from navoracle.domain.nav import FundValuation
from navoracle.domain.prices import PriceEstimate, PriceStatus, Quote
from navoracle.domain.units import Timestamp, format_wad
from navoracle.domain.valuation import PositionValue, PriceKey
from navoracle.keeper.evidence import describe_request
from navoracle.keeper.plan import AssetPlan, FramePlan
from navoracle.keeper.pricing import LEG_NOT_LIVE, Prices
from navoracle.keeper.session import Readings
from navoracle.keeper.valuing import row_names
from navoracle.ports import Call, PriceSource, ProtocolRate, Reader


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the tree: what it is, its value, what is to be said of it, and what it rests on."""

    what: str
    value: str | None = None
    notes: tuple[str, ...] = ()
    children: tuple[Line, ...] = ()


class Explainer:
    """Explains the figures of one frame. A price is explained where it is first used, and named after that.

    Args:
        plan, readings, prices, now: what the frame was asked, what it read, what it estimated, and its time.
    """

    def __init__(self, plan: FramePlan, readings: Readings, prices: Prices, now: Timestamp) -> None:
        self._plan = plan
        self._readings = readings
        self._prices = prices
        self._now = now
        self._last = {(price.asset, price.side): price for price in plan.prior.prices}
        self._quotes: dict[str, Quote] = {quote.source: quote for quote in prices.quotes}
        self._told: set[PriceKey] = set()

    def fund(self, found: FundFrame) -> Line:
        """The fund's NAV: components, positions, prices, raw answers; or why it has none."""
        fund = next(fund for fund in self._plan.funds if fund.fund == found.fund)
        owners = {
            name: reader.id
            for reader in fund.positions
            for position in self._readings.values.get(reader.id, ())
            for name in row_names(position)
        }
        notes = [f"status {found.status.value}" + (f": {found.reason}" if found.reason else "")]
        notes += [f"counted as zero, immaterial and without a price: {name}" for name in found.immaterial]
        if found.valuation is None:
            failed = tuple(self._reader(reader) for reader in (*fund.positions, fund.supply) if self._failed(reader.id))
            unpriced = tuple(
                self.price(*key)
                for key in fund_keys(fund.positions)
                if (estimate := self._prices.estimates.get(key)) is not None and estimate.price is None
            )
            return Line(f"NAV of {found.fund}", "none", tuple(notes), (*failed, *unpriced))
        valuation = found.valuation
        children = [
            self._component(name, amount, valuation, owners)
            for name, amount in valuation.after._asdict().items()
            if name != "fees"
        ]
        children.append(self._fees(valuation))
        children.append(self._shares(valuation, self._reader(fund.supply)))
        children.append(guards_of(found))
        if valuation.undecayed_nav != valuation.before.nav:
            notes.append(f"without the haircuts of old prices {format_wad(valuation.undecayed_nav)}")
        notes.append(f"before queued deposits {format_wad(valuation.before.nav)}")
        return Line(
            f"NAV of {found.fund}",
            format_wad(valuation.after.nav),
            (*notes, f"confidence {percent(valuation.confidence)}"),
            tuple(child for child in children if child.children or child.value not in (None, format_wad(0))),
        )

    def price(self, asset: str, side: str) -> Line:
        """An asset's price on one side: votes and quotes, the protocol's rate, the fallback, raw answers."""
        key: PriceKey = (asset, "debt" if side == "debt" else "asset")
        estimate = self._prices.estimates.get(key)
        if estimate is None:
            return Line(f"price of {asset} ({side})", "none", ("the frame did not estimate it",))
        value = "none" if estimate.price is None else format_wad(estimate.price)
        what = f"price of {asset} ({side})"
        if asset == self._plan.unit:
            return Line(what, value, ("the unit of account, by definition",))
        if key in self._told:
            return Line(what, value, ("explained above",))
        self._told.add(key)
        plan = self._plan.asset(asset)
        children = [self._source(source, estimate) for source in plan.sources]
        children += self._rates(plan, key)
        if estimate.status is PriceStatus.ESTIMATED:
            children += self._fallback(key)
        return Line(what, value, self._price_notes(plan, estimate), tuple(children))

    def _price_notes(self, plan: AssetPlan, estimate: PriceEstimate) -> tuple[str, ...]:
        notes = [estimate.status.value + (f": {estimate.reason}" if estimate.reason else "")]
        notes.append(f"confidence {percent(estimate.confidence)}")
        if plan.derived is None:
            votes = ", ".join(f"{vote.group} {format_wad(vote.price)}" for vote in estimate.votes) or "none"
            notes.append(f"votes: {votes} ({plan.policy.method}, at least {plan.policy.min_sources} groups)")
        if estimate.spread_bps is not None:
            notes.append(f"spread {estimate.spread_bps} bps")
        if estimate.native_gap_bps is not None:
            alarm = ", beyond the alarm band" if estimate.native_alarm else ""
            notes.append(f"{estimate.native_gap_bps} bps from the protocol's rate{alarm}")
        elif estimate.native_alarm:
            notes.append("the protocol's rate could not be compared")
        return tuple(notes)

    def _source(self, source: PriceSource, estimate: PriceEstimate) -> Line:
        quote = self._quotes.get(source.id)
        if quote is None:
            return self._reader(source)
        reason = next((reason for name, reason in estimate.excluded if name == source.id), None)
        if reason is not None:
            standing = f"excluded: {reason}"
        else:
            standing = "used" if source.id in estimate.used else "not needed: there is no live price"
        notes = [f"group {quote.group}", standing, f"confidence {percent(quote.confidence)}"]
        limit = self._plan.asset(quote.asset).policy.max_age if quote.max_age is None else quote.max_age
        notes.append(f"{self._now - quote.observed_at} s old, limit {limit} s")
        if quote.published_at is not None:
            age = self._now - quote.published_at
            notes.append(f"published {age} s ago" if age >= 0 else f"published {-age} s ahead of the block")
        children = self._reads(source.id)
        if source.quoted_in is not None:
            notes.append(f"quoted in {source.quoted_in}")
            if reason == LEG_NOT_LIVE or source.id in estimate.used:
                children = (*children, self.price(source.quoted_in, "asset"))
        return Line(f"source {source.id}", format_wad(quote.price), tuple(notes), children)

    def _rates(self, plan: AssetPlan, key: PriceKey) -> list[Line]:
        lines: list[Line] = []
        for rate, role in ((plan.derived, "derived through"), (plan.native, "cross-checked with")):
            if rate is None:
                continue
            found: ProtocolRate | None = self._readings.values.get(rate.id)
            if found is None:
                lines.append(self._reader(rate))
                continue
            figure = format_wad(found.higher if key[1] == "debt" else found.lower)
            notes = [f"{role} {rate.base}", f"confidence {percent(found.confidence)}"]
            if found.higher != found.lower:
                notes.append(f"an asset takes {format_wad(found.lower)}, a debt {format_wad(found.higher)}")
            children = (*self._reads(rate.id), self.price(rate.base, key[1]))
            lines.append(Line(f"rate {rate.id}", figure, tuple(notes), children))
        return lines

    def _fallback(self, key: PriceKey) -> list[Line]:
        last = self._last.get(key)
        if last is None:
            return []
        known = last.last_valid
        notes = (
            f"of frame {last.frame}",
            f"{self._now - known.observed_at} s old",
            f"confidence {percent(known.confidence)}",
        )
        return [Line("last valid price", format_wad(known.price), notes)]

    def _component(self, name: str, amount: int, valuation: FundValuation, owners: Mapping[str, str]) -> Line:
        rows = [row for row in valuation.positions if row.component.value == name]
        children = tuple(self._position(row, owners) for row in rows)
        return Line(name.replace("_", " "), format_wad(amount), (), children)

    def _position(self, row: PositionValue, owners: Mapping[str, str]) -> Line:
        side = "debt" if row.component.is_liability else "asset"
        notes = [
            f"{row.amount.value} units of {row.amount.decimals} decimals x {format_wad(row.price)}",
            f"confidence {percent(row.confidence)}",
        ]
        if row.undecayed != row.value:
            notes.append(f"without haircut {format_wad(row.undecayed)}")
        if row.epoch is not None:
            notes.append(f"queued in epoch {row.epoch}")
        reads = self._reads(owners[row.position])
        return Line(
            f"position {row.position}", format_wad(row.value), tuple(notes), (*reads, self.price(row.asset, side))
        )

    def _fees(self, valuation: FundValuation) -> Line:
        fees = valuation.fees
        parts = (("management", fees.management), ("performance", fees.performance), ("withdrawal", fees.withdrawal))
        return Line(
            "fees payable",
            format_wad(fees.total),
            (),
            tuple(Line(name, format_wad(amount)) for name, amount in parts if amount),
        )

    def _shares(self, valuation: FundValuation, supply: Line) -> Line:
        return Line(
            "price per share",
            format_wad(valuation.price_per_share),
            (f"NAV before queued deposits / {format_wad(valuation.shares)} shares, rounded down",),
            (supply,),
        )

    def _reader(self, reader: Reader[object]) -> Line:
        failure = self._readings.failure(reader.id)
        notes = () if failure is None else (f"{failure.code}: {failure.message}", f"advice: {failure.advice}")
        return Line(f"reader {reader.id}", "failed" if failure else None, notes, self._reads(reader.id))

    def _failed(self, reader: str) -> bool:
        return self._readings.failure(reader) is not None

    def _reads(self, reader: str) -> tuple[Line, ...]:
        lines = []
        for chain, request in self._readings.asked.get(reader, ()):
            answer = self._readings.answers[chain, request]
            kind, fields = describe_request(request)
            where = "off chain" if chain is None else chain
            said = f"0x{answer.data.hex()}" if answer.failure is None else f"{answer.failure} 0x{answer.data.hex()}"
            asked = known_signature(request.data) if isinstance(request, Call) else None
            what = f"{kind} ({where})" if asked is None else f"{kind} {asked} ({where})"
            lines.append(Line(what, said, tuple(f"{name} {text}" for name, text in fields.items())))
        return tuple(lines)


def guards_of(found: FundFrame) -> Line:
    """What every guard said of the fund."""
    return Line(
        "guards",
        None,
        (),
        tuple(Line(verdict.check, verdict.outcome.value, (verdict.detail,)) for verdict in found.verdicts),
    )


def fund_keys(readers: Iterable[Reader[object]]) -> tuple[PriceKey, ...]:
    """The prices that position readers need, in a stable order."""
    keys: set[PriceKey] = set()
    for reader in readers:
        keys.update(getattr(reader, "assets", ()))
    return tuple(sorted(keys))


def percent(bps: int) -> str:
    """Basis points as per cent, exactly."""
    return f"{bps // 100}.{bps % 100:02d} %"
