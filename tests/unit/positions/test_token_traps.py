"""What goes wrong with tokens and vaults: each trap by its name, and the option that meets it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.abi import encode_call, selector
from navoracle.domain.errors import CallReverted, DecimalsChanged, EmptyResult, MalformedResult, SourceRefused
from navoracle.domain.positions import LIABILITIES, Component, Holding
from navoracle.domain.units import RawAmount, to_wad
from navoracle.ports import Answer, Call, Request
from navoracle.positions import Erc20Position
from navoracle.positions.erc20 import decode_symbol
from navoracle.testing import Example, FakeChain, ReaderSpec, drive
from navoracle.testing.fakes import EMPTY
from tests.unit.addresses import address
from tests.unit.positions.test_token_positions import (
    AT,
    HOLDER,
    SHARES,
    TOKEN,
    VAULT,
    erc20,
    erc4626,
    holding,
    native,
    world,
)

WAD = 10**18


def steth(**changes: Any) -> Erc20Position:
    return erc20(**{"decimals": 18, "asset": "stETH", "shares": True, **changes})


def steth_world(balance: int, shares: int, pooled: int) -> FakeChain:
    chain = world(balance, decimals=18)
    chain.put(TOKEN, "sharesOf(address)", (HOLDER,), ("uint256",), shares)
    chain.put(TOKEN, "getPooledEthByShares(uint256)", (shares,), ("uint256",), pooled)
    return chain


def checked_world(symbol: str = "USDC", *, blacklisted: bool = False) -> FakeChain:
    chain = world()
    chain.put(TOKEN, "symbol()", (), ("string",), symbol)
    chain.put(TOKEN, "isBlacklisted(address)", (HOLDER,), ("bool",), blacklisted)
    return chain


class TestErc20WithEveryCheckSpec(ReaderSpec):
    def example(self) -> Example:
        chain = steth_world(11 * WAD, 10 * WAD, 11 * WAD)
        chain.put(TOKEN, "symbol()", (), ("string",), "stETH")
        chain.put(TOKEN, "isBlacklisted(address)", (HOLDER,), ("bool",), False)
        expected = Holding("usdc", Component.CASH, "stETH", RawAmount(11 * WAD, 18))
        reader = steth(symbol="stETH", blacklist="isBlacklisted")
        return Example(reader, chain.good_answers(), AT, (expected,))


class TestErc4626MaxWithdrawSpec(ReaderSpec):
    def example(self) -> Example:
        expected = Holding("vault", Component.COLLATERAL, "USDC", RawAmount(300, 6))
        return Example(erc4626(realizable="max_withdraw"), withdrawable(300), AT, (expected,))


class TestErc4626WithBandAndLossSpec(ReaderSpec):
    def example(self) -> Example:
        chain = vault_world(rate=1_080_000)
        chain.put(VAULT, "lostAssets()", (), ("uint256",), 1)
        chain.put(VAULT, "totalAssets()", (), ("uint256",), 1_000)
        expected = Holding("vault", Component.COLLATERAL, "USDC", RawAmount(540_000_000 - 540_000, 6))
        reader = erc4626(min_rate="1", max_rate="1.08", share_decimals=18, lost_assets="deduct")
        return Example(reader, chain.good_answers(), AT, (expected,))


def vault_world(rate: int) -> FakeChain:
    """A vault of which a whole share of 18 decimals converts to `rate`."""
    chain = world()
    chain.put(VAULT, "decimals()", (), ("uint8",), 18)
    chain.put(VAULT, "convertToAssets(uint256)", (WAD,), ("uint256",), rate)
    return chain


def withdrawable(limit: int) -> dict[Request, bytes]:
    """A vault that says a limit, and where a withdrawal of it succeeds from the holder's address."""
    chain = world()
    chain.put(VAULT, "maxWithdraw(address)", (HOLDER,), ("uint256",), limit)
    return {**chain.good_answers(), withdrawal(limit): SHARES.to_bytes(32, "big")}


def withdrawal(limit: int) -> Request:
    data = encode_call("withdraw(uint256,address,address)", limit, HOLDER, HOLDER)
    return Call(VAULT, data, direct=True, sender=HOLDER)


@given(st.integers(0, 10**30), st.integers(1, 10**30))
def test_erc20__rebasing__counts_the_balance_of_the_block_and_shares_must_agree(shares: int, rate: int) -> None:
    pooled = shares * rate // WAD
    assert holding(steth(), steth_world(pooled, shares, pooled)).amount == RawAmount(pooled, 18)
    for balance in (pooled + 1, pooled - 1):
        if balance >= 0:
            with pytest.raises(SourceRefused, match="shares that are worth"):
                holding(steth(), steth_world(balance, shares, pooled))


