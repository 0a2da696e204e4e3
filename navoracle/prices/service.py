"""What sources that ask a service over HTTP have in common."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import Rounding, Timestamp, Wad
from navoracle.ports import HttpGet
from navoracle.prices.base import SourceBase
from navoracle.readers import Name, Seconds
from navoracle.services import check_service_url, decimal_of, whole_of

PRICE_PLACES: Final = 18

ServiceUrl = Annotated[
    str,
    BeforeValidator(check_service_url),
    WithJsonSchema({"type": "string", "pattern": "^https?://", "description": "https, or http to this machine."}),
]
"""The address of a service, without a slash at its end."""


class ServiceSource(SourceBase, frozen=True):
    """A price asked of a service over HTTP.

    Attributes:
        base_url: the service's address, up to the path that the source appends.
        credential: the configured credential that is sent along; None where none is needed.
        max_age: seconds after which the price is too old.
    """

    base_url: ServiceUrl
    credential: Name | None = None
    max_age: Seconds = 300

    @property
    def chain(self) -> None:
        """Services are read off chain."""
        return

    @property
    def quote_currency(self) -> str | None:
        """The currency that the service states its price in; None where nothing tells."""
        return None

    def get(self, path_and_query: str) -> HttpGet:
        """The request of a path under `base_url`; equal sources make equal requests."""
        return HttpGet(f"{self.base_url}{path_and_query}", self.credential)

    def price_of(self, value: object) -> Wad:
        """A price of an answer, rounded down.

        Raises:
            SourceRefused: it is null, not positive, or less than 1e-18.
            MalformedResult: it is no number.
        """
        if value is None:
            raise SourceRefused(
                f"{self.id}: the price is null", advice="The service has no price of this asset now; look at another."
            )
        price = decimal_of(value, PRICE_PLACES, Rounding.DOWN, f"{self.id}: price")
        if price <= 0:
            raise SourceRefused(
                f"{self.id}: price {value} is not positive, or less than 1e-18",
                advice="Check what the service says of this asset; a price of zero or less is never used.",
            )
        return Wad(price)

    def time_of(self, value: object, name: str) -> Timestamp:
        """A time of an answer in Unix seconds.

        Raises:
            SourceRefused: it is null or zero: the service does not say of when its price is.
            MalformedResult: it is no whole number.
        """
        time = 0 if value is None else whole_of(value, f"{self.id}: {name}")
        if time == 0:
            raise SourceRefused(
                f"{self.id}: {name} is {'null' if value is None else value}: nothing says of when the price is",
                advice="The service marks stale prices so; look at another source.",
            )
        return Timestamp(time)
