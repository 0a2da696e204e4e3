"""Balances of an exchange account: what is missing is not zero, and two looks must agree."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.domain.errors import MalformedResult, ReadError, SourceRefused
from navoracle.domain.positions import Component, Holding
from navoracle.domain.units import WAD, Bps, RawAmount
from navoracle.ports import Answer, ExchangeCall, Request
from navoracle.positions import ExchangeBalancePosition
from navoracle.positions.base import Claim
from navoracle.positions.exchange import agree
from navoracle.testing import Example, ReaderSpec, drive, read_point

AT = read_point(1_700_000_000, chain=None)
LOOKS = tuple(ExchangeCall("venue", "fetch_balance", "margin", look) for look in (1, 2))
USDT = {"currency": "USDT", "asset": "USDT"}
BTC = {"currency": "BTC", "asset": "WBTC", "component": "collateral"}


def position(**changes: Any) -> ExchangeBalancePosition:
    fields = {
        "kind": "exchange_balance",
        "id": "alpha.venue",
        "exchange": "venue",
        "account": "margin",
        "currencies": [USDT, BTC],
    }
    return ExchangeBalancePosition.model_validate({**fields, **changes})


def stated(total: str | None, free: str | None = None, used: str | None = None, **more: str | None) -> dict[str, Any]:
    return {"free": free, "used": used, "total": total, **more}


def balance(**currencies: Any) -> bytes:
    currencies = {"USDT": stated("100.5"), "BTC": stated("0.25"), **currencies}
    found = {name: value for name, value in currencies.items() if value is not None}
    parts = {part: {name: value[part] for name, value in found.items()} for part in ("free", "used", "total")}
    return json.dumps({**found, **parts, "timestamp": None, "datetime": None}).encode()


def read(first: bytes, second: bytes | None = None, **changes: Any) -> tuple[Holding, ...]:
    answers: dict[Request, Answer] = {LOOKS[0]: Answer(first), LOOKS[1]: Answer(first if second is None else second)}
    found: Any = drive(position(**changes).read(AT), answers)
    return tuple(found)


def amounts(found: tuple[Holding, ...]) -> dict[str, int]:
    return {holding.id.removeprefix("alpha.venue/"): holding.amount.value for holding in found}


def held(name: str, component: Component, asset: str, amount: int) -> Holding:
    return Holding(f"alpha.venue/{name}", component, asset, RawAmount(amount, 18), None, Bps(9_000))


class TestExchangeBalanceSpec(ReaderSpec):
    def example(self) -> Example:
        data = balance(USDT=stated("100.5", debt="40.25"))
        expected = (
            held("USDT", Component.CASH, "USDT", 100_500_000_000_000_000_000),
            held("USDT-debt", Component.DEBT, "USDT", 40_250_000_000_000_000_000),
            held("BTC", Component.COLLATERAL, "WBTC", 250_000_000_000_000_000),
            held("BTC-debt", Component.DEBT, "WBTC", 0),
        )
        return Example(position(), dict.fromkeys(LOOKS, data), AT, expected)


def test_read__only_free_known_and_total_none__is_never_read_as_zero() -> None:
    with pytest.raises(SourceRefused, match="does not state the total of USDT"):
        read(balance(USDT=stated(None, free="100")))


def test_read__debt_is_separate_and_positive__is_subtracted_as_a_debt() -> None:
    found = read(balance(USDT=stated("100", debt="250.000000000000000000001")))
    debt = next(holding for holding in found if holding.id == "alpha.venue/USDT-debt")
    assert (debt.component, debt.amount.value) == (Component.DEBT, 250 * WAD + 1)
    assert ("USDT", "debt") in position().assets


def test_read__negative_debt__is_refused() -> None:
    with pytest.raises(SourceRefused, match="debt of USDT is negative"):
        read(balance(USDT=stated("100", debt="-1")))


def test_read__negative_total__is_a_debt_rounded_up() -> None:
    found = amounts(read(balance(USDT=stated("-5.0000000000000000001"))))
    assert (found["USDT"], found["USDT-debt"]) == (0, 5 * WAD + 1)


def test_read__negative_total_and_a_debt__is_refused() -> None:
    with pytest.raises(SourceRefused, match="negative total and a debt"):
        read(balance(USDT=stated("-5", debt="5")))


@pytest.mark.parametrize(
    "owed", [stated("0", debt="0.1"), stated("-0.1"), stated("5", debt="0.1"), stated(None, debt="1")]
)
def test_read__debt_of_an_ignored_currency__is_never_left_out(owed: dict[str, Any]) -> None:
    for look in ((balance(BNB=owed), balance()), (balance(), balance(BNB=owed))):
        with pytest.raises(SourceRefused, match="owes BNB, which nothing here counts"):
            read(*look, ignore=["BNB"])
    assert len(read(balance(BNB=owed), elsewhere=["BNB"])) == 4


def test_read__account_that_borrows__must_state_each_debt() -> None:
    with pytest.raises(SourceRefused, match="does not state what is owed of BTC"):
        read(balance(USDT=stated("1", debt="0")), borrows=True)
    whole = balance(USDT=stated("1", debt="0"), BTC=stated("1", debt="0.5"))
    assert amounts(read(whole, borrows=True))["BTC-debt"] == WAD // 2


def test_read__more_places_than_held__rounds_assets_down_and_debts_up() -> None:
    found = amounts(read(balance(USDT=stated("1.0000000000000000019", debt="1.0000000000000000011"))))
    assert (found["USDT"], found["USDT-debt"]) == (WAD + 1, WAD + 2)


def test_read__two_looks_apart__are_taken_within_the_limit_against_the_fund() -> None:
    first, second = balance(USDT=stated("1000", debt="10")), balance(USDT=stated("999", debt="10.01"))
    for looks in ((first, second), (second, first)):
        found = amounts(read(*looks))
        assert (found["USDT"], found["USDT-debt"]) == (999 * WAD, 10 * WAD + WAD // 100)


@pytest.mark.parametrize(
    "other",
    [
        stated("998.999999999999999999"),
        stated("1001.002"),
        stated("0"),
        stated("1000", debt="1"),
    ],
)
def test_read__two_looks_disagree__is_refused(other: dict[str, Any]) -> None:
    first, second = balance(USDT=stated("1000")), balance(USDT=other)
    for looks in ((first, second), (second, first)):
        with pytest.raises(SourceRefused, match="two looks at USDT"):
            read(*looks)


def test_read__second_look__comes_after_the_first_answer() -> None:
    reading = position().read(AT)
    assert next(reading) == (LOOKS[0],)
    assert reading.send((balance(),)) == (LOOKS[1],)


def test_read__currency_that_nobody_configured__is_refused_by_name_unless_ignored() -> None:
    data = balance(DOGE=stated("3"), SHIB=stated("0", free="0", used="0"))
    with pytest.raises(SourceRefused, match="holds DOGE, which nothing prices"):
        read(data)
    assert len(read(data, ignore=["DOGE"])) == 4


@pytest.mark.parametrize(
    "stranger", [stated("0", free="1"), stated("0", debt="1"), stated(None), stated(None, free="0"), stated("-1")]
)
def test_read__stranger_that_is_not_plainly_empty__is_refused(stranger: dict[str, Any]) -> None:
    with pytest.raises(SourceRefused, match="holds DOGE"):
        read(balance(DOGE=stranger))


def test_read__stranger_in_one_look_only__is_refused() -> None:
    for looks in ((balance(), balance(DOGE=stated("3"))), (balance(DOGE=stated("3")), balance())):
        with pytest.raises(SourceRefused, match="holds DOGE"):
            read(*looks)


def test_read__currency_not_listed__is_refused_unless_the_exchange_omits_zero() -> None:
    with pytest.raises(SourceRefused, match="does not list BTC"):
        read(balance(BTC=None))
    assert amounts(read(balance(BTC=None), omits_zero=True))["BTC"] == 0


def test_read__currency_listed_in_one_look_only__is_refused_even_where_zero_is_omitted() -> None:
    with pytest.raises(SourceRefused, match="two looks at BTC total"):
        read(balance(), balance(BTC=None), omits_zero=True)


@pytest.mark.parametrize("data", [b"[]", b"{}}", b'{"USDT":5}', b'{"USDT":{"total":"x"}}', b'{"USDT":{"total":true}}'])
def test_read__answer_of_another_shape__is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedResult):
        read(data)


def test_claims__one_account_through_two_readers__are_the_same() -> None:
    assert position(id="other").claims == position().claims
    assert position().claims[0] == Claim(None, "venue", "margin", "USDT balance")
    assert position(account="spot").claims[0] != position().claims[0]


@pytest.mark.parametrize("account", ["", "spot", "margin", "swap", "unified"])
def test_claims__account_without_a_name__may_be_any_of_the_exchanges(account: str) -> None:
    unnamed, named = set(position(account="").claims), set(position(account=account).claims)
    assert unnamed & named == named if account else unnamed == named
    assert not unnamed & set(position(account=account, exchange="another").claims)


@pytest.mark.parametrize(
    "changes",
    [
        {"currencies": []},
        {"currencies": [USDT, USDT]},
        {"ignore": ["USDT"]},
        {"currencies": [{**USDT, "component": "debt"}]},
        {"currencies": [{**USDT, "more": 1}]},
        {"agreement_bps": 10_001},
        {"exchange": ""},
    ],
)
def test_configuration__wrong__is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        position(**changes)


FIGURES = st.integers(-(10**24), 10**24)


@given(FIGURES, FIGURES, st.integers(0, 10_000))
def test_agree__any_two_figures__is_symmetric_and_exact(one: int, other: int, limit: int) -> None:
    found = agree(one, other, Bps(limit))
    assert found is agree(other, one, Bps(limit))
    assert found is (abs(one - other) * 10_000 <= limit * max(abs(one), abs(other)))
    assert agree(one, one, Bps(0))


@given(
    first=st.integers(0, 10**9),
    second=st.integers(0, 10**9),
    limit=st.integers(0, 10_000),
    owed=st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)),
)
def test_read__any_two_looks__never_value_above_either(
    first: int, second: int, limit: int, owed: tuple[int, int]
) -> None:
    looks = [
        balance(USDT=stated(f"{total}e-3", debt=f"{debt}e-3"))
        for total, debt in zip((first, second), owed, strict=True)
    ]
    try:
        found = amounts(read(*looks, agreement_bps=limit))
    except ReadError:
        assert first != second or owed[0] != owed[1]
    else:
        assert found["USDT"] == min(first, second) * 10**15
        assert found["USDT-debt"] == max(owed) * 10**15
