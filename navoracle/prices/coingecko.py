"""CoinGecko's average of exchanges. It is not independent of the exchanges that it averages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from navoracle.domain.errors import SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.prices.source_confidence import AGGREGATOR
from navoracle.ports import HttpGet, Read, ReadPoint
from navoracle.prices.service import ServiceSource, ServiceUrl
from navoracle.readers import BasisPoints
from navoracle.services import decode_object, json_object


class CoinGeckoSource(ServiceSource, frozen=True):
    """`/simple/price` of one coin, at full precision and with its time.

    Attributes:
        base_url: the public service, or the paid one together with `credential`.
        coin: CoinGecko's id of the coin ("usd-coin"), not its ticker.
        vs_currency: what the price is stated in; `quoted_in` names the asset when that is not the unit of account.
    """

    kind: Literal["coingecko"]
    base_url: ServiceUrl = "https://api.coingecko.com/api/v3"
    coin: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    vs_currency: Annotated[str, Field(pattern="^[a-z]{3,5}$")] = "usd"
    confidence: BasisPoints = AGGREGATOR

    @property
    def quote_currency(self) -> str:
        """The currency that the price is stated in."""
        return self.vs_currency.upper()

    @property
    def request(self) -> HttpGet:
        """What is asked."""
        return self.get(
            f"/simple/price?ids={self.coin}&vs_currencies={self.vs_currency}"
            "&include_last_updated_at=true&precision=full"
        )

    def read(self, at: ReadPoint) -> Read[Quote]:
        """Read the price as of `last_updated_at`; more than 18 decimals are rounded down.

        Raises:
            SourceRefused: CoinGecko does not know the coin (it answers `{}`), or its price or time is null.
            MalformedResult: the answer is of another shape.
        """
        (data,) = yield (self.request,)
        body = decode_object(data, self.id)
        if self.coin not in body:
            raise SourceRefused(
                f"{self.id}: CoinGecko knows no coin {self.coin}",
                advice="Check the id: it is the one in the address of the coin's page, not its ticker.",
            )
        stated = json_object(body[self.coin], f"{self.id}: {self.coin}")
        price = self.price_of(stated.get(self.vs_currency))
        updated = self.time_of(stated.get("last_updated_at"), "last_updated_at")
        return self.quote(price, self.confidence, updated, max_age=self.max_age, published_at=updated)
