"""Lido's withdrawal queue: waiting, finalised, claimed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import MalformedResult, SourceRefused
from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import RawAmount
from navoracle.positions import LidoWithdrawals
from navoracle.positions.lido_withdrawals import STATUS_TYPES
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
QUEUE, STETH, HOLDER = address(1), address(2), address(3)
WAD = 10**18
CHECKPOINTS = 4

Requests = dict[int, tuple[int, int]]
"""stETH and shares handed in, by request id."""


def reader(**changes: Any) -> LidoWithdrawals:
    fields: dict[str, Any] = {
        "kind": "lido_withdrawals",
        "id": "lido",
        "asset": "ETH",
        "chain": "local",
        "holder": HOLDER,
    }
    return LidoWithdrawals.model_validate({**fields, "queue": QUEUE, "steth": STETH, **changes})


def world(
    requests: Requests,
    *,
    last: int = 0,
    rate: int = 12 * 10**17,
    paid: dict[int, int] | None = None,
    claimed: frozenset[int] = frozenset(),
    owner: str = HOLDER,
) -> FakeChain:
    """A queue that lists newest requests first, as a set may; `rate` is ether per 1e18 shares, `paid` is claimable."""
    chain = FakeChain(block_stamp(NOW))
    ids = sorted(requests)
    chain.put(QUEUE, "getWithdrawalRequests(address)", (HOLDER,), ("uint256[]",), ids[::-1])
    chain.put(QUEUE, "STETH()", (), ("address",), STETH)
    chain.put(QUEUE, "getLastFinalizedRequestId()", (), ("uint256",), last)
    chain.put(QUEUE, "getLastCheckpointIndex()", (), ("uint256",), CHECKPOINTS)
    statuses = [(*requests[number], owner, NOW - 60, number <= last, number in claimed) for number in ids]
    chain.put(QUEUE, "getWithdrawalStatus(uint256[])", (ids,), STATUS_TYPES, statuses)
    for _, shares in requests.values():
        chain.put(STETH, "getPooledEthByShares(uint256)", (shares,), ("uint256",), shares * rate // WAD)
    ready = [number for number in ids if number <= last]
    hints = [1 + number % CHECKPOINTS for number in ready]
    find = "findCheckpointHints(uint256[],uint256,uint256)"
    chain.put(QUEUE, find, (ready, 1, CHECKPOINTS), ("uint256[]",), hints)
    ether = [(paid or {}).get(number, requests[number][0]) for number in ready]
    chain.put(QUEUE, "getClaimableEther(uint256[],uint256[])", (ready, hints), ("uint256[]",), ether)
    return chain


def parts(chain: FakeChain) -> tuple[int, int]:
    """What waits and what can be claimed."""
    waiting, claimable = drive(reader().read(AT), chain.answer)
    return amount_of(waiting), amount_of(claimable)


def amount_of(position: object) -> int:
    if not isinstance(position, Holding):
        raise TypeError(f"{position!r} is not a holding")
    return position.amount.value


class TestLidoWithdrawalsSpec(ReaderSpec):
    def example(self) -> Example:
        chain = world({3: (WAD, WAD), 8: (6 * WAD, 5 * WAD), 9: (7 * WAD, 5 * WAD)}, last=3, paid={3: WAD - 5})
        expected = (
            Holding("lido/waiting", Component.COLLATERAL, "ETH", RawAmount(12 * WAD, 18)),
            Holding("lido/claimable", Component.COLLATERAL, "ETH", RawAmount(WAD - 5, 18)),
        )
        return Example(reader(), chain.good_answers(), AT, expected)


def test_lido__no_rewards_after_the_request__the_nominal_is_the_most() -> None:
    assert parts(world({1: (10 * WAD, 9 * WAD)}, rate=2 * WAD)) == (10 * WAD, 0)


def test_lido__slashed_while_it_waits__the_shares_are_the_most() -> None:
    assert parts(world({1: (10 * WAD, 9 * WAD)}, rate=WAD)) == (9 * WAD, 0)


def test_lido__finalisation_that_discounts__counts_what_can_be_claimed() -> None:
    assert parts(world({1: (10 * WAD, 9 * WAD)}, last=1, paid={1: 8 * WAD})) == (0, 8 * WAD)


def test_lido__claimed_request__is_nothing() -> None:
    assert parts(world({1: (WAD, WAD), 2: (WAD, WAD)}, last=2, claimed=frozenset({1}))) == (0, WAD)


def test_lido__no_requests__are_two_positions_of_zero_after_one_round() -> None:
    chain = world({})
    chain.revert(QUEUE, "getWithdrawalStatus(uint256[])", [])
    assert parts(chain) == (0, 0)


@given(
    st.dictionaries(st.integers(1, 50), st.tuples(st.integers(1, 2**100), st.integers(1, 2**100)), max_size=8),
    st.integers(0, 50),
    st.integers(1, 3 * WAD),
)
def test_lido__any_requests__waiting_is_the_sum_of_each_ones_smaller_value(
    requests: Requests, last: int, rate: int
) -> None:
    waiting = sum(min(amount, shares * rate // WAD) for number, (amount, shares) in requests.items() if number > last)
    claimable = sum(amount for number, (amount, _) in requests.items() if number <= last)
    assert parts(world(requests, last=last, rate=rate)) == (waiting, claimable)


def test_lido__queue_of_another_token__is_refused() -> None:
    chain = world({1: (WAD, WAD)})
    chain.put(QUEUE, "STETH()", (), ("address",), address(9))
    with pytest.raises(SourceRefused, match=f"{address(9)}, not the configured {STETH}"):
        parts(chain)


def test_lido__request_of_somebody_else__is_refused() -> None:
    with pytest.raises(SourceRefused, match="belongs to"):
        parts(world({1: (WAD, WAD)}, owner=address(9)))


def test_lido__fewer_answers_than_requests__is_refused() -> None:
    chain = world({1: (WAD, WAD), 2: (WAD, WAD)}, last=1)
    chain.put(QUEUE, "getWithdrawalStatus(uint256[])", ([1, 2],), STATUS_TYPES, [])
    with pytest.raises(MalformedResult, match="0 answers for 2 requests"):
        parts(chain)
