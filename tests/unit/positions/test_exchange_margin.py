"""Accounts as their margin is judged by: the same questions as for the NAV, equity against notionals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from navoracle.domain.errors import SourceRefused
from navoracle.domain.risk.margin_account import MarginAccount, PerpetualExposure
from navoracle.domain.units import WAD, Wad, to_wad
from navoracle.keeper.session import ReadSession
from navoracle.ports import Answer, ExchangeCall, Request
from navoracle.positions import DeclaredMargin, ExchangeMargin
from navoracle.testing import Example, ReaderSpec, drive, read_point
from tests.unit.positions.test_exchange_perpetual import (
    BALANCES,
    INVERSE,
    POSITIONS,
    SHORT,
    answers,
    perpetual,
    wallet,
)
from tests.unit.positions.test_exchange_perpetual import reader as position_reader

AT = read_point(1_700_000_000, chain=None)
NAME = "alpha.risk.venue"


def reader(**changes: Any) -> ExchangeMargin:
    fields = {
        "kind": "exchange_margin",
        "id": NAME,
        "exchange": "venue",
        "account": "swap",
        "asset": "USDT",
        "currency": "USDT",
        "equity_includes_unrealized": False,
        "markets": {"BTC": "WBTC", "ETH": "WETH"},
    }
    return ExchangeMargin.model_validate({**fields, **changes})


def read(world: dict[Request, Answer], **changes: Any) -> MarginAccount:
    return drive(reader(**changes).read(AT), world)


class TestExchangeMarginSpec(ReaderSpec):
    def example(self) -> Example:
        listed = json.dumps([perpetual(), SHORT]).encode()
        world: dict[Request, bytes] = {**dict.fromkeys(BALANCES, wallet()), **dict.fromkeys(POSITIONS, listed)}
        expected = MarginAccount(
            "venue",
            "USDT",
            to_wad("11500"),
            (
                PerpetualExposure("BTC/USDT:USDT", "WBTC", to_wad("2"), to_wad("122000")),
                PerpetualExposure("BTC/USDT:USDT", "WBTC", to_wad("-0.5"), to_wad("30500")),
            ),
        )
        return Example(reader(), world, AT, expected)


class TestDeclaredMarginSpec(ReaderSpec):
    def example(self) -> Example:
        expected = MarginAccount(
            "binance", "USDT", to_wad("-2.5"), (PerpetualExposure("ETH", "WETH", to_wad("-3.5"), None),)
        )
        return Example(declared(balance="-2.5"), {}, AT, expected)


def declared(**changes: Any) -> DeclaredMargin:
    fields = {
        "kind": "declared_margin",
        "id": NAME,
        "venue": "binance",
        "asset": "USDT",
        "balance": "1000",
        "contracts": [{"symbol": "ETH", "asset": "WETH", "size": "-3.5"}],
    }
    return DeclaredMargin.model_validate({**fields, **changes})


def test_margin__account_that_is_also_a_position__is_asked_once() -> None:
    session = ReadSession([reader(), position_reader()], {None: AT})
    asked: list[Request] = []
    world = answers(wallet(), perpetual())
    while pending := session.pending():
        asked += [request for _, request in pending]
        session.supply({each: world[each[1]] for each in pending})
    found = session.readings().values
    assert sorted(map(str, asked)) == sorted(map(str, {*BALANCES, *POSITIONS}))
    assert all(isinstance(request, ExchangeCall) for request in asked)
    assert found[NAME].balance == found[position_reader().id][0].amount.value


def test_margin__inverse_contract__is_exposed_by_dollars_over_the_mark_price() -> None:
    world = answers(wallet("2", "BTC"), INVERSE)
    found = read(world, currency="BTC", asset="WBTC")
    (held,) = found.exposures
    assert (held.size, held.notional) == (WAD, WAD)  # 60,000 dollars at 60,000
    assert found.balance == to_wad("2.2")


def test_margin__two_looks__take_the_lower_equity_and_the_larger_exposure() -> None:
    world = answers(wallet(), perpetual())
    world[BALANCES[1]] = Answer(wallet("9990"))
    moved = perpetual(contracts="1990", notional="121390", unrealizedPnl="1990")
    world[POSITIONS[1]] = Answer(json.dumps([moved]).encode())
    found = read(world)
    assert found.balance == to_wad("11980")
    assert found.exposures[0].size == to_wad("2")


@pytest.mark.parametrize("symbol", ["SOL/USDT:USDT", "BTCDOM/USDT:USDT"])
def test_margin__market_that_nobody_named__has_a_notional_and_no_asset(symbol: str) -> None:
    (held,) = read(answers(wallet(), perpetual(symbol=symbol))).exposures
    assert (held.asset, held.notional) == (None, to_wad("122000"))


def test_margin__nothing_open__is_a_balance_alone() -> None:
    assert read(answers(wallet())) == MarginAccount("venue", "USDT", to_wad("10000"), ())


@pytest.mark.parametrize("missing", ["contracts", "contractSize", "markPrice"])
def test_margin__figure_that_is_not_stated__is_refused_and_no_zero(missing: str) -> None:
    with pytest.raises(SourceRefused, match="it lacks its size"):
        read(answers(wallet(), perpetual(**{missing: None})), verify_unrealized=False)


def test_margin__assets__are_what_it_settles_in_and_what_its_markets_follow() -> None:
    assert reader().assets == ("USDT", "WBTC", "WETH")
    assert declared().assets == ("USDT", "WETH")


def test_declared__balance_and_sizes__have_signs_and_survive_a_round_trip() -> None:
    found = declared(balance="-0.5")
    assert DeclaredMargin.model_validate(found.describe()) == found
    assert found.balance == Wad(-WAD // 2)


@pytest.mark.parametrize("balance", [1000, 0.5, "a"])
def test_declared__balance_that_is_no_exact_decimal__is_refused(balance: object) -> None:
    with pytest.raises(ValidationError, match="decimal"):
        declared(balance=balance)
