"""ether.fi's withdrawal requests: waiting, finalised, invalidated, claimed, seized, not listed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.domain.errors import CallReverted, SourceRefused
from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import RawAmount
from navoracle.positions import WeethWithdrawals
from navoracle.positions.weeth_withdrawals import REQUEST_TYPES, WithdrawRequest, waiting_worth
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
NFT, POOL, HOLDER, STRANGER = address(1), address(2), address(3), address(4)
WAD = 10**18
GONE = WithdrawRequest(0, 0, valid=False, fee_gwei=0)


def reader(*token_ids: int, **changes: Any) -> WeethWithdrawals:
    fields: dict[str, Any] = {
        "kind": "weeth_withdrawals",
        "id": "queue",
        "asset": "ETH",
        "chain": "local",
        "holder": HOLDER,
    }
    fields |= {"nft": NFT, "liquidity_pool": POOL}
    return WeethWithdrawals.model_validate({**fields, "token_ids": list(token_ids), **changes})


def request(amount: int = WAD, shares: int = WAD, *, valid: bool = True, fee_gwei: int = 0) -> WithdrawRequest:
    return WithdrawRequest(amount, shares, valid, fee_gwei)


def world(
    requests: dict[int, WithdrawRequest],
    *,
    last: int = 0,
    rate: int = 11 * 10**17,
    owner: str = HOLDER,
    held: int | None = None,
    next_id: int = 100,
) -> FakeChain:
    """`rate` is ether per 1e18 shares; `last` the last finalised request; a claimed request has no owner any more."""
    chain = FakeChain(block_stamp(NOW))
    opened = [token for token, found in requests.items() if found.amount > 0]
    chain.put(NFT, "liquidityPool()", (), ("address",), POOL)
    chain.put(NFT, "nextRequestId()", (), ("uint32",), next_id)
    chain.put(NFT, "balanceOf(address)", (HOLDER,), ("uint256",), len(opened) if held is None else held)
    for token, found in requests.items():
        chain.put(NFT, "getRequest(uint256)", (token,), REQUEST_TYPES, *found)
        chain.put(NFT, "isFinalized(uint256)", (token,), ("bool",), token <= last)
        pooled = found.shares * rate // WAD
        chain.put(POOL, "amountForShare(uint256)", (found.shares,), ("uint256",), pooled)
        if token in opened:
            chain.put(NFT, "ownerOf(uint256)", (token,), ("address",), owner)
        else:
            chain.revert(NFT, "ownerOf(uint256)", token)
        if token in opened and token <= last:
            claimable = min(found.amount, pooled) - found.fee_gwei * 10**9
            chain.put(NFT, "getClaimableAmount(uint256)", (token,), ("uint256",), claimable)
        else:
            chain.revert(NFT, "getClaimableAmount(uint256)", token)
    return chain


def parts(chain: FakeChain, *token_ids: int, **changes: Any) -> dict[str, int]:
    found = drive(reader(*token_ids, **changes).read(AT), chain.answer)
    return {position.id: position.amount.value for position in found if isinstance(position, Holding)}


class TestWeethWithdrawalsSpec(ReaderSpec):
    def example(self) -> Example:
        requests = {5: request(fee_gwei=3), 6: request(2 * WAD, WAD), 7: request(valid=False)}
        expected = tuple(
            Holding(f"queue/{name}", Component.COLLATERAL, "ETH", RawAmount(amount, 18))
            for name, amount in (("5", WAD - 3 * 10**9), ("6", 11 * 10**17), ("7 invalidated", 0))
        )
        return Example(reader(5, 6, 7), world(requests, last=5).good_answers(), AT, expected)


def test_weeth__invalidated_request__is_worth_nothing_and_named() -> None:
    for last in (0, 5):
        assert parts(world({5: request(valid=False)}, last=last), 5) == {"queue/5 invalidated": 0}


def test_weeth__claimed_request__is_nothing_and_asked_no_further() -> None:
    assert parts(world({5: GONE}, last=5), 5) == {"queue/5": 0}


def test_weeth__request_that_is_not_finalised__is_valued_without_the_call_that_reverts() -> None:
    assert parts(world({5: request(2 * WAD, WAD)}), 5) == {"queue/5": 11 * 10**17}
    assert parts(world({5: request(WAD, WAD)}), 5) == {"queue/5": WAD}


@given(st.integers(1, 2**96 - 1), st.integers(0, 2**97), st.integers(0, 2**32 - 1))
def test_waiting_worth__any_request__is_the_smaller_less_the_fee_and_never_negative(
    amount: int, pooled: int, fee: int
) -> None:
    worth = waiting_worth(request(amount, 1, fee_gwei=fee), pooled)
    assert 0 <= worth <= amount
    assert worth in (0, min(amount, pooled) - fee * 10**9)


def test_weeth__request_of_somebody_else__is_refused_naming_the_owner() -> None:
    with pytest.raises(SourceRefused, match=f"5 of {NFT} belongs to {STRANGER.lower()}"):
        parts(world({5: request()}, owner=STRANGER, held=0), 5)


def test_weeth__invalidated_request_that_was_seized__is_nothing() -> None:
    assert parts(world({5: request(valid=False)}, owner=STRANGER, held=0), 5) == {"queue/5 invalidated": 0}


def test_weeth__request_that_is_not_listed__is_refused_or_ignored_by_name() -> None:
    chain = world({5: request()}, held=2)
    with pytest.raises(SourceRefused, match=r"holds 2 requests .* and 1 of them are listed"):
        parts(chain, 5)
    assert parts(chain, 5, unlisted="ignore") == {"queue/5": WAD, "queue/not listed": 0}
    assert parts(world({5: request()}), 5, unlisted="ignore") == {"queue/5": WAD}


def test_weeth__no_ids__is_only_good_while_nothing_is_held() -> None:
    assert parts(world({})) == {}
    with pytest.raises(SourceRefused, match="holds 1 requests"):
        parts(world({}, held=1))


def test_weeth__id_that_was_never_given_out__is_refused() -> None:
    with pytest.raises(SourceRefused, match="has not given out request 5"):
        parts(world({5: GONE}, next_id=5), 5)


def test_weeth__nft_of_another_pool__is_refused() -> None:
    chain = world({5: request()})
    chain.put(NFT, "liquidityPool()", (), ("address",), STRANGER)
    with pytest.raises(SourceRefused, match=f"{STRANGER}, not the configured {POOL}"):
        parts(chain, 5)


def test_weeth__owner_that_reverts__is_no_position_of_zero() -> None:
    chain = world({5: request()})
    chain.revert(NFT, "ownerOf(uint256)", 5)
    with pytest.raises(CallReverted):
        parts(chain, 5)


@pytest.mark.parametrize("ids", [[5, 5], [0], [2**32], "5"])
def test_configuration__wrong_ids__are_refused(ids: object) -> None:
    with pytest.raises(ValidationError, match="token_ids"):
        reader(token_ids=ids)
