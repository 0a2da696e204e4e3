"""Every asset, priced for once: groups, quorum, exclusions with their reasons, the protocol's rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from navoracle.checks.findings import Finding, error, warning
from navoracle.config.assets import AssetSection
from navoracle.config.models import Config
from navoracle.domain.prices import PriceEstimate, PriceStatus, Quote
from navoracle.domain.units import Timestamp
from navoracle.keeper.pricing import LEG_NOT_LIVE, Prices

WANTED_GROUPS: Final = 3
"""Groups below which the loss of one source leaves no majority."""

_REMEDIES: Final = {
    "non_positive": "Check the address; a feed that was shut down answers zero.",
    "low_confidence": "Check the source's confidence settings, the feed's interval and the pool's depth.",
    "future": "Its time is ahead of the home chain's block: check the source's unit of time and this machine's clock; "
    "where its chain or service is merely faster, raise the asset's `max_future` or lower the confirmations.",
    "stale": "Check that this is the right feed, and `heartbeat` (or `max_age`) against what its operator promises.",
    "outlier": "Check that the feed quotes this asset, in this unit of account (`quoted_in`), and its decimals.",
    LEG_NOT_LIVE: "Restore the sources of the asset that it is quoted in.",
}


def check_assets(config: Config, prices: Prices, now: Timestamp, places: Mapping[str, str]) -> list[Finding]:
    """What stands between an asset and a live price that bears the loss of a source."""
    return [found for symbol, asset in config.assets.items() for found in _check(symbol, asset, prices, now, places)]


def check_off_chain_times(config: Config, lags: Mapping[str, int]) -> list[Finding]:
    """Refuse off-chain quotes beside a chain whose blocks are too old: they would all be of the future.

    Args:
        lags: the most seconds that the block that is valued at lies behind the clock, by chain.
    """
    lag = lags.get(config.home_chain or "")
    if lag is None:
        return []
    return [
        error(
            f"assets.{symbol}.sources[{index}]",
            f"quotes off chain are up to {lag} s ahead of the block of {config.home_chain}, more than max_future "
            f"({asset.max_future} s)",
            f"Lower the chain's finality lag, raise assets.{symbol}.max_future, or use sources on the chain.",
        )
        for symbol, asset in config.assets.items()
        for index, source in enumerate(asset.sources)
        if source.chain is None and source.kind != "recorded" and lag > asset.max_future
    ]


def _check(
    symbol: str, asset: AssetSection, prices: Prices, now: Timestamp, places: Mapping[str, str]
) -> Iterator[Finding]:
    section = f"assets.{symbol}"
    groups = {source.group for source in asset.sources}
    if asset.sources and len(groups) < WANTED_GROUPS:
        yield warning(
            f"{section}.sources",
            f"{len(groups)} independent groups; when one of them fails, "
            + ("nothing is left" if len(groups) <= asset.min_sources else "no majority is left"),
            f"Add sources of other groups, {WANTED_GROUPS} in all.",
        )
    for root, split in asset.split_roots.items():
        yield warning(
            f"{section}.sources",
            f"sources of one root ({root}) vote {len(split)} times, as the groups {', '.join(split)}",
            "Give them one group: what is wrong with one of them is wrong with all, and they count as a majority.",
        )
    if asset.sources and asset.min_sources == 1:
        yield warning(
            f"{section}.min_sources", "a single source is believed, at 50 % confidence at most", "Set it to 2 or more."
        )
    quotes = {quote.source: quote for quote in prices.quotes}
    for side in ("asset", "debt"):
        estimate = prices.estimates.get((symbol, "debt" if side == "debt" else "asset"))
        if estimate is None:
            continue
        for source, reason in sorted(estimate.excluded, key=lambda each: places.get(each[0], each[0])):
            yield error(places.get(source, source), _excluded(quotes.get(source), reason, now), _REMEDIES[reason])
        yield from _of_estimate(section, estimate)


def _excluded(quote: Quote | None, reason: str, now: Timestamp) -> str:
    if quote is None:
        return f"its quote is refused: {reason}"
    told = f"its quote is refused: {reason}, {now - quote.observed_at} s old"
    if quote.published_at is not None:
        told += f", its round {now - quote.published_at} s old"
    return told if quote.max_age is None else f"{told}, limit {quote.max_age} s"


def _of_estimate(section: str, estimate: PriceEstimate) -> Iterator[Finding]:
    if estimate.status is not PriceStatus.LIVE:
        yield error(
            section,
            f"there is no live price: {estimate.reason}",
            f"Restore its sources; `navoracle price {estimate.asset} --explain` shows them down to the raw bytes.",
        )
    if estimate.native_alarm:
        yield warning(
            f"{section}.native",
            f"market and protocol rate are {estimate.native_gap_bps} bps apart",
            "Find out which of them is wrong before the fund is posted.",
        )
