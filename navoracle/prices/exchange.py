"""The middle of an exchange's order book, through ccxt's unified ticker.

The last trade is not used: on a thin market it may be hours old. Many exchanges state no time with a ticker; the time
of reading is not taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from navoracle.domain.errors import SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.prices.source_confidence import (
    EXCHANGE,
    UNKNOWN_TIME_CAP,
    dispersion_factor,
    source_confidence,
)
from navoracle.domain.units import Bps, Rounding, Timestamp, Wad, exceeds_bps
from navoracle.ports import ExchangeCall, Read, ReadPoint
from navoracle.prices.base import SourceBase
from navoracle.readers import BasisPoints, Name, Seconds
from navoracle.services import decimal_of, decode_object, whole_of

MILLISECONDS: Final = 1_000
PLACES: Final = 18

_SPOT = re.compile(r"([A-Z0-9.]+)/([A-Z0-9.]+)")
_PATTERN: Final = r"^[A-Z0-9.]+/[A-Z0-9.]+$"


def _check_symbol(value: object) -> str:
    if not isinstance(value, str) or _SPOT.fullmatch(value) is None:
        raise ValueError(f'{value!r} is not a spot market: write base and quote as "ETH/USDT"')
    return value


class ExchangeSource(SourceBase, frozen=True):
    """The middle of best bid and best ask of a spot market.

    Confidence is `confidence` times the dispersion factor of half the spread. A ticker without a time counts as
    observed at the oldest time that is still accepted and is at most 50 % sure (ADR 0009).

    Attributes:
        exchange: the configured exchange.
        symbol: ccxt's name of the market, "ETH/USDT"; its quote must be the asset `quoted_in`, or else the unit of
            account: a dollar coin is not a dollar.
        max_spread_bps: the widest spread, of the middle, that is accepted.
        max_age: seconds after which a ticker is too old.
    """

    kind: Literal["exchange"]
    exchange: Name
    symbol: Annotated[str, BeforeValidator(_check_symbol), Field(pattern=_PATTERN)]
    max_spread_bps: BasisPoints = Bps(100)
    max_age: Seconds = 300
    confidence: BasisPoints = EXCHANGE

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.quoted_in is not None and self.quoted_in != self.quote_currency:
            raise ValueError(
                f"{self.symbol} is quoted in {self.quote_currency}, not in {self.quoted_in}: "
                f"write `quoted_in: {self.quote_currency}`"
            )
        return self

    @property
    def chain(self) -> None:
        """Exchanges are read off chain."""
        return

    @property
    def quote_currency(self) -> str:
        """The currency that the market is quoted in."""
        return self.symbol.partition("/")[2]

    @property
    def request(self) -> ExchangeCall:
        """What is asked."""
        return ExchangeCall(self.exchange, "fetch_ticker", self.symbol)

    def read(self, at: ReadPoint) -> Read[Quote]:
        """Read the middle of bid and ask, rounded down.

        Raises:
            SourceRefused: another market's ticker; a bid or ask that is missing, not positive or crossed; too wide a
                spread.
            MalformedResult: the answer is of another shape.
        """
        (data,) = yield (self.request,)
        ticker = decode_object(data, self.id)
        if ticker.get("symbol") != self.symbol:
            raise SourceRefused(
                f"{self.id}: the ticker is of {ticker.get('symbol')}, not of {self.symbol}",
                advice="Check the market's name on this exchange.",
            )
        bid, ask = self._side(ticker, "bid"), self._side(ticker, "ask")
        if bid > ask:
            raise SourceRefused(
                f"{self.id}: bid {ticker['bid']} above ask {ticker['ask']}",
                advice="The book is crossed: the exchange is out of order or the answer is mixed; wait.",
            )
        # Of the middle (bid + ask) / 2: the spread is ask - bid, half of it (ask - bid) / 2.
        if exceeds_bps(2 * (ask - bid), bid + ask, self.max_spread_bps):
            raise SourceRefused(
                f"{self.id}: bid {ticker['bid']} and ask {ticker['ask']} are more than {self.max_spread_bps} bps apart",
                advice="The market is too thin to price by; wait, or look at other sources.",
            )
        confidence = source_confidence(self.confidence, dispersion_factor(ask - bid, bid + ask))
        return self._quote(Wad((bid + ask) // 2), confidence, ticker.get("timestamp"), at.now)

    def _side(self, ticker: Mapping[str, Any], name: str) -> int:
        value = ticker.get(name)
        if value is None:
            raise SourceRefused(
                f"{self.id}: the ticker has no {name}",
                advice="The book is empty on that side, or the exchange's ticker leaves it out; the last trade is no "
                "substitute.",
            )
        price = decimal_of(value, PLACES, Rounding.DOWN, f"{self.id}: {name}")
        if price <= 0:
            raise SourceRefused(
                f"{self.id}: {name} {value} is not positive, or less than 1e-18",
                advice="Check the market; a price of zero or less is never used.",
            )
        return price

    def _quote(self, price: Wad, confidence: Bps, timestamp: object, now: Timestamp) -> Quote:
        if timestamp is None:
            oldest = Timestamp(max(0, now - self.max_age))
            return self.quote(price, confidence, oldest, max_age=self.max_age, confidence_cap=UNKNOWN_TIME_CAP)
        time = Timestamp(whole_of(timestamp, f"{self.id}: timestamp") // MILLISECONDS)
        return self.quote(price, confidence, time, max_age=self.max_age, published_at=time)
