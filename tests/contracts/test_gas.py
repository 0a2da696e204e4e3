"""The gas limits of posting and reading on a local node: what a keeper and its readers pay must not creep up."""

from __future__ import annotations

import pytest

from bench.anvil import anvil
from bench.gas import NODE_ARGUMENTS, Bench
from tests.requirements import needs_node

LIMITS = {("27", "1"): 33_300, ("27", "10"): 89_500, ("27", "100"): 645_000, ("92", "100"): 800_000}
LIMITS |= {("105", "100"): 830_000}
POST_ONE_LIMIT = 31_200
READ_LIMITS = {
    "NavRegistry readRaw": 5_300,
    "NavFeed latestRoundData": 13_000,
    "NavFeed getRate": 15_000,
    "NavFeed price": 15_600,
    "NavFeed getQuote": 16_200,
    "NavFeedStrict latestRoundData": 16_400,
}
"""Of a cold read: three accounts through a feed, and a storage word, or three where the bounds are read too."""


@needs_node
@pytest.mark.slow
def test_posting_and_reading__in_the_steady_state__stay_within_their_gas_limits() -> None:
    with anvil(*NODE_ARGUMENTS) as url:
        gas = Bench(url).run()
    assert {key: gas[key[0]][key[1]] for key, limit in LIMITS.items() if gas[key[0]][key[1]] > limit} == {}
    assert gas["post_one"] <= POST_ONE_LIMIT
    assert {name: gas["reads"][name] for name, limit in READ_LIMITS.items() if gas["reads"][name] > limit} == {}
    assert gas["92"]["100"] * 5 <= gas["naive"]["100"] * 2
