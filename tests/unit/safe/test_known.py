"""Which proposal makes another one needless, and which nonce a new one takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.errors import UsageError
from navoracle.domain.units import Timestamp
from navoracle.safe import KnownProposal, Placement, Purpose, SafeTransaction, Standing
from navoracle.safe.known import duplicate_of, nonce_for
from tests.unit.safe.office import CHAIN_ID, NOW, SAFE, TARGET, post, purpose


def transaction(nonce: int, value: int = 5) -> SafeTransaction:
    return SafeTransaction(CHAIN_ID, SAFE, nonce, TARGET, 0, post(value).data)


def known(nonce: int, value: int = 5, what: Purpose | None = None, *, executed: bool = False) -> KnownProposal:
    return KnownProposal(transaction(nonce, value), "there", what, executed=executed)


OLD = purpose(valuation_time=Timestamp(NOW - 901), valid_until=Timestamp(NOW))


def duplicate(*found: KnownProposal, value: int = 5, what: Purpose | None = None) -> KnownProposal | None:
    return duplicate_of(transaction(3, value), what or purpose(), found, nonce=3, now=NOW)


def test_standing__by_nonce_and_time__is_past_then_expired_then_pending() -> None:
    assert known(2).standing(3, NOW) is Standing.PAST
    assert known(3, executed=True).standing(3, NOW) is Standing.PAST
    assert known(3, what=OLD).standing(3, NOW) is Standing.EXPIRED
    assert known(3, what=OLD).standing(3, NOW - 1) is Standing.PENDING
    assert known(3).standing(3, 2**40) is Standing.PENDING  # nobody knows when another's expires


def test_duplicate__same_call_that_waits__is_found_whoever_proposed_it_at_whatever_nonce() -> None:
    assert duplicate(known(9)) == known(9)
    assert duplicate(known(9, value=6)) is None
    for other in ({"to": SAFE}, {"operation": 1}, {"value": 1}):
        assert duplicate(KnownProposal(replace(transaction(9), **other), "there")) is None


def test_duplicate__same_fund_and_slot_with_another_value__is_found() -> None:
    mine = known(4, value=6, what=purpose())
    assert duplicate(mine) == mine
    assert duplicate(known(4, value=6, what=purpose(slot=NOW + 1))) is None
    assert duplicate(known(4, value=6, what=purpose(action="settle"))) is None
    assert duplicate(known(4, value=6, what=purpose(funds=("other",)))) is None
    assert duplicate(known(4, value=6, what=purpose(funds=("other", "stable")))) is not None


def test_duplicate__of_an_expired_one__is_none() -> None:
    assert duplicate(known(3, what=OLD)) is None


def test_duplicate__past_one__counts_for_its_own_slot_only() -> None:
    assert duplicate(known(2)) is None
    assert duplicate(known(2, value=6, what=purpose())) is not None
    assert duplicate(known(2, what=purpose(slot=NOW - 3_600))) is None


def nonce(place: Placement | int, *found: KnownProposal) -> int:
    return nonce_for(place, found, nonce=3, now=NOW)


def test_nonce__next__follows_all_that_wait_and_the_safe_itself() -> None:
    assert nonce(Placement.NEXT) == 3
    assert nonce(Placement.NEXT, known(1)) == 3
    assert nonce(Placement.NEXT, known(3), known(5)) == 6
    assert nonce(Placement.NEXT, known(3, executed=True)) == 4  # mined after the block that was read


def test_nonce__replacing__is_the_first_that_only_expired_ones_hold() -> None:
    rule = Placement.REPLACE_EXPIRED
    assert nonce(rule) == 3
    assert nonce(rule, known(3), known(4, what=OLD), known(5, what=OLD)) == 4
    assert nonce(rule, known(3, what=OLD), known(3, value=6)) == 4  # somebody else's waits there too
    assert nonce(rule, known(2, what=OLD)) == 3


def test_nonce__asked_for__must_be_the_safes_or_later_and_leave_no_gap() -> None:
    assert nonce(3, known(3), known(4)) == 3
    assert nonce(5, known(3), known(4)) == 5
    for refused in (2, 6):
        with pytest.raises(UsageError, match="cannot be proposed for"):
            nonce(refused, known(3), known(4))
