"""Trades: the transfers of what funds hold, held against the funds' NAV as they are mined.

The size of a trade is what one transaction moved in one direction: what went out of the fund, or what came in,
whichever is more. The two are not netted, because a swap at a bad price is as large as one at a good price. A transfer
from one holder of a fund to another, of a token that is counted at both, is no trade; what is owed counts the other way
round (a loan that comes in is owed in the same transaction).

Native coins leave no logs, and tokens that the configuration does not name are not asked for: neither is seen here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from navoracle.domain.cadence import trade_exceeds
from navoracle.domain.frame import NavFrame
from navoracle.domain.prices import PriceStatus
from navoracle.domain.prior import PriorPrice
from navoracle.domain.units import BPS, SCALES, WAD, Bps, Rounding, Wad, divide, format_wad, mul_div
from navoracle.ports import Address, Log, LogFilter, LogSource

TRANSFER: Final = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""keccak-256 of "Transfer(address,address,uint256)"."""

MAX_ALTERNATIVES: Final = 100
"""Most addresses in one place of a filter; nodes refuse very long lists."""

MAX_TRADES: Final = 10_000
"""Most transactions whose legs are remembered; the oldest are forgotten first."""

RATE_SECONDS: Final = 3_600.0
RATE_RETRY_SECONDS: Final = 60.0

TokenRate: TypeAlias = tuple[int, int]
"""Raw units of the asset for raw units of the token, as numerator and denominator: (1_050_000, 10**18)."""


@dataclass(frozen=True, slots=True)
class TradeSubject:
    """A token that a fund holds or owes somewhere.

    Attributes:
        fund, chain: whose, and where.
        holder, token: whose transfers of which token count.
        asset: the configured asset that prices it.
        decimals: of the asset's raw units: the token's own, unless `at_rate`.
        owed: whether the token counts a debt.
        at_rate: whether a raw unit of the token is worth something else than one of the asset (vault shares).
    """

    fund: str
    chain: str
    holder: Address
    token: Address
    asset: str
    decimals: int
    owed: bool = False
    at_rate: bool = False


@dataclass(frozen=True, slots=True)
class SeenTrade:
    """A trade that asks for an emergency, and its block: what is valued before that block knows nothing of it."""

    fund: str
    reason: str
    chain: str
    block: int


class LatestValues:
    """The last live price of each asset, and the last NAV of each fund, as frames brought them.

    Args:
        unit: the unit of account, worth exactly one.
        prices: what is known from before.
        navs: the funds' NAVs (Wad) that are known from before.
    """

    def __init__(self, unit: str, prices: Iterable[PriorPrice] = (), navs: Mapping[str, Wad] | None = None) -> None:
        self._prices = {each.asset: each.last_valid.price for each in prices if each.side == "asset"}
        self._prices[unit] = Wad(WAD)
        self._navs = dict(navs or {})

    def observe(self, frame: NavFrame) -> None:
        """Take in a frame: live prices only, and NAVs where a fund could be valued."""
        for (asset, side), estimate in frame.estimates.items():
            if side == "asset" and estimate.status is PriceStatus.LIVE and estimate.price is not None:
                self._prices[asset] = estimate.price
        for found in frame.funds:
            if found.valuation is not None:
                self._navs[found.fund] = found.valuation.after.nav

    def start_from(self, fund: str, nav: Wad) -> None:
        """What the chain serves of a fund (Wad), until a frame values it."""
        self._navs.setdefault(fund, nav)

    def price(self, asset: str) -> Wad | None:
        """The price (Wad per whole token); None when it was never known."""
        return self._prices.get(asset)

    def nav(self, fund: str) -> Wad | None:
        """The NAV (Wad); None when it was never known."""
        return self._navs.get(fund)