@pytest.mark.parametrize("answer", [EMPTY, Answer(b""), Answer(b"", "call_reverted")])
def test_erc20__decimals_missing__is_refused_and_never_taken_as_18(answer: Answer) -> None:
    chain = world()
    chain.answers[TOKEN, encode_call("decimals()")] = answer
    for reading in (erc20(decimals=None).resolve(AT), erc20().read(AT)):
        with pytest.raises((EmptyResult, CallReverted)):
            drive(reading, chain.answer)


def test_erc20__proxy_upgrade_that_changes_the_scale__is_refused() -> None:
    with pytest.raises(DecimalsChanged, match="had 6 decimals and now says 18"):
        holding(erc20(), world(decimals=18))


def test_erc20__blacklisted_holder__is_refused_where_it_is_asked() -> None:
    chain = checked_world(blacklisted=True)
    assert holding(erc20(), chain).amount.value == 1_500_000
    with pytest.raises(SourceRefused, match=f"{TOKEN} has blacklisted {HOLDER}"):
        holding(erc20(blacklist="isBlacklisted"), chain)
    assert holding(erc20(blacklist="isBlacklisted"), checked_world()).amount.value == 1_500_000


@pytest.mark.parametrize("getter", ["isBlacklisted", "isBlackListed", "isFrozen"])
def test_erc20__blacklist__is_asked_by_the_tokens_own_getter(getter: str) -> None:
    chain = world()
    chain.put(TOKEN, f"{getter}(address)", (HOLDER,), ("bool",), True)
    with pytest.raises(SourceRefused, match="blacklisted"):
        holding(erc20(blacklist=getter), chain)


def test_erc20__spoof_token_at_a_guessed_address__is_refused_at_start_and_at_every_reading() -> None:
    chain = checked_world("USDC.x")
    for reading in (erc20(symbol="USDC", decimals=None).resolve(AT), erc20(symbol="USDC").read(AT)):
        with pytest.raises(SourceRefused, match=f"{TOKEN} calls itself 'USDC.x', not 'USDC'"):
            drive(reading, chain.answer)
    assert drive(erc20(symbol="USDC", decimals=None).resolve(AT), checked_world().answer) == erc20(symbol="USDC")


def test_erc20__address_without_code__is_refused() -> None:
    with pytest.raises(EmptyResult):
        drive(erc20(token=address(77)).read(AT), world().answer)


def test_decode_symbol__text_in_32_bytes_as_old_tokens_have_it__is_read() -> None:
    assert decode_symbol(b"MKR".ljust(32, b"\0")) == "MKR"
    with pytest.raises(MalformedResult, match="no symbol"):
        decode_symbol(b"\xff" * 32)
    with pytest.raises(EmptyResult):
        decode_symbol(b"")


def test_native__gas_reserve__is_left_out_and_never_makes_it_negative() -> None:
    assert holding(native(gas_reserve="0.5"), world()).amount == RawAmount(25 * 10**17, 18)
    assert holding(native(gas_reserve="4"), world()).amount == RawAmount(0, 18)
    with pytest.raises(ValidationError, match="more places"):
        native(gas_reserve="0.1234567890123456789")


@pytest.mark.parametrize("component", sorted(component.value for component in LIABILITIES))
def test_native__gas_reserve_of_a_liability__is_refused_because_it_would_lower_it(component: str) -> None:
    with pytest.raises(ValidationError, match="would lower what is owed"):
        native(component=component, gas_reserve="0.1")
    assert native(component=component, gas_reserve="0").side == "debt"


def test_native__wrapped_coin__is_counted_separately() -> None:
    assert set(native().claims).isdisjoint(erc20(token=TOKEN).claims)
    assert native().claims == native(id="other", component="cash").claims


def test_erc4626__preview_redeem__has_fees_that_convert_to_assets_ignores() -> None:
    chain = world()
    chain.put(VAULT, "previewRedeem(uint256)", (SHARES,), ("uint256",), 538_000_000)
    assert holding(erc4626(), chain).amount.value == 540_000_000
    assert holding(erc4626(realizable="preview_redeem"), chain).amount.value == 538_000_000


def test_erc4626__preview_redeem_of_an_asynchronous_vault__reverts_and_is_refused() -> None:
    chain = world()
    chain.revert(VAULT, "previewRedeem(uint256)", SHARES)
    with pytest.raises(CallReverted):
        holding(erc4626(realizable="preview_redeem"), chain)


