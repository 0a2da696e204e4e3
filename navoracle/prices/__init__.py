"""Price sources (quotes that vote) and rate sources (a protocol's own rate, which never votes)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from navoracle.prices.api3 import Api3Source
from navoracle.prices.chainlink import ChainlinkSource
from navoracle.prices.chronicle import ChronicleSource
from navoracle.prices.coingecko import CoinGeckoSource
from navoracle.prices.curve import CurveEma
from navoracle.prices.defillama import DefiLlamaSource
from navoracle.prices.exchange import ExchangeSource
from navoracle.prices.hermes import HermesSource
from navoracle.prices.native_rate import Erc4626Rate
from navoracle.prices.pendle import PendleLpRate, PendlePtRate, PendlePtSyRate, PendleSyRate, PendleYtRate
from navoracle.prices.pyth import PythSource
from navoracle.prices.recorded import RecordedSource
from navoracle.prices.redstone import RedstoneFundamentalRate, RedstoneSource
from navoracle.prices.staking_rates import BalancerRate, CbethRate, RethRate, WeethRate, WstethRate
from navoracle.prices.uniswap_v3 import UniswapV3Twap

Source = Annotated[
    ChainlinkSource
    | PythSource
    | RedstoneSource
    | ChronicleSource
    | Api3Source
    | CurveEma
    | UniswapV3Twap
    | HermesSource
    | ExchangeSource
    | CoinGeckoSource
    | DefiLlamaSource
    | RecordedSource,
    Field(discriminator="kind"),
]
"""Any price source, told apart by `kind`."""

Rate = Annotated[
    PendlePtRate
    | PendlePtSyRate
    | PendleLpRate
    | PendleYtRate
    | PendleSyRate
    | Erc4626Rate
    | WstethRate
    | WeethRate
    | RethRate
    | CbethRate
    | BalancerRate
    | RedstoneFundamentalRate,
    Field(discriminator="kind"),
]
"""Any rate source, told apart by `kind`."""

__all__ = [
    "Api3Source",
    "BalancerRate",
    "CbethRate",
    "ChainlinkSource",
    "ChronicleSource",
    "CoinGeckoSource",
    "CurveEma",
    "DefiLlamaSource",
    "Erc4626Rate",
    "ExchangeSource",
    "HermesSource",
    "PendleLpRate",
    "PendlePtRate",
    "PendlePtSyRate",
    "PendleSyRate",
    "PendleYtRate",
    "PythSource",
    "Rate",
    "RecordedSource",
    "RedstoneFundamentalRate",
    "RedstoneSource",
    "RethRate",
    "Source",
    "UniswapV3Twap",
    "WeethRate",
    "WstethRate",
]
