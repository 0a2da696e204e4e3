"""Trades: which transfers ask for an emergency, and in which words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from eth_utils.crypto import keccak

from navoracle.domain.frame import NavFrame
from navoracle.domain.prices import LastValid, PriceEstimate, PriceStatus
from navoracle.domain.prior import PriorPrice
from navoracle.domain.units import WAD, Bps, Timestamp, Wad
from navoracle.keeper import trades
from navoracle.keeper.trades import TRANSFER, LatestValues, TokenRate, TradeSubject, TradeWatch, transfer_filters
from navoracle.ports import Address, Log, LogFilter
from tests.unit.addresses import address

TOKEN, OTHER_TOKEN, SHARE, DEBT = address(0xA1), address(0xA2), address(0xA3), address(0xA4)
HOLDER, OTHER_HOLDER, STRANGER = address(0xB1), address(0xB2), address(0xB3)
USDC = TradeSubject("f", "home", HOLDER, TOKEN, "USDC", 6)
NAV = 10_000 * WAD
UNIT = 10**6


class FakeSource:
    """A chain whose logs are handed over by the test."""

    chain = "home"

    def __init__(self) -> None:
        self.filters: Sequence[LogFilter] = ()
        self.send: Callable[[tuple[Log, ...]], None] = lambda logs: None

    async def follow(self, filters: Sequence[LogFilter], on_logs: Callable[[tuple[Log, ...]], None]) -> None:
        self.filters, self.send = filters, on_logs
        await asyncio.Event().wait()


class World:
    """A watch whose prices and NAVs are set by the test; `told` is what it asked for."""

    def __init__(self, *subjects: TradeSubject, limit_bps: int = 1_000, **more: Any) -> None:
        self.prices: dict[str, int] = {"USDC": WAD, "WETH": 2_000 * WAD}
        self.navs: dict[str, int] = {"f": NAV, "g": NAV}
        self.told: list[tuple[str, str]] = []
        self.source = FakeSource()
        self.watch = TradeWatch(
            self.source,
            subjects,
            price=lambda asset: cast("Wad | None", self.prices.get(asset)),
            nav=lambda fund: cast("Wad | None", self.navs.get(fund)),
            on_trade=lambda seen: self.told.append((seen.fund, seen.reason)),
            limit_bps=Bps(limit_bps),
            **more,
        )


def topic(account: Address) -> str:
    return "0x" + account[2:].lower().rjust(64, "0")


def transfer(
    sender: Address, to: Address, amount: int, *, token: Address = TOKEN, index: int = 0, transaction: str = "0xaa"
) -> Log:
    topics = (TRANSFER, topic(sender), topic(to))
    return Log(token, topics, amount.to_bytes(32, "big"), 1, "0xb10c", transaction, index)


def test_transfer_topic__is_the_hash_of_the_event() -> None:
    assert "0x" + keccak(text="Transfer(address,address,uint256)").hex() == TRANSFER


@pytest.mark.parametrize(("sender", "to"), [(HOLDER, STRANGER), (STRANGER, HOLDER)])
def test_take__more_than_the_limit_in_either_direction__asks_with_size_part_and_transaction(
    sender: Address, to: Address
) -> None:
    world = World(USDC)
    world.watch.take([transfer(sender, to, 1_234 * UNIT + 560_000)])
    assert world.told == [("f", "trade of 1,234.56 (12.4 % of NAV) in 0xaa")]


@pytest.mark.parametrize(("amount", "asked"), [(1_000 * UNIT, False), (1_000 * UNIT + 1, True)])
def test_take__at_the_limit__only_more_than_it_asks(amount: int, asked: bool) -> None:
    world = World(USDC)
    world.watch.take([transfer(HOLDER, STRANGER, amount)])
    assert bool(world.told) is asked


def test_take__part_of_a_wei__is_rounded_up() -> None:
    world = World(USDC)
    world.prices["USDC"] = WAD + 1  # a raw unit is worth a fraction of a wei more than 1e12
    world.navs["f"] = 10 * 1_000 * UNIT * 10**12
    world.watch.take([transfer(HOLDER, STRANGER, 1_000 * UNIT)])
    assert world.told == [("f", "trade of 1,000.01 (10.1 % of NAV) in 0xaa")]


def test_take__many_transfers_of_one_transaction__are_added_up_however_they_come() -> None:
    for batches in ([[0, 1, 2]], [[0], [1], [2]], [[2, 0], [1]]):
        world = World(USDC)
        logs = [transfer(HOLDER, STRANGER, 400 * UNIT, index=index) for index in range(3)]
        for batch in batches:
            world.watch.take([logs[index] for index in batch])
        assert world.told == [("f", "trade of 1,200.00 (12.0 % of NAV) in 0xaa")]


def test_take__transfers_of_two_transactions__are_two_trades() -> None:
    world = World(USDC)
    logs = [transfer(HOLDER, STRANGER, 900 * UNIT, transaction=each) for each in ("0xaa", "0xbb")]
    world.watch.take(logs)
    assert world.told == []


def test_take__swap__is_as_large_as_its_larger_side_and_not_netted() -> None:
    weth = TradeSubject("f", "home", HOLDER, OTHER_TOKEN, "WETH", 18)
    world = World(USDC, weth)
    # Sold for a third of its worth: 2,000 out, 700 in.
    world.watch.take([transfer(HOLDER, STRANGER, WAD, token=OTHER_TOKEN), transfer(STRANGER, HOLDER, 700 * UNIT)])
    assert world.told == [("f", "trade of 2,000.00 (20.0 % of NAV) in 0xaa")]
    world = World(USDC, weth)
    # 900 out, 900 in: neither side is above the limit, and they are not added up.
    world.watch.take(
        [transfer(HOLDER, STRANGER, 900 * UNIT), transfer(STRANGER, HOLDER, 45 * WAD // 100, token=OTHER_TOKEN)]
    )
    assert world.told == []


def test_take__loan__counts_once_because_the_debt_goes_the_other_way() -> None:
    debt = TradeSubject("f", "home", HOLDER, DEBT, "USDC", 6, owed=True)
    zero = Address("0x" + "00" * 20)
    for amount, asked in ((900 * UNIT, 0), (1_100 * UNIT, 1)):
        world = World(USDC, debt)
        world.watch.take([transfer(zero, HOLDER, amount, token=DEBT), transfer(STRANGER, HOLDER, amount)])
        assert len(world.told) == asked


def test_take__between_two_holders_of_the_fund__is_no_trade() -> None:
    world = World(USDC, replace(USDC, holder=OTHER_HOLDER))
    world.watch.take([transfer(HOLDER, OTHER_HOLDER, 5_000 * UNIT), transfer(HOLDER, HOLDER, 5_000 * UNIT, index=1)])
    assert world.told == []


def test_take__to_a_holder_where_the_token_is_not_counted__is_a_trade() -> None:
    world = World(USDC, replace(USDC, holder=OTHER_HOLDER, token=OTHER_TOKEN))
    world.watch.take([transfer(HOLDER, OTHER_HOLDER, 5_000 * UNIT)])
    assert world.told == [("f", "trade of 5,000.00 (50.0 % of NAV) in 0xaa")]


def test_take__between_two_funds__is_a_trade_of_both_by_their_own_nav() -> None:
    world = World(USDC, replace(USDC, fund="g", holder=OTHER_HOLDER))
    world.navs["g"] = 100_000 * WAD
    world.watch.take([transfer(HOLDER, OTHER_HOLDER, 2_000 * UNIT)])
    assert world.told == [("f", "trade of 2,000.00 (20.0 % of NAV) in 0xaa")]
    world.watch.take([transfer(HOLDER, OTHER_HOLDER, 20_000 * UNIT, transaction="0xbb")])
    assert sorted(fund for fund, _ in world.told[1:]) == ["f", "g"]


def test_take__holder_shared_by_two_funds__is_a_trade_of_both() -> None:
    world = World(USDC, replace(USDC, fund="g"))
    world.watch.take([transfer(HOLDER, STRANGER, 2_000 * UNIT)])
    assert sorted(fund for fund, _ in world.told) == ["f", "g"]


def test_take__same_transaction_again__is_told_once() -> None:
    world = World(USDC)
    world.watch.take([transfer(HOLDER, STRANGER, 2_000 * UNIT)])
    world.watch.take([transfer(HOLDER, STRANGER, 2_000 * UNIT, index=1)])
    assert len(world.told) == 1


@pytest.mark.parametrize(
    "log",
    [
        transfer(STRANGER, OTHER_HOLDER, 5_000 * UNIT),
        transfer(HOLDER, STRANGER, 5_000 * UNIT, token=OTHER_TOKEN),
        transfer(HOLDER, STRANGER, 0),
        replace(transfer(HOLDER, STRANGER, 1), topics=(TRANSFER, topic(HOLDER), topic(STRANGER), "0x" + "00" * 32)),
        replace(transfer(HOLDER, STRANGER, 5_000 * UNIT), topics=("0x" + "12" * 32, topic(HOLDER), topic(STRANGER))),
        replace(transfer(HOLDER, STRANGER, 5_000 * UNIT), data=b""),
    ],
    ids=["stranger", "other token", "nothing", "nft", "other event", "no amount"],
)
def test_take__no_transfer_of_a_subject__asks_for_nothing(log: Log) -> None:
    world = World(USDC)
    world.prices.clear()  # else it would not be told from a small one
    world.watch.take([log])
    assert world.told == []


def test_take__unknown_price__asks_and_names_the_asset() -> None:
    world = World(USDC)
    del world.prices["USDC"]
    world.watch.take([transfer(HOLDER, STRANGER, 1)])
    assert world.told == [("f", "transfer of USDC without a known price in 0xaa")]


def test_take__unknown_nav__asks_and_says_so() -> None:
    world = World(USDC)
    del world.navs["f"]
    world.watch.take([transfer(HOLDER, STRANGER, UNIT)])
    assert world.told == [("f", "trade of 1.00 without a known NAV in 0xaa")]


def test_take__nav_of_nothing__every_trade_asks() -> None:
    world = World(USDC)
    world.navs["f"] = -5 * WAD
    world.watch.take([transfer(HOLDER, STRANGER, UNIT)])
    assert world.told == [("f", "trade of 1.00 with a NAV of -5.00 in 0xaa")]


def test_take__other_limit__is_the_one_that_counts() -> None:
    world = World(USDC, limit_bps=100)
    world.watch.take([transfer(HOLDER, STRANGER, 101 * UNIT)])
    assert world.told == [("f", "trade of 101.00 (1.1 % of NAV) in 0xaa")]


def test_take__more_transactions_than_are_remembered__forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trades, "MAX_TRADES", 2)
    world = World(USDC)
    for number in range(5):
        world.watch.take([transfer(HOLDER, STRANGER, 600 * UNIT, transaction=f"0x{number}")])
    assert len(world.watch._trades) == 2
    world.watch.take([transfer(HOLDER, STRANGER, 600 * UNIT, transaction="0x4", index=1)])
    assert len(world.told) == 1


# ---- shares at a rate


async def test_run__shares__are_valued_at_the_rate_that_was_read() -> None:
    share = TradeSubject("f", "home", HOLDER, SHARE, "USDC", 6, at_rate=True)
    readings: list[Mapping[Address, TokenRate]] = [{}, {SHARE: (1_100_000, WAD)}]
    waited: list[float] = []
    rest = asyncio.Event()

    async def read() -> Mapping[Address, TokenRate]:
        return readings.pop(0)

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await (asyncio.sleep(0) if readings and len(waited) > 1 else rest.wait())
        rest.clear()

    world = World(share, read_rates=read, sleep=sleep)
    task = asyncio.create_task(world.watch.run())
    await asyncio.sleep(0.01)
    world.source.send((transfer(HOLDER, STRANGER, 1, token=SHARE),))
    assert world.told == [("f", "transfer of USDC without a known price in 0xaa")]
    rest.set()
    await asyncio.sleep(0.01)
    world.source.send((transfer(HOLDER, STRANGER, 909 * WAD, token=SHARE, transaction="0xbb"),))
    assert len(world.told) == 1
    world.source.send((transfer(HOLDER, STRANGER, 910 * WAD, token=SHARE, transaction="0xcc"),))
    assert world.told[1:] == [("f", "trade of 1,001.00 (10.1 % of NAV) in 0xcc")]
    assert waited == [60.0, 3_600.0]  # soon again while a rate is missing
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_run__subjects_of_the_chain__are_followed_until_cancelled() -> None:
    world = World(USDC, replace(USDC, chain="other", token=OTHER_TOKEN))
    task = asyncio.create_task(world.watch.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert {token for wanted in world.source.filters for token in wanted.addresses} == {TOKEN}
    world.source.send((transfer(HOLDER, STRANGER, 2_000 * UNIT),))
    assert len(world.told) == 1
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_run__nothing_to_watch_on_the_chain__is_over_at_once() -> None:
    async with asyncio.timeout(1):
        await World(replace(USDC, chain="other")).watch.run()


# ---- filters


def test_transfer_filters__many_holders_and_tokens__are_cut_into_lists_that_nodes_take() -> None:
    holders = [Address(f"0x{number:040x}") for number in range(250)]
    subjects = [replace(USDC, fund=f"f{number}", holder=holder) for number, holder in enumerate(holders)]
    filters = transfer_filters([*subjects, replace(USDC, token=OTHER_TOKEN)])
    assert len(filters) == 6
    assert all(wanted.addresses == (TOKEN, OTHER_TOKEN) for wanted in filters)
    for place in (1, 2):
        lists = [wanted.topics[place] or () for wanted in filters if len(wanted.topics) == place + 1]
        assert max(map(len, lists)) == 100
        assert {each for part in lists for each in part} == {topic(holder) for holder in (*holders, HOLDER)}
    assert [wanted.topics[1] for wanted in filters if len(wanted.topics) == 3] == [None] * 3


def test_transfer_filters__token_of_one_holder__is_asked_for_that_holder_alone() -> None:
    filters = transfer_filters([USDC])
    assert filters == (
        LogFilter((TOKEN,), ((TRANSFER,), (topic(HOLDER),))),
        LogFilter((TOKEN,), ((TRANSFER,), None, (topic(HOLDER),))),
    )


# ---- latest values


def frame(estimates: Mapping[tuple[str, str], PriceEstimate], navs: Mapping[str, int | None] | None = None) -> NavFrame:
    """A frame with what `LatestValues` looks at: prices, and NAVs (None: not valued)."""
    funds = [
        SimpleNamespace(
            fund=fund, valuation=None if nav is None else SimpleNamespace(after=SimpleNamespace(nav=Wad(nav)))
        )
        for fund, nav in (navs or {}).items()
    ]
    return cast("NavFrame", SimpleNamespace(estimates=estimates, funds=funds))


def estimate(price: int | None, status: PriceStatus) -> PriceEstimate:
    return PriceEstimate("A", cast("Wad | None", price), Bps(0), status, None, None, None, (), ())


def test_latest_values__live_price__replaces_the_last_one_and_others_do_not() -> None:
    known = PriorPrice("A", "asset", LastValid(Wad(5), Bps(1), Timestamp(1)), "frame")
    owed = PriorPrice("B", "debt", LastValid(Wad(6), Bps(1), Timestamp(1)), "frame")
    values = LatestValues("USD", [known, owed], {"f": Wad(7)})
    assert [values.price(each) for each in ("A", "B", "USD")] == [5, None, WAD]
    assert (values.nav("f"), values.nav("g")) == (7, None)
    values.observe(frame({("A", "asset"): estimate(8, PriceStatus.ESTIMATED)}))
    values.observe(frame({("A", "asset"): estimate(None, PriceStatus.UNAVAILABLE)}))
    assert values.price("A") == 5
    values.observe(frame({("A", "asset"): estimate(9, PriceStatus.LIVE), ("B", "debt"): estimate(9, PriceStatus.LIVE)}))
    assert [values.price(each) for each in ("A", "B")] == [9, None]


def test_latest_values__fund_that_was_valued__has_its_nav_and_keeps_it_while_it_is_not() -> None:
    values = LatestValues("USD")
    values.observe(frame({}, {"f": 7, "g": None}))
    values.observe(frame({}, {"f": None}))
    assert (values.nav("f"), values.nav("g")) == (7, None)
