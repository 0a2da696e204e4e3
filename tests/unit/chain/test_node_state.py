"""The state of a node, from the facts of its last dial."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from navoracle.chain.node_state import ADVICE, Facts, Limits, NodeState, state_of

LIMITS = Limits(chain_id=1, max_lag=5, best_head=100, oldest_head=1_000, tag="finalized")
SOUND = Facts(dialed=True, chain_id=1, head=100, head_time=1_000, tagged=40)


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({}, NodeState.ALIVE, ""),
        ({"head": 95}, NodeState.ALIVE, ""),
        ({"behind": 5}, NodeState.ALIVE, ""),
        ({"dialed": False}, NodeState.UNDIALED, "not asked yet"),
        ({"problem": "no answer within 5 s"}, NodeState.UNREACHABLE, "no answer within 5 s"),
        ({"chain_id": None}, NodeState.UNREACHABLE, "did not say"),
        ({"head": None}, NodeState.UNREACHABLE, "did not say"),
        ({"head_time": None}, NodeState.UNREACHABLE, "did not say"),
        ({"chain_id": 5}, NodeState.WRONG_CHAIN, "serves chain 5, not 1"),
        ({"behind": 6}, NodeState.SYNCING, "6 blocks behind"),
        ({"head": 94}, NodeState.OUT_OF_SYNC, "94 is 6 blocks behind"),
        ({"head_time": 999}, NodeState.OUT_OF_SYNC, "1 s older than may be"),
        ({"branch": "has another block 90"}, NodeState.OUT_OF_SYNC, "has another block 90"),
        ({"tagged": None}, NodeState.NO_FINALIZED, "has no finalized block"),
        ({"dispute": "gave other bytes"}, NodeState.DISPUTED, "gave other bytes"),
    ],
)
def test_state_of__one_fact_changed__is_the_state_of_that_fact(
    change: dict[str, Any], state: NodeState, words: str
) -> None:
    found, detail = state_of(replace(SOUND, **change), LIMITS)
    assert found is state
    assert words in detail
    assert bool(detail) is (state is not NodeState.ALIVE)


def test_state_of__limits_that_are_not_set__are_not_applied() -> None:
    facts = replace(SOUND, head=1, head_time=1, tagged=None)
    assert state_of(facts, Limits(chain_id=1, max_lag=5))[0] is NodeState.ALIVE


def test_advice__every_state__has_one() -> None:
    assert set(ADVICE) == set(NodeState)
    assert all(ADVICE.values())
