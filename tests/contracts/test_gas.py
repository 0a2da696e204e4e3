"""The gas limits of posting, reading, settling and claiming on a local node: what anybody pays must not creep up."""

from __future__ import annotations

import pytest

from bench.anvil import anvil
from bench.gas import NODE_ARGUMENTS, Bench
from bench.vault_gas import COUNTS, VaultBench
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

SETTLE_EMPTY_LIMIT = 155_000
SETTLE_LIMITS = {"deposits": 192_000, "redemptions": 260_000, "both": 278_000}
INVESTOR_LIMITS = {
    "requestDeposit, the first of its epoch": 133_000,
    "requestRedeem, the first of its epoch": 133_000,
    "requestDeposit": 98_000,
    "requestRedeem": 98_000,
    "claimDeposit": 62_000,
    "claimRedemption": 95_000,
}


@needs_node
@pytest.mark.slow
def test_posting_and_reading__in_the_steady_state__stay_within_their_gas_limits() -> None:
    with anvil(*NODE_ARGUMENTS) as url:
        gas = Bench(url).run()
    assert {key: gas[key[0]][key[1]] for key, limit in LIMITS.items() if gas[key[0]][key[1]] > limit} == {}
    assert gas["post_one"] <= POST_ONE_LIMIT
    assert {name: gas["reads"][name] for name, limit in READ_LIMITS.items() if gas["reads"][name] > limit} == {}
    assert gas["92"]["100"] * 5 <= gas["naive"]["100"] * 2


@needs_node
@pytest.mark.slow
def test_settling_and_claiming__in_the_steady_state__stay_within_their_gas_limits() -> None:
    with anvil(*NODE_ARGUMENTS) as url:
        gas = VaultBench(url).run()
    assert gas["settle"]["empty"] <= SETTLE_EMPTY_LIMIT
    for kind, limit in SETTLE_LIMITS.items():
        settled = {gas["settle"][kind][str(count)] for count in COUNTS}
        # One figure for one request and for a hundred: nobody can make a settlement too dear for a block.
        assert len(settled) == 1
        assert settled.pop() <= limit
    assert {
        name: gas["investor"][name] for name, limit in INVESTOR_LIMITS.items() if gas["investor"][name] > limit
    } == {}
    assert set(gas["investor"]) == set(INVESTOR_LIMITS)