class TradeWatch:
    """Watches the transfers of one chain, and asks for an emergency where one transaction moves too much.

    What cannot be judged is not let pass: a transfer of a token whose price or rate is not known, or of a fund whose
    NAV is not known, asks for an emergency as well. An amount of zero is none, whatever the price.

    Args:
        source: the chain's logs.
        subjects: what is watched; those of other chains are left out.
        price: an asset's last live price (Wad per whole token), None when it is not known.
        nav: a fund's last NAV (Wad), None when it is not known.
        on_trade: told once per transaction and fund. It must not raise, and not take long.
        limit_bps: what a trade may move, of NAV; above it is an emergency.
        read_rates: the rates of the tokens `at_rate`, as far as they can be read; asked at the start and every hour.
        sleep: how to wait between two readings of rates.
    """

    def __init__(
        self,
        source: LogSource,
        subjects: Iterable[TradeSubject],
        *,
        price: Callable[[str], Wad | None],
        nav: Callable[[str], Wad | None],
        on_trade: Callable[[SeenTrade], None],
        limit_bps: Bps = Bps(1_000),
        read_rates: Callable[[], Awaitable[Mapping[Address, TokenRate]]] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._source = source
        self._price = price
        self._nav = nav
        self._on_trade = on_trade
        self._limit_bps = limit_bps
        self._read_rates = read_rates
        self._sleep = sleep
        self._rates: dict[str, TokenRate] = {}
        self._trades: dict[tuple[str, str, str], _Trade] = {}
        self._subjects: dict[tuple[str, str], dict[str, TradeSubject]] = {}
        for subject in subjects:
            if subject.chain == source.chain:
                place = subject.token.lower(), subject.holder.lower()
                self._subjects.setdefault(place, {}).setdefault(subject.fund, subject)
        watched = [subject for by_fund in self._subjects.values() for subject in by_fund.values()]
        self.filters = transfer_filters(watched)
        self._at_rate = {subject.token.lower() for subject in watched if subject.at_rate}

    @property
    def chain(self) -> str:
        """The configuration's name of the chain."""
        return self._source.chain

    async def run(self) -> None:
        """Watch until cancelled; at once over where there is nothing to watch. No failure of a node is raised."""
        if not self.filters:
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._source.follow(self.filters, self.take))
            if self._at_rate and self._read_rates is not None:
                group.create_task(self._keep_rates(self._read_rates))

    def take(self, logs: Sequence[Log]) -> None:
        """Take in what was mined, each log once, in any order; `on_trade` is called before this returns."""
        touched: dict[tuple[str, str, str], tuple[_Trade, int]] = {}
        for log in logs:
            for key, trade in self._add(log):
                touched[key] = trade, log.block_number
        for (fund, _, transaction), (trade, block) in touched.items():
            reason = None if trade.told else self._reason(fund, trade)
            if reason is not None:
                trade.told = True
                self._on_trade(SeenTrade(fund, f"{reason} in {transaction}", self.chain, block))
        while len(self._trades) > MAX_TRADES:
            del self._trades[next(iter(self._trades))]

    async def _keep_rates(self, read_rates: Callable[[], Awaitable[Mapping[Address, TokenRate]]]) -> None:
        while True:
            self._rates |= {token.lower(): rate for token, rate in (await read_rates()).items()}
            await self._sleep(RATE_SECONDS if self._at_rate <= self._rates.keys() else RATE_RETRY_SECONDS)

    def _add(self, log: Log) -> Iterator[tuple[tuple[str, str, str], _Trade]]:
        """Add a transfer to the trades that it belongs to."""
        # Transfers of an NFT have the same first topic, and a fourth one.
        if len(log.topics) != 3 or log.topics[0] != TRANSFER or len(log.data) != 32:
            return
        amount = int.from_bytes(log.data, "big")
        if amount == 0:
            return
        token = log.address.lower()
        sent, received = (self._subjects.get((token, _account(topic)), {}) for topic in log.topics[1:])
        for fund in sent.keys() ^ received.keys():
            subject = sent[fund] if fund in sent else received[fund]
            key = fund, log.block_hash, log.transaction
            trade = self._trades.setdefault(key, _Trade())
            value = self._value(subject, amount)
            if value is None:
                trade.unvalued.add(subject.asset)
            elif (fund in sent) != subject.owed:
                trade.out += value
            else:
                trade.into += value
            yield key, trade

    def _value(self, subject: TradeSubject, amount: int) -> int | None:
        """What raw units of the subject's token are worth (Wad, rounded up); None when that is not known."""
        price = self._price(subject.asset)
        rate = self._rates.get(subject.token.lower()) if subject.at_rate else (1, 1)
        if price is None or rate is None:
            return None
        return mul_div(amount * rate[0], price, SCALES[subject.decimals] * rate[1], Rounding.UP)

    def _reason(self, fund: str, trade: _Trade) -> str | None:
        """Why the trade is an emergency; None when it is none."""
        if trade.unvalued:
            return f"transfer of {', '.join(sorted(trade.unvalued))} without a known price"
        size, nav = Wad(max(trade.out, trade.into)), self._nav(fund)
        if nav is None:
            return f"trade of {_amount(size)} without a known NAV"
        if not trade_exceeds(size, nav, self._limit_bps):
            return None
        if nav <= 0:
            return f"trade of {_amount(size)} with a NAV of {format_wad(nav, 2)}"
        return f"trade of {_amount(size)} ({_percent(size, nav)} % of NAV)"


@dataclass(slots=True)
class _Trade:
    """What one transaction moved of one fund (Wad), and the assets of what could not be valued."""

    out: int = 0
    into: int = 0
    unvalued: set[str] = field(default_factory=set)
    told: bool = False


def transfer_filters(subjects: Iterable[TradeSubject]) -> tuple[LogFilter, ...]:
    """Filters that match every transfer of a subject's token from or to its holder, and few others."""
    holders: dict[Address, set[Address]] = {}
    for subject in subjects:
        holders.setdefault(subject.token, set()).add(subject.holder)
    filters = []
    for tokens in _chunks(sorted(holders)):
        for accounts in _chunks(sorted(set().union(*(holders[token] for token in tokens)))):
            topics = tuple("0x" + account[2:].lower().rjust(64, "0") for account in accounts)
            filters.append(LogFilter(tokens, ((TRANSFER,), topics)))
            filters.append(LogFilter(tokens, ((TRANSFER,), None, topics)))
    return tuple(filters)


def _chunks(addresses: Sequence[Address]) -> Iterator[tuple[Address, ...]]:
    for start in range(0, len(addresses), MAX_ALTERNATIVES):
        yield tuple(addresses[start : start + MAX_ALTERNATIVES])


def _account(topic: str) -> str:
    return "0x" + topic[-40:]


def _amount(value: int) -> str:
    """A Wad for people: two places, rounded up, with thousands apart."""
    whole, cents = divmod(divide(value, WAD // 100, Rounding.UP), 100)
    return f"{whole:,}.{cents:02d}"


def _percent(part: int, whole: int) -> str:
    """A part in percent with one place, rounded up."""
    percent, tenths = divmod(mul_div(part, BPS // 10, whole, Rounding.UP), 10)
    return f"{percent}.{tenths}"
