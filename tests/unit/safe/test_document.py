"""A proposal says exactly what its transaction does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.domain.errors import DomainError
from navoracle.safe import Proposal, SafeCall
from navoracle.safe.transaction import DELEGATE_CALL, transaction_of
from tests.unit.safe.office import CHAIN_ID, KEEPER, MULTISEND, SAFE, post, purpose


def proposal(made: tuple[SafeCall, ...], said: tuple[SafeCall, ...]) -> Proposal:
    transaction = transaction_of(made, chain_id=CHAIN_ID, safe=SAFE, nonce=3, multisend=MULTISEND)
    return Proposal(transaction, said, purpose(), "1.4.1", KEEPER.address)


ONE, TWO = (post(),), (post(), post(6))


@pytest.mark.parametrize("said", [(post(6),), (post(to=MULTISEND),), TWO, ()])
def test_proposal__one_call_that_says_another__is_refused(said: tuple[SafeCall, ...]) -> None:
    assert proposal(ONE, ONE).calls == ONE
    with pytest.raises(DomainError, match="other calls than it says"):
        proposal(ONE, said)


@pytest.mark.parametrize("said", [ONE, TWO[::-1], (post(), post(7)), (*TWO, post(8))])
def test_proposal__several_calls_that_say_others__is_refused(said: tuple[SafeCall, ...]) -> None:
    assert proposal(TWO, TWO).calls == TWO
    with pytest.raises(DomainError, match="other calls than it says"):
        proposal(TWO, said)


def test_proposal__delegate_call_or_coins_behind_a_plain_call__is_refused() -> None:
    good = proposal(ONE, ONE)
    for other in (replace(good.transaction, operation=DELEGATE_CALL), replace(good.transaction, value=1)):
        with pytest.raises(DomainError):
            replace(good, transaction=other)
