"""A replay's configuration: recorded series, one declared fund, and the registry that it posts to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from navoracle.composition.embedded import CHAIN_ID, SETUP_SECONDS, FundOpening
from navoracle.config.loading import parse_config
from navoracle.config.models import Config
from navoracle.domain.errors import UsageError
from navoracle.domain.units import WAD, Rounding, Timestamp, Wad, format_wad, mul_div, to_wad
from navoracle.ports import Address
from navoracle.recorded.series import Series, load_series

FUND = "replay"
CHAIN = "embedded"
OPENING_VALUE = 1_000_000
"""What each asset of a fund of several is worth at its first price, and the units held by a fund of one."""

GRACE = 300
"""Seconds beyond a series' own step after which a row is too old, unless --max-age says otherwise."""

_FUND_ADDRESS = Address("0x000000000000000000000000000000000000F001")


@dataclass(frozen=True, slots=True)
class PriceFile:
    """One `--prices ASSET:GROUP=FILE`."""

    asset: str
    group: str
    file: Path

    @property
    def name(self) -> str:
        """The series' name in the configuration."""
        return f"{self.asset}-{self.group}"


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What a replay is asked for; `None` keys of `min_sources` and `max_age` mean every asset or series.

    Attributes:
        holdings: whole tokens by asset; assets not named get their default.
        start, end: Unix seconds; None takes what the series cover.
        chain: where posts go: the embedded chain, or nowhere.
        sample_seconds: how often the sampler runs.
    """

    prices: tuple[PriceFile, ...]
    holdings: Mapping[str, str] = field(default_factory=dict)
    min_sources: Mapping[str | None, int] = field(default_factory=dict)
    max_age: Mapping[str | None, int] = field(default_factory=dict)
    step: int | None = None
    start: Timestamp | None = None
    end: Timestamp | None = None
    chain: Literal["embedded", "none"] = "embedded"
    sample_seconds: int = 60


@dataclass(frozen=True, slots=True)
class ReplaySetup:
    """Everything that a replay starts from."""

    series: Mapping[str, Series]
    amounts: Mapping[str, str]
    shares: str
    opening: FundOpening
    start: Timestamp
    end: Timestamp
    warnings: tuple[str, ...]


def parse_price_file(text: str) -> PriceFile:
    """Parse `ASSET:GROUP=FILE`. Raises UsageError."""
    left, equals, file = text.partition("=")
    asset, colon, group = left.partition(":")
    if not (equals and colon and asset and group and file):
        raise UsageError(
            f"--prices {text!r} is not ASSET:GROUP=FILE", advice="For example: --prices USDC:kraken=usdc.csv"
        )
    return PriceFile(asset, group, Path(file))


def prepare(options: ReplayOptions) -> ReplaySetup:
    """Load the series and settle what the fund holds and when the replay runs.

    Raises:
        UsageError: a series cannot be read, or an option names what is not there.
    """
    if not options.prices:
        raise UsageError("no prices to replay", advice="Give at least one --prices ASSET:GROUP=FILE.")
    names = [file.name for file in options.prices]
    if len(set(names)) != len(names):
        raise UsageError("two series share an asset and a group", advice="Give each series a group of its own.")
    series = {file.name: load_series(file.file, step=options.step) for file in options.prices}
    assets = tuple(dict.fromkeys(file.asset for file in options.prices))
    for named in (*options.holdings, *options.min_sources):
        if named is not None and named not in assets:
            raise UsageError(f"{named} has no prices", advice=f"Name one of: {', '.join(assets)}.")
    first = {asset: _first_price(asset, options.prices, series) for asset in assets}
    amounts = {asset: options.holdings.get(asset) or _amount(asset, first, assets) for asset in assets}
    start = options.start if options.start is not None else _next_hour(min(one.start for one in series.values()))
    end = options.end if options.end is not None else max(one.end for one in series.values())
    if end <= start:
        raise UsageError(
            f"the replay ends at {end}, before its first slot at {start}",
            advice="The series are too short, or --start and --end are the wrong way round.",
        )
    return ReplaySetup(
        series=series,
        amounts=amounts,
        shares=str(OPENING_VALUE * len(assets)),
        opening=_opening(amounts, first, OPENING_VALUE * len(assets), start),
        start=start,
        end=end,
        warnings=_warnings(options, assets),
    )


def replay_config(options: ReplayOptions, setup: ReplaySetup, registry: Address | None) -> Config:
    """The configuration of the replay, as an operator would write it. Raises ConfigurationError."""
    assets: dict[str, Any] = {}
    for file in options.prices:
        step = setup.series[file.name].step
        age = options.max_age.get(file.name, options.max_age.get(None, step + GRACE))
        asset = assets.setdefault(file.asset, {"sources": [], "min_sources": _min_sources(options, file.asset)})
        asset["sources"].append({"kind": "recorded", "group": file.group, "series": file.name, "max_age": age})
    raw: dict[str, Any] = {
        "home_chain": None if registry is None else CHAIN,
        "assets": assets,
        "recorded": {file.name: {"file": str(file.file), "step": options.step} for file in options.prices},
        "cadence": {"sample_seconds": options.sample_seconds},
        "funds": {
            FUND: {
                "id": setup.opening.fund_id,
                "chain": None if registry is None else CHAIN,
                "supply": {"kind": "fixed", "shares": setup.shares},
                "positions": [
                    {"kind": "declared", "id": asset, "asset": asset, "component": "cash", "amount": amount}
                    for asset, amount in setup.amounts.items()
                ],
            }
        },
    }
    if registry is not None:
        raw["chains"] = {
            CHAIN: {"chain_id": CHAIN_ID, "rpc": "http://embedded.invalid", "confirmations": 0, "registry": registry}
        }
    return parse_config(raw, "replay")


def _groups(options: ReplayOptions, asset: str) -> int:
    return len({file.group for file in options.prices if file.asset == asset})


def _min_sources(options: ReplayOptions, asset: str) -> int:
    """What was asked for; else two, or one where only one series was given (it is then a warning)."""
    asked = options.min_sources.get(asset, options.min_sources.get(None))
    return min(2, _groups(options, asset)) if asked is None else asked


def _warnings(options: ReplayOptions, assets: Sequence[str]) -> tuple[str, ...]:
    warnings = []
    for asset in assets:
        groups, needed = _groups(options, asset), _min_sources(options, asset)
        if groups < needed:
            raise UsageError(
                f"{asset} has {groups} series and --min-sources asks for {needed}: it could never be priced",
                advice=f"Add a series of another group, or give --min-sources {asset}={groups}.",
            )
        if needed == 1:
            warnings.append(f"{asset}: one source is enough (min_sources 1), so its confidence is at most 50 %")
        elif groups < 3:
            warnings.append(f"{asset}: {groups} independent sources; three survive the failure of one")
    return tuple(warnings)


def _first_price(asset: str, files: Sequence[PriceFile], series: Mapping[str, Series]) -> Wad:
    name = next(file.name for file in files if file.asset == asset)
    return series[name].prices[0]


def _amount(asset: str, first: Mapping[str, Wad], assets: Sequence[str]) -> str:
    if len(assets) == 1:
        return str(OPENING_VALUE)
    return format_wad(mul_div(OPENING_VALUE * WAD, WAD, first[asset], Rounding.DOWN))


def _opening(amounts: Mapping[str, str], first: Mapping[str, Wad], shares: int, start: Timestamp) -> FundOpening:
    nav = sum(mul_div(to_wad(amounts[asset]), first[asset], WAD, Rounding.DOWN) for asset in amounts)
    return FundOpening(
        fund_id=1,
        vault=_FUND_ADDRESS,
        nav=Wad(nav),
        price_per_share=Wad(nav // shares),
        valuation_time=Timestamp(start - SETUP_SECONDS),
    )


def _next_hour(time: Timestamp) -> Timestamp:
    return Timestamp(-(-time // 3_600) * 3_600)
