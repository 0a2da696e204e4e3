"""Laws of the store: numbers of any size survive, last valid prices only move forward, distributions add up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from navoracle.domain.flows import Flow
from navoracle.domain.prices import PriceStatus
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.storage import SqlStore
from tests.unit.storage.builders import (
    NOW,
    batch_of,
    empty_sqlite_store,
    frame_of,
    fund_frame,
    post_of,
    prepare,
    record,
    valuation_of,
)

FEW = settings(max_examples=settings().max_examples // 4)  # every example writes to a disk
observations = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from(PriceStatus), st.booleans()), min_size=1, max_size=12
)


@contextmanager
def new_store() -> Iterator[SqlStore]:
    """A store of its own for each example."""
    with TemporaryDirectory() as folder, SqlStore.open(empty_sqlite_store(Path(folder) / "navoracle.db")) as store:
        yield store


@FEW
@given(amount=st.integers(0, 2**250), price=st.integers(1, 2**250), shares=st.integers(0, 2**250))
def test_fund_frame__numbers_of_any_size__survive(amount: int, price: int, shares: int) -> None:
    found = valuation_of({"a": amount}, price=price, shares=shares)
    with new_store() as store:
        record(store, frame_of("f1", fund_frame("alpha", found), price=price))
        (row,) = store.fund_frames()
        assert row.values is not None
        assert (row.values.before, row.values.after) == (found.before, found.after)
        assert (row.values.price_per_share, row.values.shares) == (found.price_per_share, shares)
        assert [known.last_valid.price for known in store.load_prior_prices()] == [price, price + 1]


@FEW
@given(nav=st.integers(0, 2**104 - 1), data=st.binary(max_size=200), fund_id=st.integers(0, 2**16 - 1))
def test_post__any_batch__survives(nav: int, data: bytes, fund_id: int) -> None:
    batch = replace(batch_of(post_of("alpha", fund_id, nav=nav)), data=data)
    with new_store() as store:
        record(store, frame_of("f1"))
        prepare(store, "f1", batch)
        assert store.unfinished_posts()[0].batch == batch


@FEW
@given(seen=observations)
def test_last_valid__any_sequence_of_frames__is_the_newest_live_observation(
    seen: list[tuple[int, PriceStatus, bool]],
) -> None:
    newest: tuple[int, str] | None = None
    with new_store() as store:
        for number, (observed, status, sampled) in enumerate(seen):
            frame = frame_of(f"f{number}", now=NOW + 60 * number, as_of=NOW + observed, status=status)
            if sampled:
                store.record_sample(frame)
            else:
                record(store, frame)
            if status is PriceStatus.LIVE and (newest is None or observed >= newest[0]):
                newest = observed, frame.id
            expected = [] if newest is None else [(NOW + newest[0], newest[1])] * 2
            assert [(known.last_valid.observed_at, known.frame) for known in store.load_prior_prices()] == expected
        live = [f"f{number}" for number, (_, status, _) in enumerate(seen) if status is PriceStatus.LIVE]
        assert [sample.frame for sample in store.load_samples(Timestamp(0))] == live


@FEW
@given(
    dividends=st.lists(st.tuples(st.integers(1, 2**120), st.integers(0, 100)), max_size=8),
    shares=st.integers(1, 2**120),
    split=st.integers(0, 100),
)
def test_distributions_since__any_split_of_time__adds_up(
    dividends: list[tuple[int, int]], shares: int, split: int
) -> None:
    with new_store() as store:
        for amount, at in dividends:
            store.declare_flow("alpha", Flow("dividend", Wad(amount), Timestamp(at)), shares=Wad(shares))
        middle = Timestamp(split)
        before = store.distributions_since("alpha", Timestamp(-1), until=middle)
        after = store.distributions_since("alpha", middle)
        assert before + after == store.distributions_since("alpha", Timestamp(-1))
        assert before + after == sum(amount * WAD // shares for amount, _ in dividends)
