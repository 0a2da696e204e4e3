"""A Curve pool's moving average: scaled back by its rates, and every refusal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from navoracle.abi import selector
from navoracle.domain.errors import SourceRefused
from navoracle.domain.prices import Quote
from navoracle.domain.units import WAD, Bps, Timestamp, Wad, to_wad
from navoracle.ports import Call
from navoracle.prices import CurveEma, Source
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
POOL, USDC, SUSDE = address(1), address(2), address(3)
TRADED = NOW - 4_000
EMA = to_wad("0.998")
RATES = (10**30, to_wad("1.2"))


def source(**changes: Any) -> CurveEma:
    fields = {
        "kind": "curve_ema",
        "id": "susde-curve",
        "asset": "sUSDe",
        "group": "curve",
        "chain": "local",
        "quoted_in": "USDC",
        "pool": POOL,
        "coin": SUSDE,
        "quote_coin": USDC,
        "liquidity": "10000000",
        "min_liquidity": "1000000",
        "decimals": 18,
        "quote_decimals": 6,
    }
    return CurveEma.model_validate({**fields, **changes})


def world(
    ema: int = EMA,
    *,
    rates: tuple[int, ...] = RATES,
    depth: int = to_wad("10000000"),
    times: int = NOW - 5 << 128 | TRADED,
    index: int = 1,
    decimals: tuple[int, int] = (18, 6),
) -> FakeChain:
    chain = coins(index, decimals)
    chain.put(POOL, "price_oracle(uint256)", (index - 1,), ("uint256",), ema)
    chain.put(POOL, "stored_rates()", (), ("uint256[]",), list(rates))
    chain.put(POOL, "D_oracle()", (), ("uint256",), depth)
    chain.put(POOL, "ma_last_time()", (), ("uint256",), times)
    return chain


def coins(index: int = 1, decimals: tuple[int, int] = (18, 6)) -> FakeChain:
    chain = FakeChain(block_stamp(NOW))
    chain.put(POOL, "coins(uint256)", (0,), ("address",), USDC)
    chain.put(POOL, "coins(uint256)", (index,), ("address",), SUSDE)
    chain.put(SUSDE, "decimals()", (), ("uint8",), decimals[0])
    chain.put(USDC, "decimals()", (), ("uint8",), decimals[1])
    return chain


def whole_coins(ema: int = EMA, *, single: bool = True, index: int = 1, balance: int = 10**13) -> FakeChain:
    chain = coins(index)
    if single:
        chain.put(POOL, "price_oracle()", (), ("uint256",), ema)
    else:
        chain.put(POOL, "price_oracle(uint256)", (index - 1,), ("uint256",), ema)
    chain.put(POOL, "balances(uint256)", (0,), ("uint256",), balance)
    return chain


def read(chain: FakeChain, **changes: Any) -> Quote:
    return drive(source(**changes).read(AT), chain.answer)


def expected(price: str, published_at: int | None = TRADED) -> Quote:
    published = None if published_at is None else Timestamp(published_at)
    return Quote("sUSDe", "susde-curve", "curve", to_wad(price), Bps(7_000), Timestamp(NOW), None, published)


class TestCurveEmaSpec(ReaderSpec):
    def example(self) -> Example:
        return Example(source(), world().good_answers(), AT, expected("1.1976"))


class TestCurveEmaOfTheThirdCoinSpec(ReaderSpec):
    def example(self) -> Example:
        chain = world(index=2, rates=(10**30, 10**18, to_wad("1.5")))
        return Example(source(index=2), chain.good_answers(), AT, expected("1.497"))


class TestCurveEmaOfTwoWholeCoinsSpec(ReaderSpec):
    def example(self) -> Example:
        return Example(source(form="single"), whole_coins().good_answers(), AT, expected("0.998", None))


class TestCurveEmaOfIndexedWholeCoinsSpec(ReaderSpec):
    def example(self) -> Example:
        chain = whole_coins(to_wad("2345"), single=False, index=2)
        return Example(source(form="indexed", index=2), chain.good_answers(), AT, expected("2345", None))


def test_price__of_rate_scaled_balances__is_multiplied_by_the_ratio_of_the_rates() -> None:
    # An sUSDe that redeems for 1.2 USDe trades at 0.998 USDe's worth: without its rate it would be 17 % too low.
    assert read(world()).price == to_wad("1.1976")
    assert read(world(rates=(10**30, 10**18))).price == EMA


@given(
    st.integers(1, 18 * 10**17).filter(lambda ema: ema not in (WAD, 18 * 10**17)),
    st.integers(1, 10**36),
    st.integers(1, 10**36),
    st.integers(0, 36),
    st.integers(0, 36),
)
def test_price__any_rates_and_scales__is_floored_once_and_never_zero(
    ema: int, rate: int, base: int, decimals: int, quote_decimals: int
) -> None:
    chain = world(ema, rates=(base, rate), decimals=(decimals, quote_decimals))
    changes = {"decimals": decimals, "quote_decimals": quote_decimals}
    above, below = ema * rate * 10**decimals, base * 10**quote_decimals
    if above < below:
        with pytest.raises(SourceRefused, match="price 0 is not positive"):
            read(chain, **changes)
        return
    found = read(chain, **changes).price
    assert found * below <= above < (found + 1) * below


@pytest.mark.parametrize("form", ["stableswap_ng", "single", "indexed"])
def test_read__spot_and_the_virtual_price_that_a_donation_lifts__are_never_asked(form: str) -> None:
    chain = world() if form == "stableswap_ng" else whole_coins(single=form == "single")
    asked: list[bytes] = []

    def answer(request: Any) -> Any:
        asked.append(request.data[:4])
        return chain.answer(request)

    drive(source(form=form).read(AT), answer)
    spot = (
        "get_p(uint256)",
        "get_p()",
        "last_price(uint256)",
        "last_price()",
        "last_prices()",
        "get_dy(int128,int128)",
        "get_virtual_price()",
        "virtual_price()",
    )
    assert asked
    assert not {selector(signature) for signature in spot} & set(asked)


@pytest.mark.parametrize("form", ["stableswap_ng", "single", "indexed"])
def test_read__average_at_its_start_of_1__is_refused(form: str) -> None:
    chain = world(WAD) if form == "stableswap_ng" else whole_coins(WAD, single=form == "single")
    with pytest.raises(SourceRefused, match="exactly 1, as it was deployed"):
        read(chain, form=form)


def test_read__average_at_its_start__names_the_last_time() -> None:
    with pytest.raises(SourceRefused, match=rf"last trade or deployment at {TRADED}"):
        read(world(WAD))


@pytest.mark.parametrize("ema", [WAD - 1, WAD + 1])
def test_read__average_a_unit_from_its_start__is_read(ema: int) -> None:
    assert read(world(ema, rates=(10**30, 10**18))).price == ema


@pytest.mark.parametrize(
    ("ema", "margin", "refused"),
    [
        (to_wad("1.8"), 1_000, True),
        (Wad(to_wad("1.8") - 1), 1_000, False),
        (to_wad("1.999999"), 0, False),
        (to_wad("2"), 0, True),
        (to_wad("1.7"), 1_500, True),
    ],
)
def test_read__average_near_its_cap_of_2__is_refused(ema: int, margin: int, refused: bool) -> None:
    if refused:
        with pytest.raises(SourceRefused, match="of 2, beyond which"):
            read(world(ema), bound_margin_bps=margin)
    else:
        assert read(world(ema), bound_margin_bps=margin).price > 0


@pytest.mark.parametrize(("ema", "refused"), [(18 * WAD // 10 - 1, False), (18 * WAD // 10, True)])
def test_read__spot_capped_at_2e18__stops_a_tenth_below_it_unless_set(ema: int, refused: bool) -> None:
    if refused:
        with pytest.raises(SourceRefused, match="within 1000 bps of 2"):
            read(world(ema))
    else:
        assert read(world(ema)).price > 0


def test_read__whole_coins_above_2__have_no_cap() -> None:
    assert read(whole_coins(to_wad("2345")), form="single").price == to_wad("2345")


@pytest.mark.parametrize("place", [0, 1])
def test_read__other_coins__are_refused(place: int) -> None:
    chain = world()
    chain.put(POOL, "coins(uint256)", (place,), ("address",), address(9))
    with pytest.raises(SourceRefused, match=rf"coins\({place}\) of {POOL} is {address(9)}"):
        read(chain)


@pytest.mark.parametrize("rates", [(), (10**30,), (0, 10**18), (10**30, 0)])
def test_read__no_rate_of_a_coin__is_refused(rates: tuple[int, ...]) -> None:
    with pytest.raises(SourceRefused, match="with none for 0 or 1"):
        read(world(rates=rates))


def test_read__pool_nobody_seeded__is_refused() -> None:
    with pytest.raises(SourceRefused, match=r"holds 0\.00, less than 1000000\.00"):
        read(world(depth=0))


@pytest.mark.parametrize(
    ("depth", "confidence"), [("1000000", 700), ("5000000", 3_500), ("10000000", 7_000), ("99000000", 7_000)]
)
def test_confidence__less_liquidity_than_required__lowers_it_in_proportion(depth: str, confidence: int) -> None:
    assert read(world(depth=to_wad(depth))).confidence == confidence
    raw = to_wad(depth) // 10**12
    assert read(whole_coins(balance=raw), form="single").confidence == confidence


def test_read__less_than_the_least_liquidity__is_refused() -> None:
    with pytest.raises(SourceRefused, match="less than"):
        read(world(depth=to_wad("1000000") - 1))
    with pytest.raises(SourceRefused, match="less than"):
        read(whole_coins(balance=10**12 - 1), form="single")


@pytest.mark.parametrize("traded", [0, NOW + 1])
def test_read__last_trade_at_no_time__is_refused(traded: int) -> None:
    with pytest.raises(SourceRefused, match=f"last took down prices at {traded}"):
        read(world(times=NOW << 128 | traded))


def test_published_at__last_trade__is_the_low_half_of_the_times() -> None:
    found = read(world(times=(NOW - 1) << 128 | NOW - 9))
    assert (found.observed_at, found.published_at) == (NOW, NOW - 9)


def test_resolve__decimals__are_those_of_both_coins() -> None:
    found = drive(source(decimals=None, quote_decimals=None).resolve(AT), world().answer)
    assert (found.decimals, found.quote_decimals) == (18, 6)


def test_read__one_round__is_enough() -> None:
    reading = source().read(AT)
    first = next(reading)
    assert len(first) == len({request for request in first if isinstance(request, Call)}) == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"index": 0}, "index"),
        ({"index": 8}, "index"),
        ({"form": "single", "index": 2}, "two coins"),
        ({"form": "other"}, "form"),
        ({"liquidity": "999999"}, "more than `liquidity`"),
        ({"min_liquidity": "0"}, "min_liquidity"),
        ({"quoted_in": None}, "quoted_in"),
    ],
)
def test_configuration__wrong__is_refused_naming_the_field(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        source(**changes)


def test_configuration__kind__decides_the_model() -> None:
    union: TypeAdapter[Source] = TypeAdapter(Source)
    assert union.validate_python(source().describe()) == source()
