"""Price sources (quotes that vote) and rate sources (a protocol's own rate, which never votes)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from navoracle.prices.chainlink import ChainlinkSource
from navoracle.prices.native_rate import Erc4626Rate
from navoracle.prices.pendle import PendlePtRate, PendlePtSyRate
from navoracle.prices.recorded import RecordedSource

Source = Annotated[ChainlinkSource | RecordedSource, Field(discriminator="kind")]
"""Any price source, told apart by `kind`."""

Rate = Annotated[PendlePtRate | PendlePtSyRate | Erc4626Rate, Field(discriminator="kind")]
"""Any rate source, told apart by `kind`."""

__all__ = [
    "ChainlinkSource",
    "Erc4626Rate",
    "PendlePtRate",
    "PendlePtSyRate",
    "Rate",
    "RecordedSource",
    "Source",
]
