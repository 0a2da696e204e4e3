"""Frames come out as they went in, and the next prior is made of what may be relied on."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from navoracle import __version__
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import StoreError
from navoracle.domain.fees import FeeState
from navoracle.domain.frame import NavStatus
from navoracle.domain.positions import Component, HoldingAtCost
from navoracle.domain.prices import LastValid, PriceStatus, Quote
from navoracle.domain.prior import FundPrior, PriorPosition, PriorPrice, Sample
from navoracle.domain.units import WAD, Bps, RawAmount, Timestamp, Wad
from navoracle.storage import SqlStore, tables
from navoracle.store_port import FundValues
from tests.unit.storage.builders import (
    CHANGES,
    DAMAGED,
    NOW,
    STAMP,
    database_of,
    frame_of,
    fund_frame,
    hash_of,
    record,
    url_of,
    valuation_at,
    valuation_of,
)

HUGE = 3 * 10**40 + 1


def last_valid(side: str, price: int, observed_at: int, frame: str) -> PriorPrice:
    """A last valid price of USDC."""
    return PriorPrice("USDC", side, LastValid(Wad(price), Bps(9_000), Timestamp(observed_at)), frame)


def test_record_frame__valued_fund__comes_out_as_it_went_in(store: SqlStore) -> None:
    found = valuation_of({"cash": 5, "more": HUGE}, price=WAD - 7, shares=HUGE)
    frame = replace(frame_of("f1", fund_frame("alpha", found)), verifies=None)
    record(store, frame)
    (row,) = store.fund_frames()
    assert row.values == FundValues(
        before=found.before,
        after=found.after,
        nav_before=found.before.nav,
        nav_after=found.after.nav,
        price_per_share=found.price_per_share,
        shares=Wad(HUGE),
        confidence=found.confidence,
        undecayed_nav=found.undecayed_nav,
        estimated=False,
    )
    assert row.values.after.cash > 2**64
    assert (row.frame, row.fund, row.status, row.reason) == ("f1", "alpha", NavStatus.LIVE, None)
    assert (row.slot_time, row.now) == (frame.slot_time, frame.now)
    assert (row.verdicts, row.failures, row.immaterial) == ((CHANGES,), (DAMAGED,), ("dust",))
    assert row.evidence_hash == hash_of("alpha")


def test_record_frame__fund_without_valuation__keeps_the_reason_and_no_figures(store: SqlStore) -> None:
    record(store, frame_of("f1", fund_frame("alpha", None, NavStatus.HALTED, "unpriced:PT:no_quotes")))
    (row,) = store.fund_frames()
    assert (row.status, row.reason, row.values) == (NavStatus.HALTED, "unpriced:PT:no_quotes", None)


def test_record_frame__frame__comes_out_with_its_blocks_and_code_version(store: SqlStore) -> None:
    first = record(store, frame_of("f1"))
    second = record(store, replace(frame_of("f2", now=NOW + 12), verifies="f1", cadence=Cadence.EMERGENCY))
    later, earlier = store.frames()
    assert (earlier.id, later.id, later.verifies, later.cadence) == ("f1", "f2", "f1", Cadence.EMERGENCY)
    assert (earlier.slot_time, earlier.clock, earlier.now) == (first.slot_time, first.clock, first.now)
    assert earlier.stamps == (STAMP,)
    assert (later.now, later.stop_after, later.code_version) == (second.now, None, __version__)


def test_record_frame__verifying_an_unknown_frame__raises(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="not recorded"):
        record(store, replace(frame_of("f2"), verifies="f1"))


def test_record_frame__quotes_and_estimates__are_kept_with_what_was_used(store: SqlStore) -> None:
    frame = record(store, frame_of("f1", price=HUGE))
    with database_of(store).read() as connection:
        used, outlier = connection.execute(tables.quotes.select().order_by(tables.quotes.c.source)).all()
        estimates = connection.execute(tables.estimates.select().order_by(tables.estimates.c.side)).all()
    assert (used.asset, used.source, used.group, used.price) == ("USDC", "USDC:a", "first", HUGE)
    assert (used.confidence, used.observed_at, used.published_at) == (10_000, NOW, NOW)
    assert (used.used, used.excluded_reason) == (True, None)
    assert (outlier.used, outlier.excluded_reason, outlier.published_at) == (False, "outlier", None)
    assert outlier.price == 2 * HUGE
    assert [(row.side, row.price, row.status, row.spread_bps, row.as_of) for row in estimates] == [
        ("asset", HUGE, "live", 3, frame.now),
        ("debt", HUGE + 1, "live", 3, frame.now),
    ]


@pytest.mark.parametrize(("claimed", "stored"), [(2**256 - 1, 2**63 - 1), (2**63 - 1, 2**63 - 1), (0, 0)])
def test_record_frame__quote_of_an_absurd_time__is_kept_at_the_end_of_time(
    store: SqlStore, claimed: int, stored: int
) -> None:
    absurd = Quote("USDC", "USDC:c", "third", Wad(-5), Bps(0), Timestamp(claimed), published_at=Timestamp(claimed))
    record(store, replace(frame_of("f1"), quotes=(absurd,)))
    with database_of(store).read() as connection:
        (row,) = connection.execute(tables.quotes.select()).all()
    assert (row.observed_at, row.published_at, row.price) == (stored, stored, -5)


def test_evidence__recorded__is_the_same_bytes_and_compressed_inside(store: SqlStore) -> None:
    document = b'{"format":"1"}' * 1_000
    frame = replace(frame_of("f1", fund_frame("alpha", None, NavStatus.HALTED)), evidence={"alpha": document})
    record(store, frame)
    assert store.evidence("f1", "alpha") == document
    with database_of(store).read() as connection:
        row = connection.execute(tables.evidence.select()).one()
    assert len(row.document) < len(document) // 10
    assert row.hash == hash_of("alpha")


@pytest.mark.parametrize(("frame", "fund"), [("f1", "beta"), ("f2", "alpha")])
def test_evidence__none_of_that_name__raises_with_a_remedy(store: SqlStore, frame: str, fund: str) -> None:
    record(store, frame_of("f1", fund_frame("alpha", None, NavStatus.HALTED)))
    with pytest.raises(StoreError, match="no evidence") as refused:
        store.evidence(frame, fund)
    assert "history" in refused.value.advice


def test_evidence__damaged__raises(store: SqlStore) -> None:
    record(store, frame_of("f1", fund_frame("alpha", None, NavStatus.HALTED)))
    with database_of(store).write() as connection:
        connection.execute(tables.evidence.update().values(document=zlib.compress(b"other")[:-3]))
    with pytest.raises(StoreError, match="damaged"):
        store.evidence("f1", "alpha")


@pytest.mark.parametrize("sampled", [True, False])
def test_last_valid__live_frame__is_kept_for_both_sides(store: SqlStore, sampled: bool) -> None:
    frame = frame_of("f1", price=HUGE, as_of=NOW - 40)
    store.record_sample(frame) if sampled else record(store, frame)
    assert store.load_prior_prices() == (
        last_valid("asset", HUGE, NOW - 40, "f1"),
        last_valid("debt", HUGE + 1, NOW - 40, "f1"),
    )


def test_last_valid__older_observation__never_goes_backwards(store: SqlStore) -> None:
    record(store, frame_of("f1", price=WAD, as_of=NOW))
    store.record_sample(frame_of("f2", now=NOW + 60, price=2 * WAD, as_of=NOW - 1))
    assert [price.frame for price in store.load_prior_prices()] == ["f1", "f1"]


def test_last_valid__same_observation_seen_again__is_the_later_frames(store: SqlStore) -> None:
    record(store, frame_of("f1", price=WAD, as_of=NOW))
    store.record_sample(frame_of("f2", now=NOW + 60, price=2 * WAD, as_of=NOW))
    assert [price.frame for price in store.load_prior_prices()] == ["f2", "f2"]


@pytest.mark.parametrize("status", [PriceStatus.ESTIMATED, PriceStatus.UNAVAILABLE])
def test_last_valid__price_that_is_not_live__is_not_kept(store: SqlStore, status: PriceStatus) -> None:
    record(store, frame_of("f1", as_of=NOW))
    store.record_sample(frame_of("f2", now=NOW + 60, price=WAD // 2, status=status))
    record(store, frame_of("f3", now=NOW + 120, price=WAD // 2, status=status))
    assert [price.frame for price in store.load_prior_prices()] == ["f1", "f1"]
    assert [sample.frame for sample in store.load_samples(Timestamp(0))] == ["f1"]


def test_last_valid__after_a_restart__has_the_same_age(path: Path) -> None:
    with SqlStore.open(url_of(path)) as store:
        store.record_sample(frame_of("f1", price=HUGE, as_of=NOW - 2_000))
        before = store.load_prior_prices(), store.load_samples(Timestamp(0))
    with SqlStore.open(url_of(path)) as store:
        assert (store.load_prior_prices(), store.load_samples(Timestamp(0))) == before
    assert before[0][0].last_valid.observed_at == NOW - 2_000


def test_samples__several_frames__come_oldest_first_from_the_asset_side(store: SqlStore) -> None:
    store.record_sample(frame_of("f2", now=NOW + 60, price=HUGE, as_of=NOW + 7))
    store.record_sample(frame_of("f1", now=NOW, price=WAD))
    record(store, frame_of("f3", now=NOW + 120, price=3 * WAD))
    expected = (
        Sample("USDC", Timestamp(NOW), Wad(WAD), "f1"),
        Sample("USDC", Timestamp(NOW + 60), Wad(HUGE), "f2"),
        Sample("USDC", Timestamp(NOW + 120), Wad(3 * WAD), "f3"),
    )
    assert store.load_samples(Timestamp(NOW)) == expected
    assert store.load_samples(Timestamp(NOW + 60)) == expected[1:]


def test_record_sample__same_frame_twice__is_one(store: SqlStore) -> None:
    for _ in range(2):
        store.record_sample(frame_of("f1"))
    assert len(store.load_samples(Timestamp(0))) == 1
    (row,) = store.frames(samples=True)
    assert (row.id, row.stop_after) == ("f1", "price")
    assert store.frames() == ()


def test_load_fund__unknown__is_empty(store: SqlStore) -> None:
    assert store.load_fund("alpha") == FundPrior()


def test_load_fund__valued_frame__has_positions_and_fees_started(store: SqlStore) -> None:
    record(store, frame_of("f1", fund_frame("alpha", valuation_of({"b": HUGE, "a": 3}, shares=WAD))))
    prior = store.load_fund("alpha")
    assert prior.positions == (
        PriorPosition("a", Wad(3 * WAD), "f1"),
        PriorPosition("b", Wad(HUGE * WAD), "f1"),
    )
    assert prior.fees == FeeState(Wad((HUGE + 3) * WAD), NOW)
    assert prior.fees_frame == "f1"
    assert prior.confirmed is None
    assert store.load_fund("beta") == FundPrior()


def test_load_fund__later_frame__replaces_positions_and_leaves_fees(store: SqlStore) -> None:
    record(store, frame_of("f1", fund_frame("alpha", valuation_of({"gone": 3, "kept": 4}))))
    record(store, frame_of("f2", fund_frame("alpha", valuation_of({"kept": 90, "new": 1})), now=NOW + 60))
    prior = store.load_fund("alpha")
    assert [(known.position, known.value, known.frame) for known in prior.positions] == [
        ("kept", 90 * WAD, "f2"),
        ("new", WAD, "f2"),
    ]
    assert prior.fees == FeeState(Wad(7 * WAD), NOW)
    assert prior.fees_frame == "f1"


def test_load_fund__position_at_cost__is_worth_its_cost_and_its_gain(store: SqlStore) -> None:
    at_cost = HoldingAtCost("a", Component.COLLATERAL, "USDC", RawAmount(10, 0), Wad(2 * WAD))
    record(store, frame_of("f1", fund_frame("alpha", valuation_at(5 * WAD, WAD, at_cost))))
    assert store.load_fund("alpha").positions == (PriorPosition("a", Wad(50 * WAD), "f1"),)


def test_load_fund__unpriced_immaterial_position__keeps_its_last_value(store: SqlStore) -> None:
    record(store, frame_of("f1", fund_frame("alpha", valuation_of({"dust": 1, "kept": 4}))))
    record(store, frame_of("f2", fund_frame("alpha", valuation_of({"kept": 5})), now=NOW + 60))
    known = [(known.position, known.value, known.frame) for known in store.load_fund("alpha").positions]
    assert known == [("dust", WAD, "f1"), ("kept", 5 * WAD, "f2")]


@pytest.mark.parametrize("status", [NavStatus.SUSPICIOUS, NavStatus.HALTED, NavStatus.INSOLVENT])
def test_load_fund__frame_that_may_not_be_posted__changes_nothing(store: SqlStore, status: NavStatus) -> None:
    record(store, frame_of("f0", fund_frame("alpha", valuation_of({"a": 9}), status, "why")))
    assert store.load_fund("alpha") == FundPrior()
    record(store, frame_of("f1", fund_frame("alpha", valuation_of({"a": 3, "b": 4})), now=NOW + 60))
    before = store.load_fund("alpha")
    record(store, frame_of("f2", fund_frame("alpha", valuation_of({"a": 1}), status, "why"), now=NOW + 120))
    assert store.load_fund("alpha") == before


def test_fee_state__fund_worth_nothing__starts_the_clock_and_marks_later(store: SqlStore) -> None:
    record(store, frame_of("f1", fund_frame("alpha", valuation_of({"a": 0}))))
    assert store.load_fund("alpha").fees == FeeState(None, NOW)
    record(store, frame_of("f2", fund_frame("alpha", valuation_of({"a": 2})), now=NOW + 60))
    assert store.load_fund("alpha").fees == FeeState(Wad(2 * WAD), NOW)


def test_fee_state__basis_of_total_nav__marks_the_nav(store: SqlStore) -> None:
    found = valuation_of({"a": 500}, shares=250 * WAD)
    frame = frame_of("f1", fund_frame("alpha", found), fund_frame("beta", found))
    store.record_frame(frame, hashes={"alpha": "0x1", "beta": "0x2"}, fee_bases={"alpha": "total_nav"})
    assert store.load_fund("alpha").fees.high_water_mark == 500 * WAD
    assert store.load_fund("beta").fees.high_water_mark == 2 * WAD
