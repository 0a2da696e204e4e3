"""Derivatives accounts: equity and nothing else, and what is checked of it."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.domain.errors import MalformedResult, SourceRefused
from navoracle.domain.positions import Component, Holding, MarginCall
from navoracle.domain.units import WAD, Bps, RawAmount
from navoracle.ports import Answer, ExchangeCall, Request
from navoracle.positions import ExchangePerpetualPosition
from navoracle.positions.exchange import ExchangeBalancePosition
from navoracle.testing import Example, ReaderSpec, drive, read_point

AT = read_point(1_700_000_000, chain=None)
BALANCES, POSITIONS = (
    tuple(ExchangeCall("venue", method, "swap", look) for look in (1, 2))
    for method in ("fetch_balance", "fetch_positions")
)
NAME = "alpha.perps"


def reader(**changes: Any) -> ExchangePerpetualPosition:
    fields = {
        "kind": "exchange_perpetual",
        "id": NAME,
        "exchange": "venue",
        "account": "swap",
        "asset": "USDT",
        "currency": "USDT",
        "equity_includes_unrealized": False,
    }
    return ExchangePerpetualPosition.model_validate({**fields, **changes})


def perpetual(**changes: Any) -> dict[str, Any]:
    """2 BTC long from 60,000, now 61,000: a profit of 2,000."""
    return {
        "symbol": "BTC/USDT:USDT",
        "side": "long",
        "contracts": "2000",
        "contractSize": "0.001",
        "notional": "122000",
        "entryPrice": "60000",
        "markPrice": "61000",
        "unrealizedPnl": "2000",
        "marginMode": "cross",
        "maintenanceMargin": "500",
        "collateral": None,
        **changes,
    }


SHORT = perpetual(side="short", contracts="500", unrealizedPnl="-500", maintenanceMargin="125")
INVERSE = perpetual(
    symbol="BTC/USD:BTC",
    contracts="600",
    contractSize="100",
    entryPrice="50000",
    markPrice="60000",
    unrealizedPnl="0.2",
    maintenanceMargin="0.01",
)


def wallet(total: str | None = "10000", currency: str = "USDT", **more: Any) -> bytes:
    return json.dumps({currency: {"free": None, "used": None, "total": total, **more}}).encode()


def answers(balance: bytes, *positions: dict[str, Any]) -> dict[Request, Answer]:
    listed = Answer(json.dumps(positions).encode())
    return {**dict.fromkeys(BALANCES, Answer(balance)), **dict.fromkeys(POSITIONS, listed)}


def read(balance: bytes, *positions: dict[str, Any], **changes: Any) -> tuple[Any, ...]:
    return tuple(drive(reader(**changes).read(AT), answers(balance, *positions)))


def equity(balance: bytes, *positions: dict[str, Any], **changes: Any) -> int:
    held = read(balance, *positions, **changes)[0]
    return int(-held.amount.value if held.component is Component.DEBT else held.amount.value)


def margin(*positions: dict[str, Any], total: str = "10000", **changes: Any) -> MarginCall:
    call = read(wallet(total), *positions, **changes)[-1]
    assert isinstance(call, MarginCall)
    return call


class TestExchangePerpetualSpec(ReaderSpec):
    def example(self) -> Example:
        listed = json.dumps([perpetual(), SHORT]).encode()
        world: dict[Request, bytes] = {**dict.fromkeys(BALANCES, wallet()), **dict.fromkeys(POSITIONS, listed)}
        amount, covered = RawAmount(11_500 * WAD, 18), RawAmount(625 * WAD, 18)
        expected = (
            Holding(NAME, Component.COLLATERAL, "USDT", amount, None, Bps(9_000)),
            MarginCall(f"{NAME}/margin", "USDT", covered, covered, None, Bps(9_000)),
        )
        return Example(reader(), world, AT, expected)


def test_read__equity_is_wallet_plus_unrealized__and_never_the_notional() -> None:
    assert equity(wallet(), perpetual()) == 12_000 * WAD
    assert equity(wallet(), perpetual(notional="999999999")) == 12_000 * WAD


def test_read__gain__is_in_the_equity_and_in_no_other_component() -> None:
    components = [position.component for position in read(wallet(), perpetual())]
    assert components == [Component.COLLATERAL, Component.MARGIN_CALLS]


def test_read__unrealized_already_in_the_account_equity__is_not_added_again() -> None:
    assert equity(wallet("12000"), perpetual(), equity_includes_unrealized=True) == 12_000 * WAD


def test_configuration__whether_the_equity_includes_unrealized__must_be_said() -> None:
    described = reader().describe()
    del described["equity_includes_unrealized"]
    with pytest.raises(ValidationError, match="equity_includes_unrealized"):
        ExchangePerpetualPosition.model_validate(described)


def test_read__hedged_pair_of_one_symbol__counts_each_side_for_itself() -> None:
    assert equity(wallet(), perpetual(), SHORT) == 11_500 * WAD
    assert equity(wallet(), SHORT, perpetual()) == 11_500 * WAD


def test_read__one_side_listed_twice__is_refused() -> None:
    with pytest.raises(SourceRefused, match="lists one position twice"):
        read(wallet(), perpetual(), perpetual())


def test_read__contracts_of_an_inverse_market_are_in_usd__and_settle_in_the_coin() -> None:
    # 60,000 USD long from 50,000 to 60,000: 60,000 x (1/50,000 - 1/60,000) = 0.2 BTC.
    found = equity(wallet("1", "BTC"), INVERSE, asset="WBTC", currency="BTC")
    assert found == 12 * WAD // 10
    with pytest.raises(SourceRefused, match="states a profit that its size"):
        read(wallet("1", "BTC"), {**INVERSE, "unrealizedPnl": "10000"}, asset="WBTC", currency="BTC")


@pytest.mark.parametrize("figure", ["unrealizedPnl", "contracts", "contractSize", "markPrice", "entryPrice"])
def test_read__figure_is_none__is_never_zero(figure: str) -> None:
    with pytest.raises(SourceRefused):
        read(wallet(), perpetual(**{figure: None}))


@pytest.mark.parametrize("total", [None])
def test_read__wallet_total_is_none__is_never_zero(total: None) -> None:
    with pytest.raises(SourceRefused, match="does not state the total"):
        read(wallet(total), perpetual())
    with pytest.raises(SourceRefused, match="does not list USDT"):
        read(wallet("1", "BTC"), perpetual())


def test_read__unverified__takes_the_exchange_at_its_word() -> None:
    vague = perpetual(markPrice=None, entryPrice=None, contracts=None)
    assert equity(wallet(), vague, verify_unrealized=False) == 12_000 * WAD
    with pytest.raises(SourceRefused, match="states no unrealized profit"):
        read(wallet(), perpetual(unrealizedPnl=None), verify_unrealized=False)


def test_read__profit_beyond_the_tolerance_of_its_notional__is_refused() -> None:
    # 100 bps of 122,000: 1,220.
    assert equity(wallet(), perpetual(unrealizedPnl="3220")) == 13_220 * WAD
    assert equity(wallet(), perpetual(unrealizedPnl="780")) == 10_780 * WAD
    for profit in ("3220.000000000000000001", "779.999999999999999999", "-2000"):
        with pytest.raises(SourceRefused, match="states a profit"):
            read(wallet(), perpetual(unrealizedPnl=profit))


def test_read__inverse_profit_beyond_the_tolerance_of_its_notional__is_refused() -> None:
    # 100 bps of 60,000 USD at 60,000, which is 1 BTC.
    coin: dict[str, Any] = {"asset": "WBTC", "currency": "BTC"}
    for profit, within in (("0.21", True), ("0.210000000000000001", False), ("0.19", True), ("0.189999", False)):
        stated = {**INVERSE, "unrealizedPnl": profit}
        if within:
            assert equity(wallet("1", "BTC"), stated, **coin) > WAD
            continue
        with pytest.raises(SourceRefused, match="states a profit"):
            read(wallet("1", "BTC"), stated, **coin)


def test_read__equity_below_zero__is_a_debt_rounded_up() -> None:
    (held, *_) = read(wallet("100"), perpetual(markPrice="59000", unrealizedPnl="-2000.0000000000000000001"))
    assert (held.component, held.amount.value) == (Component.DEBT, 1_900 * WAD + 1)
    assert held.id == NAME


def test_read__borrowed_wallet__is_less_by_its_debt() -> None:
    assert equity(wallet("10000", debt="4000")) == 6_000 * WAD
    with pytest.raises(SourceRefused, match="what is owed"):
        read(wallet(), borrows=True)


@pytest.mark.parametrize("owed", [{"total": "0", "debt": "2"}, {"total": "-2"}, {"total": None, "debt": "2"}])
def test_read__debt_in_another_currency__is_refused_unless_it_is_counted_elsewhere(owed: dict[str, Any]) -> None:
    both = json.loads(wallet()) | {"BTC": owed}
    with pytest.raises(SourceRefused, match="owes BTC, which nothing here counts"):
        read(json.dumps(both).encode())
    assert equity(json.dumps(both).encode(), elsewhere=["BTC"]) == 10_000 * WAD
    assert equity(json.dumps(both | {"BTC": {"total": "3", "debt": "0"}}).encode()) == 10_000 * WAD


def test_read__funding_accrued_since_the_last_settlement__is_set_aside_by_the_allowance() -> None:
    found = read(wallet(), perpetual(), SHORT, funding_allowance_bps=8)
    held = {position.id: position for position in found}[f"{NAME}/funding"]
    # 8 bps of 122,000 and of 30,500.
    assert (held.component, held.amount.value) == (Component.DEBT, 122 * WAD)


def test_read__larger_funding_of_two_looks__counts() -> None:
    world = answers(wallet(), perpetual())
    for look in POSITIONS:
        dearer = json.dumps([perpetual(markPrice="61010", unrealizedPnl="2020")]).encode()
        found: Any = drive(reader(funding_allowance_bps=8).read(AT), {**world, look: Answer(dearer)})
        assert found[1].amount.value == 97_616 * WAD // 1_000


def test_read__funding_allowance_of_an_inverse_market__is_in_the_coin() -> None:
    found = read(wallet("1", "BTC"), INVERSE, asset="WBTC", currency="BTC", funding_allowance_bps=10)
    # 60,000 USD at 60,000 are 1 BTC.
    assert {position.id: position for position in found}[f"{NAME}/funding"].amount.value == WAD // 1_000


def test_read__position_that_settles_elsewhere__is_refused_by_name() -> None:
    with pytest.raises(SourceRefused, match="long BTC/USD:BTC settles in BTC, not in USDT"):
        read(wallet(), INVERSE)


@pytest.mark.parametrize("symbol", [None, "BTCUSDT", "BTC/USDT", "BTC/USD:BTC-251226-100000-C", 5])
def test_read__symbol_of_no_perpetual_or_future__is_refused(symbol: object) -> None:
    with pytest.raises(SourceRefused, match="no perpetual or future"):
        read(wallet(), perpetual(symbol=symbol))


def test_read__dated_future__is_read_like_a_perpetual() -> None:
    assert equity(wallet(), perpetual(symbol="BTC/USDT:USDT-261225")) == 12_000 * WAD


def test_read__market_that_settles_in_a_third_currency__cannot_be_checked() -> None:
    quanto = perpetual(symbol="ETH/USD:USDT")
    with pytest.raises(SourceRefused, match="a currency of the market"):
        read(wallet(), quanto)
    assert equity(wallet(), quanto, verify_unrealized=False) == 12_000 * WAD


@pytest.mark.parametrize("profit", [None, "0", "0.0"])
def test_read__closed_position_that_is_still_listed__counts_nothing(profit: str | None) -> None:
    assert equity(wallet(), perpetual(contracts="0", unrealizedPnl=profit, side=None)) == 10_000 * WAD


def test_read__closed_position_with_a_profit__is_refused() -> None:
    with pytest.raises(SourceRefused, match="not positive"):
        read(wallet(), perpetual(contracts="0"))


@pytest.mark.parametrize("side", [None, "both", ""])
def test_read__neither_long_nor_short__is_refused(side: str | None) -> None:
    with pytest.raises(SourceRefused, match="neither long nor short"):
        read(wallet(), perpetual(side=side))


def test_read__maintenance_above_the_equity__is_a_margin_call_of_the_shortfall() -> None:
    call = margin(perpetual(maintenanceMargin="3000.5"), total="500")
    assert (call.maintenance.value, call.collateral.value) == (3_000 * WAD + WAD // 2, 2_500 * WAD)
    assert call.shortfall.value == 500 * WAD + WAD // 2


def test_read__maintenance_covered__is_a_margin_call_of_nothing() -> None:
    assert margin(perpetual()).shortfall.value == 0
    assert margin().shortfall.value == 0


def test_read__isolated_positions__do_not_cover_one_another() -> None:
    rich = perpetual(marginMode="isolated", maintenanceMargin="100", collateral="9000")
    poor = {**SHORT, "marginMode": "isolated", "maintenanceMargin": "300", "collateral": "250"}
    cross = perpetual(symbol="ETH/USDT:USDT", maintenanceMargin="400")
    assert margin(rich, poor).shortfall.value == 50 * WAD
    # Of the equity of 13,500 the isolated ones have 9,250; 4,250 are left for the other.
    assert margin(rich, poor, cross).shortfall.value == 50 * WAD
    assert margin(rich, poor, {**cross, "maintenanceMargin": "4300"}).shortfall.value == 100 * WAD


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"maintenanceMargin": None}, "maintenance margin"),
        ({"marginMode": None}, "cross or isolated"),
        ({"marginMode": "isolated", "collateral": None}, "collateral"),
    ],
)
def test_read__margin_not_stated__is_refused_unless_watched_elsewhere(changes: dict[str, Any], missing: str) -> None:
    with pytest.raises(SourceRefused, match=missing):
        read(wallet(), perpetual(**changes))
    assert len(read(wallet(), perpetual(**changes), margin_call=False)) == 1


def test_read__margin_mode_of_the_account__stands_in_for_positions_that_state_none() -> None:
    assert margin(perpetual(marginMode=None), margin_mode="cross").shortfall.value == 0


def test_read__two_looks_apart__take_the_lower_equity_within_the_limit() -> None:
    world = answers(wallet(), perpetual())
    for look in BALANCES:
        lower = {**world, look: Answer(wallet("9940"))}
        assert drive(reader().read(AT), lower)[0].amount.value == 11_940 * WAD  # type: ignore[union-attr]
        with pytest.raises(SourceRefused, match="two looks at the equity"):
            drive(reader().read(AT), {**world, look: Answer(wallet("9939.99"))})


def test_read__position_closed_between_two_looks__is_refused() -> None:
    world = answers(wallet(), perpetual(unrealizedPnl="0", markPrice="60000"))
    for look in POSITIONS:
        with pytest.raises(SourceRefused, match="opened or closed between two looks"):
            drive(reader().read(AT), {**world, look: Answer(b"[]")})


def test_read__worse_margin_of_two_looks__counts() -> None:
    world = answers(wallet("500"), perpetual())
    for look in POSITIONS:
        worse = {**world, look: Answer(json.dumps([perpetual(maintenanceMargin="2600")]).encode())}
        call: Any = drive(reader().read(AT), worse)[-1]
        assert call.shortfall.value == 100 * WAD


@pytest.mark.parametrize("data", [b"{}", b"[1]", b"null", b"[[]]", b'[{"symbol":"BTC/USDT:USDT","contracts":true}]'])
def test_read__positions_of_another_shape__are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedResult):
        drive(reader().read(AT), {**answers(wallet()), **dict.fromkeys(POSITIONS, Answer(data))})


def test_claims__wallet_counted_as_balance_too__are_the_same() -> None:
    balance = ExchangeBalancePosition.model_validate(
        {
            "kind": "exchange_balance",
            "id": "alpha.cash",
            "exchange": "venue",
            "account": "swap",
            "currencies": [{"currency": "USDT", "asset": "USDT"}],
        }
    )
    assert balance.claims == reader().claims


def test_configuration__component_that_is_owed__is_refused() -> None:
    with pytest.raises(ValidationError, match="no component of an equity"):
        reader(component="debt")


CENTS = st.integers(1, 10**9)


@given(size=CENTS, entry=CENTS, mark=CENTS, short=st.booleans(), inverse=st.booleans())
def test_read__profit_by_the_formula__always_passes_its_check(
    size: int, entry: int, mark: int, short: bool, inverse: bool
) -> None:
    contracts, first, last = (Fraction(value, 100) for value in (size, entry, mark))
    gain = contracts * (1 / first - 1 / last) if inverse else contracts * (last - first)
    scaled = -(-(-gain if short else gain) * 10**36 // 1)
    stated = perpetual(
        symbol="BTC/USDT:BTC" if inverse else "BTC/USDT:USDT",
        side="short" if short else "long",
        contracts=f"{size}e-2",
        contractSize="1",
        entryPrice=f"{entry}e-2",
        markPrice=f"{mark}e-2",
        unrealizedPnl=f"{scaled}e-36",
    )
    currency = "BTC" if inverse else "USDT"
    balance = wallet("1e30", currency)
    found = equity(balance, stated, currency=currency, mark_tolerance_bps=1, margin_call=False)
    assert found == 10**48 + scaled // 10**18
