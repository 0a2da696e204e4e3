"""Pyth prices over HTTP, from Hermes: what the network said last, without the signatures that contracts check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, Self

from pydantic import model_validator

from navoracle.domain.errors import MalformedResult, SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.prices.source_confidence import AGGREGATOR, WIDE_BPS
from navoracle.domain.units import Bps, Timestamp
from navoracle.ports import HttpGet, Read, ReadPoint
from navoracle.prices.pyth_price import PriceId, PythPrice, check_interval, check_price, confidence_of, wad_of
from navoracle.prices.service import ServiceSource
from navoracle.readers import BasisPoints
from navoracle.services import decode_object, json_array, json_object

_INTEGER = re.compile(r"-?[0-9]{1,20}")
_MEMBERS: Final = {"spot": "price", "ema": "ema_price"}


class HermesSource(ServiceSource, frozen=True):
    """The latest price of one Pyth feed. Nothing proves it, so it weighs as an unsigned price (ADR 0009).

    Attributes:
        price_id: the feed's 32-byte id.
        price: the aggregate price, or its exponential moving average.
        max_confidence_bps: the widest confidence interval, of the price, that is accepted.
    """

    kind: Literal["hermes"]
    price_id: PriceId
    price: Literal["spot", "ema"] = "spot"
    max_confidence_bps: BasisPoints = Bps(200)
    confidence: BasisPoints = AGGREGATOR

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.max_confidence_bps >= WIDE_BPS:
            raise ValueError(f"an interval of {WIDE_BPS} bps leaves no confidence: set `max_confidence_bps` below that")
        return self

    @property
    def request(self) -> HttpGet:
        """What is asked."""
        return self.get(f"/v2/updates/price/latest?ids[]={self.price_id}&parsed=true")

    def read(self, at: ReadPoint) -> Read[Quote]:
        """Read the price as of its publish time; more than 18 decimals are rounded down.

        Raises:
            SourceRefused: the answer lacks the feed; the price is not positive, was never published, has an exponent
                outside -20 to 12 or too wide an interval.
            MalformedResult: the answer is of another shape.
        """
        (data,) = yield (self.request,)
        stated = self._stated(decode_object(data, self.id))
        check_price(self, stated)
        check_interval(self, stated, self.max_confidence_bps)
        published_at = Timestamp(stated.published_at)
        return self.quote(
            wad_of(self, stated),
            confidence_of(self.confidence, stated),
            published_at,
            max_age=self.max_age,
            published_at=published_at,
        )

    def _stated(self, body: Mapping[str, Any]) -> PythPrice:
        feeds = [json_object(feed, self.id) for feed in json_array(body.get("parsed"), f"{self.id}: parsed")]
        found = [feed for feed in feeds if self._names_it(feed.get("id"))]
        if len(found) != 1:
            raise SourceRefused(
                f"{self.id}: Hermes answered {len(found)} prices of {self.price_id}, not one",
                advice="Check the price id; Hermes may leave out an id that it does not know.",
            )
        member = _MEMBERS[self.price]
        stated = json_object(found[0].get(member), f"{self.id}: {member}")
        return PythPrice(
            self._integer(stated, "price"),
            self._integer(stated, "conf"),
            self._integer(stated, "expo"),
            self.time_of(stated.get("publish_time"), "publish_time"),
        )

    def _names_it(self, found: object) -> bool:
        return isinstance(found, str) and "0x" + found.lower().removeprefix("0x") == self.price_id

    def _integer(self, stated: Mapping[str, Any], name: str) -> int:
        value = stated.get(name)
        if not isinstance(value, str) or _INTEGER.fullmatch(value) is None:
            raise MalformedResult(
                f"{self.id}: {name} is no integer", advice="Check that the address is a Hermes server's."
            )
        return int(value)
