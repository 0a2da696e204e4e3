"""The tree from a number down to the raw bytes."""

from __future__ import annotations

from collections.abc import Iterator

from navoracle.domain.prices import LastValid
from navoracle.domain.prior import Prior, PriorPrice
from navoracle.domain.units import Bps, Timestamp, to_wad
from navoracle.keeper.collect import collect
from navoracle.keeper.explain import Explainer, Line
from navoracle.keeper.frame import value_and_guard
from navoracle.keeper.plan import FramePlan
from navoracle.keeper.pricing import price
from tests.unit.keeper.world import CHAIN, NOW, World, frame_plan, world


async def explained(plan: FramePlan, found: World) -> Line:
    """The tree of the plan's only fund."""
    collected = await collect(plan, {CHAIN: found.chain}, found.markets, found.clock)
    prices = price(plan, collected.readings, collected.now)
    (part,) = value_and_guard(plan, collected, prices)
    return Explainer(plan, collected.readings, prices, collected.now).fund(part)


def lines(tree: Line) -> Iterator[Line]:
    """Every line, from the top."""
    yield tree
    for child in tree.children:
        yield from lines(child)


def line(tree: Line, what: str) -> Line:
    """The first line of that name."""
    return next(found for found in lines(tree) if found.what == what)


async def test_explain__live_fund__ends_in_raw_answers() -> None:
    tree = await explained(frame_plan("cash"), world())
    assert tree.value == "1000.000000000000000000"
    balance = line(tree, "call balanceOf(address) (local)")
    assert balance.value == "0x" + (1_000 * 10**6).to_bytes(32, "big").hex()
    assert line(tree, "recorded_row (off chain)").notes == ("series USDC.one",)


async def test_explain__price_used_twice__is_explained_once() -> None:
    tree = await explained(frame_plan("mixed"), world())
    prices = [found for found in lines(tree) if found.what == "price of ETH (asset)"]
    assert len(prices) > 1
    assert [found.notes == ("explained above",) for found in prices] == [False] + [True] * (len(prices) - 1)


async def test_explain__fallback__names_last_price_age_and_frame() -> None:
    found = world()
    found.markets.rows.clear()
    last = LastValid(to_wad("1"), Bps(9_000), Timestamp(NOW - 600))
    prior = Prior(prices=(PriorPrice("USDC", "asset", last, "older"),))
    tree = await explained(frame_plan("cash", prior=prior), found)
    assert line(tree, "price of USDC (asset)").value == "0.980000000000000000"
    fallback = line(tree, "last valid price")
    assert (fallback.value, fallback.notes[:2]) == ("1.000000000000000000", ("of frame older", "600 s old"))
    assert any("without the haircuts of old prices" in note for note in tree.notes)


async def test_explain__reader_that_failed__says_why_and_what_to_do() -> None:
    found = world()
    found.chain.answers.clear()
    tree = await explained(frame_plan("cash"), found)
    assert (tree.value, tree.notes[0]) == ("none", "status halted: unread:cash.usdc:empty_result")
    failed = line(tree, "reader cash.usdc")
    assert failed.value == "failed"
    assert failed.notes[0].startswith("empty_result: ")
    assert failed.notes[1].startswith("advice: ")


async def test_explain__unpriced_fund__shows_the_price_that_is_missing() -> None:
    found = world()
    found.quote("ETH.one", "2000", age=900)
    found.quote("ETH.two", "2000", age=900)
    tree = await explained(frame_plan("mixed"), found)
    missing = line(tree, "price of ETH (asset)")
    assert (missing.value, missing.notes[0]) == ("none", "unavailable: no_quotes")
    assert "excluded: stale" in line(tree, "source ETH.one").notes


async def test_explain__leg_that_is_not_live__is_shown_under_the_quote_that_needs_it() -> None:
    found = world()
    for series in ("USDC.one", "USDC.two"):
        found.quote(series, "1", age=900)
    found.set_feed(100_000_000, age=90_000)
    tree = await explained(frame_plan("mixed"), found)
    source = line(tree, "source ETH.two")
    assert "excluded: leg_not_live" in source.notes
    assert any(child.what == "price of USDC (asset)" for child in source.children)


async def test_explain__protocol_rate_beside_the_market__is_a_cross_check() -> None:
    tree = await explained(frame_plan("mixed"), world())
    rate = line(tree, "rate mUSD.native")
    assert rate.value == "1.050000000000000000"
    assert "cross-checked with USDC" in rate.notes
