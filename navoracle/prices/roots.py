"""Where a source's prices come from in the end: sources of one root are one witness and belong in one group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from navoracle.prices import ChainlinkSource, ExchangeSource, RecordedSource, Source

_SHARED: Final = {"hermes": "pyth", "defillama": "coingecko"}
"""Hermes serves what Pyth's publishers say; DefiLlama relays CoinGecko."""


def root_of(source: Source) -> str:
    """The name of a source's root: its provider, its exchange, or its recorded series.

    A `chainlink` source may read anybody's feed of that shape, so its root is no more than the feed.
    """
    if isinstance(source, ChainlinkSource):
        return f"feed {source.feed} on {source.chain}"
    if isinstance(source, ExchangeSource):
        return f"exchange {source.exchange}"
    if isinstance(source, RecordedSource):
        return f"series {source.series}"
    return _SHARED.get(source.kind, source.kind)


def split_roots(sources: Iterable[Source]) -> Mapping[str, tuple[str, ...]]:
    """The roots that have more than one vote, with their groups in order."""
    groups: dict[str, set[str]] = {}
    for source in sources:
        groups.setdefault(root_of(source), set()).add(source.group)
    return {root: tuple(sorted(found)) for root, found in sorted(groups.items()) if len(found) > 1}
