"""Before a cycle: every way in which a registry is no longer what we post to, with a reason and advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from navoracle.domain.errors import ChainError
from navoracle.keeper.preflight import judge_registry, preflight
from navoracle.ports import Address
from navoracle.registry_port import Registration, RegistryState
from navoracle.testing import block_stamp
from tests.unit.addresses import address
from tests.unit.keeper.world import CHAIN, NOW

SENDER = address(0xBB)
WELL = RegistryState(
    at=block_stamp(NOW, chain=CHAIN, chain_id=1),
    known_code=True,
    paused=False,
    max_post_age=900,
    sender_roles=frozenset({"poster"}),
    funds={"cash": Registration.LIVE},
    holds={},
)


class Inspector:
    """Answers with a state, or an error."""

    def __init__(self, answer: RegistryState | ChainError) -> None:
        self.answer = answer
        self.asked: list[tuple[dict[str, int], Address | None]] = []

    async def inspect(self, fund_ids: Mapping[str, int], sender: Address | None) -> RegistryState:
        self.asked.append((dict(fund_ids), sender))
        if isinstance(self.answer, ChainError):
            raise self.answer
        return self.answer


def reason(state: RegistryState, chain_id: int = 1) -> str | None:
    found = judge_registry(state, chain=CHAIN, chain_id=chain_id, sender=SENDER)
    if found.refusal is not None:
        assert found.refusal.message
        assert found.refusal.advice
        assert (found.ok, found.of("cash"), found.of("any")) == (False, found.refusal, found.refusal)
    return None if found.refusal is None else found.refusal.reason


def test_judge_registry__all_as_it_was__refuses_nothing() -> None:
    found = judge_registry(WELL, chain=CHAIN, chain_id=1, sender=SENDER)
    assert (found.ok, found.refusal, found.funds, found.of("cash"), found.state) == (True, None, {}, None, WELL)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (replace(WELL, known_code=None), "no_contract"),
        (replace(WELL, known_code=False), "unknown_code"),
        (replace(WELL, paused=True), "paused"),
        (replace(WELL, sender_roles=frozenset()), "not_poster"),
        (replace(WELL, sender_roles=frozenset({"guardian"})), "not_poster"),
        (replace(WELL, sender_roles=frozenset({"poster", "risk"})), "poster_has_other_roles"),
        (replace(WELL, sender_roles=frozenset({"poster", "admin"})), "poster_has_other_roles"),
        (replace(WELL, sender_roles=None), None),
    ],
)
def test_judge_registry__one_thing_changed__is_refused_for_it(state: RegistryState, expected: str | None) -> None:
    assert reason(state) == expected


def test_judge_registry__nodes_of_another_chain__are_refused_before_anything_else() -> None:
    assert reason(replace(WELL, known_code=None, paused=True), chain_id=2) == "wrong_chain"


@pytest.mark.parametrize(
    ("kind", "expected"), [(Registration.CLOSED, "closed"), (Registration.UNKNOWN, "not_registered")]
)
def test_judge_registry__one_fund_is_not_live__is_refused_alone(kind: Registration, expected: str) -> None:
    state = replace(WELL, funds={"cash": Registration.LIVE, "mixed": kind})
    found = judge_registry(state, chain=CHAIN, chain_id=1, sender=SENDER)
    refused = found.of("mixed")
    assert (found.ok, found.of("cash")) == (True, None)
    assert refused is not None
    assert (refused.reason, bool(refused.advice)) == (expected, True)


async def test_preflight__node_fails__is_a_refusal_and_no_error() -> None:
    down = Inspector(ChainError("no node answers", advice="Bring one back."))
    found = await preflight(down, chain=CHAIN, chain_id=1, fund_ids={"cash": 1}, sender=SENDER)
    assert found.refusal is not None
    assert (found.refusal.reason, found.refusal.advice, found.state) == ("unreadable", "Bring one back.", None)


async def test_preflight__asked_again__looks_again() -> None:
    inspector = Inspector(WELL)
    first = await preflight(inspector, chain=CHAIN, chain_id=1, fund_ids={"cash": 1}, sender=SENDER)
    inspector.answer = replace(WELL, sender_roles=frozenset())
    second = await preflight(inspector, chain=CHAIN, chain_id=1, fund_ids={"cash": 1}, sender=SENDER)
    assert (first.ok, second.ok) == (True, False)
    assert inspector.asked == [({"cash": 1}, SENDER)] * 2