def test_erc4626__limit__is_what_can_be_had_now() -> None:
    answers = {request: Answer(data) for request, data in withdrawable(7).items()}
    (found,) = drive(erc4626(realizable="max_withdraw").read(AT), answers)
    assert found == Holding("vault", Component.COLLATERAL, "USDC", RawAmount(7, 6))
    zero = {request: Answer(data) for request, data in withdrawable(0).items() if request != withdrawal(0)}
    (found,) = drive(erc4626(realizable="max_withdraw").read(AT), zero)
    assert found == Holding("vault", Component.COLLATERAL, "USDC", RawAmount(0, 6))


def test_erc4626__limit_positive_while_redeem_reverts__is_refused_with_its_reason() -> None:
    answers = {request: Answer(data) for request, data in withdrawable(500_000).items()}
    answers[withdrawal(500_000)] = Answer(bytes.fromhex("f50a3b52"), "call_reverted")
    with pytest.raises(CallReverted, match="500000 can be withdrawn, and a withdrawal of it reverts with 0xf50a3b52"):
        drive(erc4626(realizable="max_withdraw").read(AT), answers)


@pytest.mark.parametrize(
    ("rate", "refused"), [(999_999, True), (1_000_000, False), (1_100_000, False), (1_100_001, True), (2_000_000, True)]
)
def test_erc4626__donation_that_moves_the_rate_out_of_its_band__is_refused(rate: int, refused: bool) -> None:
    reader = erc4626(min_rate="1", max_rate="1.1", share_decimals=18)
    if refused:
        with pytest.raises(SourceRefused, match=r"outside 1\.0* to 1\.10*$|outside"):
            holding(reader, vault_world(rate))
    else:
        assert holding(reader, vault_world(rate)).amount.value == 540_000_000


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**18))
def test_erc4626__any_rate__is_compared_with_its_band_exactly(low: int, high: int, rate: int) -> None:
    low, high = sorted((low, high))
    reader = erc4626(min_rate=f"{low}", max_rate=f"{high}", share_decimals=18)
    chain = vault_world(rate)
    if low * 10**6 <= rate <= high * 10**6:
        assert holding(reader, chain).amount.value == 540_000_000
    else:
        with pytest.raises(SourceRefused):
            holding(reader, chain)


def test_erc4626__share_of_another_scale__is_refused() -> None:
    chain = vault_world(1_000_000)
    chain.put(VAULT, "convertToAssets(uint256)", (10**8,), ("uint256",), 1_000_000)
    with pytest.raises(DecimalsChanged, match="had 8 decimals and now says 18"):
        holding(erc4626(max_rate="2", share_decimals=8), chain)


@given(st.integers(0, 10**24), st.integers(1, 10**24))
def test_erc4626__lost_assets__are_deducted_rounded_up(lost: int, total: int) -> None:
    chain = world()
    chain.put(VAULT, "lostAssets()", (), ("uint256",), lost)
    chain.put(VAULT, "totalAssets()", (), ("uint256",), total)
    assert holding(erc4626(), chain).amount.value == 540_000_000
    if lost > total:
        with pytest.raises(SourceRefused, match=f"lost {lost} of {total}"):
            holding(erc4626(lost_assets="deduct"), chain)
    else:
        left = holding(erc4626(lost_assets="deduct"), chain).amount.value
        assert left * total <= 540_000_000 * (total - lost) < (left + 1) * total


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"min_rate": "1"}, "share_decimals"),
        ({"share_decimals": 18}, "min_rate"),
        ({"min_rate": "2", "max_rate": "1", "share_decimals": 18}, "no rate lies between"),
        ({"max_rate": to_wad("1"), "share_decimals": 18}, "quotes"),
        ({"realizable": "max_withdraw", "lost_assets": "deduct"}, "lost_assets"),
        ({"realizable": "all"}, "realizable"),
    ],
)
def test_erc4626__options_that_contradict_each_other__are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        erc4626(**changes)


def test_erc4626__no_options__asks_no_more_than_before() -> None:
    asked: list[bytes] = []

    def answer(request: Request) -> Answer:
        asked.append(request.data[:4] if isinstance(request, Call) else b"")
        return world().answer(request)

    drive(erc4626().read(AT), answer)
    names = ("balanceOf(address)", "asset()", "decimals()", "convertToAssets(uint256)")
    assert asked == [selector(name) for name in names]
