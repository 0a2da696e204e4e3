"""DefiLlama's current price of a token. Where it relays CoinGecko it belongs in CoinGecko's group."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from navoracle.domain.errors import SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.prices.source_confidence import AGGREGATOR, source_confidence
from navoracle.domain.units import WAD, Rounding, Wad
from navoracle.ports import HttpGet, Read, ReadPoint
from navoracle.prices.service import PRICE_PLACES, ServiceSource, ServiceUrl
from navoracle.readers import BasisPoints
from navoracle.services import decimal_of, decode_object, json_object


class DefiLlamaSource(ServiceSource, frozen=True):
    """`/prices/current/{coin}`: US dollars per whole token. Its own confidence (0 to 1) multiplies `confidence`.

    Attributes:
        coin: chain and address ("ethereum:0x..."), or another of its identifiers ("coingecko:usd-coin").
        base_url: where the service is.
    """

    kind: Literal["defillama"]
    base_url: ServiceUrl = "https://coins.llama.fi"
    coin: Annotated[str, Field(pattern=r"^[a-z0-9_-]+:[A-Za-z0-9._-]+$")]
    confidence: BasisPoints = AGGREGATOR

    @property
    def quote_currency(self) -> str:
        """The currency that the price is stated in."""
        return "USD"

    @property
    def request(self) -> HttpGet:
        """What is asked."""
        return self.get(f"/prices/current/{self.coin}")

    def read(self, at: ReadPoint) -> Read[Quote]:
        """Read the price as of its timestamp; more than 18 decimals are rounded down.

        Raises:
            SourceRefused: DefiLlama has no price of the coin, or states no time, or no confidence from 0 to 1.
            MalformedResult: the answer is of another shape.
        """
        (data,) = yield (self.request,)
        coins = json_object(decode_object(data, self.id).get("coins"), f"{self.id}: coins")
        # An address comes back in the letter case of its own list.
        found = [value for key, value in coins.items() if key.lower() == self.coin.lower()]
        if len(found) != 1:
            raise SourceRefused(
                f"{self.id}: DefiLlama answered {len(found)} prices of {self.coin}, not one",
                advice="Check chain and address; a coin that it does not price is left out of the answer.",
            )
        stated = json_object(found[0], f"{self.id}: {self.coin}")
        price = self.price_of(stated.get("price"))
        time = self.time_of(stated.get("timestamp"), "timestamp")
        confidence = source_confidence(self.confidence, self._factor(stated.get("confidence")))
        return self.quote(price, confidence, time, max_age=self.max_age, published_at=time)

    def _factor(self, value: object) -> Wad:
        factor = -1 if value is None else decimal_of(value, PRICE_PLACES, Rounding.DOWN, f"{self.id}: confidence")
        if not 0 <= factor <= WAD:
            raise SourceRefused(
                f"{self.id}: DefiLlama's confidence is {'null' if value is None else value}, not 0 to 1",
                advice="Look at the service's answer; without its confidence nothing says how thin the market is.",
            )
        return Wad(factor)
