"""Laws of nonces: never one that is used, never one that is ours already, and every hole is seen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from navoracle.chain.transactions.nonces import MOST_AT_ONCE, free_nonces, next_nonce

NONCES = st.integers(0, 200)


@given(NONCES, st.sets(NONCES))
def test_next_nonce__any__is_unused_and_above_all_of_ours(count: int, ours: set[int]) -> None:
    nonce = next_nonce(count, ours)
    assert nonce >= count
    assert all(nonce > each for each in ours)
    # No gap of its own making: it follows on what is used or signed.
    assert nonce == count or nonce - 1 in ours


@given(NONCES, st.sets(NONCES))
def test_free_nonces__any__are_the_lowest_holes_before_what_waits(count: int, waiting: set[int]) -> None:
    found = free_nonces(count, waiting)
    highest = max(waiting, default=count)
    holes = [nonce for nonce in range(count, highest) if nonce not in waiting]
    assert found == holes[:MOST_AT_ONCE]


@given(NONCES, st.sets(NONCES), st.sets(NONCES))
def test_free_nonces__nonces_that_the_chain_took_back__are_free_too(
    count: int, waiting: set[int], lost: set[int]
) -> None:
    found = set(free_nonces(count, waiting, lost - waiting))
    lowest = sorted(nonce for nonce in lost - waiting if nonce >= count)[:1]
    assert found >= set(lowest) or len(found) == MOST_AT_ONCE
    assert not found & waiting


def test_free_nonces__absurdly_far_off__is_answered_at_once() -> None:
    assert free_nonces(0, {2**63}) == list(range(MOST_AT_ONCE))
