"""The gas limits of posting, on receipts of a local node: what an hourly keeper pays must not creep up."""

from __future__ import annotations

import pytest

from bench.anvil import anvil
from bench.gas import NODE_ARGUMENTS, Bench
from tests.requirements import needs_node

LIMITS = {("27", "1"): 33_300, ("27", "10"): 89_500, ("27", "100"): 645_000, ("92", "100"): 800_000}
LIMITS |= {("105", "100"): 830_000}
POST_ONE_LIMIT = 31_200


@needs_node
@pytest.mark.slow
def test_posting__in_the_steady_state__stays_within_its_gas_limits() -> None:
    with anvil(*NODE_ARGUMENTS) as url:
        gas = Bench(url).run()
    assert {key: gas[key[0]][key[1]] for key, limit in LIMITS.items() if gas[key[0]][key[1]] > limit} == {}
    assert gas["post_one"] <= POST_ONE_LIMIT
    assert gas["92"]["100"] * 5 <= gas["naive"]["100"] * 2
