"""Breakers over a real store: what frames, people and time do to them, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from navoracle.domain.breaker import Breaker, BreakerPolicy, BreakerState, Role
from navoracle.domain.cadence import Cadence
from navoracle.domain.errors import DomainError, GuardRefused, StoreError
from navoracle.domain.frame import FundFrame, GuardDistance, NavFrame, NavStatus
from navoracle.domain.prices import PriceEstimate, PriceStatus, unavailable
from navoracle.domain.units import Timestamp
from navoracle.domain.valuation import PriceKey
from navoracle.domain.verdicts import Outcome, Verdict
from navoracle.keeper.breakers import EVENT, BreakerChange, Breakers
from navoracle.storage import SqlStore
from navoracle.store_port import BreakerSubject, Severity
from tests.unit.domain.builders import live
from tests.unit.domain.guard_facts import fund
from tests.unit.storage.builders import empty_sqlite_store

CADENCE = Cadence.HOURLY
POLICY = BreakerPolicy(cool_down=600, agreements=2, large_changes=3, window=86_400, no_majority_frames=3)
F, G, ETH = BreakerSubject("fund", "f"), BreakerSubject("fund", "g"), BreakerSubject("asset", "ETH")
START = 1_800_000_000
WITHIN = GuardDistance(10, 10_000, 10, 25_000, 10, "step")
LARGE = (Verdict("change", Outcome.VERIFY, "moved", "Look."),)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with SqlStore.open(empty_sqlite_store(tmp_path / "navoracle.db")) as opened:
        yield opened


def part(status: NavStatus = NavStatus.LIVE, reason: str | None = None, **changes: object) -> FundFrame:
    found = FundFrame("f", status, reason, fund(), (), (), (), WITHIN, agrees=True)
    return replace(found, **changes)  # type: ignore[arg-type]


HALTED = part(NavStatus.HALTED, "breaker", verdicts=(Verdict("breaker", Outcome.HALT, "open", "Wait."),))
DISAGREED = part(NavStatus.SUSPICIOUS, "second_frame_disagrees")


class Keeper:
    """Frames in a row, recorded and given to the breakers as the service does."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.breakers = Breakers(store, POLICY)
        self.count = 0

    def frame(self, at: int, *parts: FundFrame, eth: PriceEstimate | None = None) -> tuple[BreakerChange, ...]:
        self.count += 1
        time = Timestamp(START + at)
        frame = NavFrame(
            id=f"frame{self.count}",
            slot_time=time,
            cadence=CADENCE,
            clock=time,
            now=Timestamp(time - 5),
            stamps=(),
            quotes=(),
            estimates={} if eth is None else {("ETH", "asset"): eth},
            failures=(),
            funds=parts,
        )
        self.store.record_frame(frame, hashes={})
        return self.breakers.after_frame(frame)

    def of(self, subject: BreakerSubject = F) -> Breaker:
        return self.breakers.load().get(subject, Breaker())


def test_after_frame__calm__changes_and_tells_nothing(store: SqlStore) -> None:
    keeper = Keeper(store)
    assert keeper.frame(0, part(), eth=live("2000", asset="ETH")) == ()
    assert (keeper.breakers.load(), store.events(kind=EVENT)) == ({}, ())


def test_after_frame__second_frame_disagreed__opens_in_the_store_and_leaves_an_event(store: SqlStore) -> None:
    keeper = Keeper(store)
    ((subject, before, after),) = keeper.frame(0, DISAGREED, part(fund="g"))
    assert (subject, before) == (F, Breaker())
    assert after == Breaker().open("second_frame_disagrees", Timestamp(START))
    assert Breakers(store, POLICY).load() == {F: after}
    (row,) = store.events(kind=EVENT)
    assert (row.event.fund, row.event.severity, row.event.at) == ("f", Severity.CRITICAL, START)
    assert "second_frame_disagrees" in row.event.message
    assert row.event.advice == after.advice
    assert row.event.data["by"] == "keeper"


def test_after_frame__cool_down_then_agreeing_frames__closes_and_every_step_is_told(store: SqlStore) -> None:
    keeper = Keeper(store)
    keeper.frame(0, DISAGREED)
    assert keeper.frame(599, HALTED) == ()
    steps = [keeper.frame(at, HALTED) for at in (600, 660, 720)]
    states = [(change.after.state, change.after.agreed) for ((change),) in steps]
    assert states == [(BreakerState.HALF_OPEN, 0), (BreakerState.HALF_OPEN, 1), (BreakerState.CLOSED, 0)]
    assert keeper.breakers.load() == {}
    assert [row.event.data["after"] for row in reversed(store.events(kind=EVENT))] == [
        "open", "half_open", "half_open", "closed",
    ]  # fmt: skip


def test_after_frame__restart_on_trial__goes_on_where_it_was(store: SqlStore) -> None:
    keeper = Keeper(store)
    keeper.frame(0, DISAGREED)
    keeper.frame(600, HALTED)
    keeper.frame(660, HALTED)
    again = Keeper(store)
    again.count = 10
    ((_, before, after),) = again.frame(720, HALTED)
    assert (before.agreed, after.state) == (1, BreakerState.CLOSED)


def test_after_frame__insolvent_hour_after_hour__is_told_once_and_waits_for_a_reset(store: SqlStore) -> None:
    keeper = Keeper(store)
    broke = part(NavStatus.INSOLVENT, "insolvent", agrees=None, distance=None)
    ((_, _, opened),) = keeper.frame(0, broke)
    assert opened.needs_reset
    assert keeper.frame(3_600, broke) == ()
    assert keeper.of().since == START + 3_600
    assert len(store.events(kind=EVENT)) == 1
    assert keeper.frame(10**6, HALTED) == ()


def test_after_frame__large_change_in_the_third_slot__opens(store: SqlStore) -> None:
    keeper = Keeper(store)
    large = part(NavStatus.VERIFIED, verdicts=LARGE)
    assert keeper.frame(0, large) == ()
    assert keeper.frame(3_600, large) == ()
    ((_, _, opened),) = keeper.frame(7_200, large)
    assert opened.reasons == ("repeated_change",)


def test_after_frame__two_frames_of_one_slot__are_one_large_change(store: SqlStore) -> None:
    keeper = Keeper(store)
    first, second = part(NavStatus.SUSPICIOUS, "change", verdicts=LARGE), part(NavStatus.VERIFIED, verdicts=LARGE)
    for at in (0, 3_600):
        for found in (first, second):
            frame = replace(_bare(f"{found.status.value}{at}", START + at), funds=(found,))
            store.record_frame(frame, hashes={})
            assert keeper.breakers.after_frame(frame) == ()


def test_after_frame__large_changes_longer_ago_than_the_window__count_no_more(store: SqlStore) -> None:
    keeper = Keeper(store)
    large = part(NavStatus.VERIFIED, verdicts=LARGE)
    keeper.frame(0, large)
    keeper.frame(3_600, large)
    assert keeper.frame(86_400 + 10, large) == ()


def test_after_frame__large_changes_before_a_reset__count_no_more(store: SqlStore) -> None:
    keeper = Keeper(store)
    large = part(NavStatus.VERIFIED, verdicts=LARGE)
    for at in (0, 3_600, 7_200):
        keeper.frame(at, large)
    keeper.breakers.reset(F, Timestamp(START + 8_000), Role.RISK)
    assert keeper.frame(10_800, large) == ()
    assert keeper.frame(14_400, large) == ()
    assert len(keeper.frame(18_000, large)) == 1


HALT = unavailable("ETH", "native_halt", native_gap_bps=-900)
SPLIT = replace(live("2000", asset="ETH"), status=PriceStatus.ESTIMATED, reason="no_majority")
ETHER = live("2000", asset="ETH")


def test_after_frame__native_halt_in_a_sample__stops_the_asset_until_its_prices_agree(store: SqlStore) -> None:
    keeper = Keeper(store)
    ((subject, _, opened),) = keeper.frame(0, eth=HALT)
    assert (subject, opened.reasons) == (ETH, ("native_halt",))
    assert store.events(kind=EVENT)[0].event.fund is None
    assert keeper.frame(60, eth=HALT) == ()
    assert [keeper.frame(at, eth=ETHER) for at in (120, 659)] == [(), ()]
    states = [keeper.frame(at, eth=ETHER)[0].after.state for at in (660, 720, 780)]
    assert states == [BreakerState.HALF_OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]


def test_after_frame__asset_derived_from_one_that_halts__is_left_to_its_base(store: SqlStore) -> None:
    breakers = Breakers(store, POLICY, {"wETH": "ETH", "other": "USDC"})
    halts: dict[PriceKey, PriceEstimate] = {
        (name, "asset"): replace(HALT, asset=name) for name in ("ETH", "wETH", "other")
    }
    frame = replace(_bare("f1", START), estimates=halts)
    assert [change.subject.name for change in breakers.after_frame(frame)] == ["ETH", "other"]


def test_after_frame__no_majority_three_frames_in_a_row__stops_the_asset(store: SqlStore) -> None:
    keeper = Keeper(store)
    calm_between = [keeper.frame(at, eth=eth) for at, eth in ((0, SPLIT), (60, SPLIT), (120, ETHER), (180, SPLIT))]
    assert calm_between == [()] * 4
    assert keeper.frame(240, eth=SPLIT) == ()
    ((_, _, opened),) = keeper.frame(300, eth=SPLIT)
    assert opened.reasons == ("no_majority",)


def test_after_frame__asset_moves_between_its_frames__opens_again(store: SqlStore) -> None:
    keeper = Keeper(store)
    keeper.frame(0, eth=HALT)
    keeper.frame(600, eth=ETHER)
    ((_, _, again),) = keeper.frame(660, eth=live("2011", asset="ETH"))
    assert (again.state, again.reasons) == (BreakerState.OPEN, ("native_halt", "frames_disagree"))


def test_after_frame__asset_after_a_restart__agrees_with_the_stored_price(store: SqlStore) -> None:
    keeper = Keeper(store)
    keeper.frame(0, eth=HALT)
    keeper.frame(600, eth=ETHER)
    again = Keeper(store)
    again.count = 10
    ((_, _, after),) = again.frame(660, eth=ETHER)
    assert after.agreed == 1


def test_cool_down__without_a_frame__lets_those_be_half_open_whose_time_is_over(store: SqlStore) -> None:
    keeper = Keeper(store)
    keeper.frame(0, DISAGREED)
    keeper.breakers.open(G, "odd", Timestamp(START), Role.GUARDIAN)
    assert keeper.breakers.cool_down(Timestamp(START + 599)) == ()
    ((subject, _, after),) = keeper.breakers.cool_down(Timestamp(START + 600))
    assert (subject, after.state) == (F, BreakerState.HALF_OPEN)
    assert keeper.of(G).state is BreakerState.OPEN


def test_open__by_a_guardian__stays_until_risk_resets_it(store: SqlStore) -> None:
    breakers = Breakers(store, POLICY)
    change = breakers.open(F, "guardian 0x1: odd", Timestamp(5), Role.GUARDIAN)
    assert change is not None
    assert change.after.needs_reset
    assert store.events(kind=EVENT)[0].event.data["by"] == "guardian"
    assert breakers.open(F, "guardian 0x1: odd", Timestamp(6), Role.GUARDIAN) is None
    for by in (Role.GUARDIAN, Role.KEEPER):
        with pytest.raises(GuardRefused):
            breakers.reset(F, Timestamp(7), by)
    closed = breakers.reset(F, Timestamp(8), Role.RISK)
    assert closed is not None
    assert (closed.before.state, closed.after.state) == (BreakerState.OPEN, BreakerState.CLOSED)
    assert breakers.reset(F, Timestamp(9), Role.RISK) is None


def test_open__without_a_reason__is_refused_and_leaves_nothing(store: SqlStore) -> None:
    with pytest.raises(DomainError):
        Breakers(store, POLICY).open(F, "", Timestamp(5))
    assert (store.load_breakers(), store.events()) == ({}, ())


class Contended:
    """A store that another keeper writes to just before every write of ours."""

    def __init__(self, store: SqlStore, times: int) -> None:
        self._store = store
        self._times = times

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def save_breaker(self, subject: BreakerSubject, breaker: Breaker, *, was: Breaker, at: Timestamp) -> bool:
        if self._times > 0:
            self._times -= 1
            known = self._store.load_breakers().get(subject, Breaker())
            self._store.save_breaker(subject, known.open(f"other{self._times}", at), was=known, at=at)
        return self._store.save_breaker(subject, breaker, was=was, at=at)


def test_open__another_keeper_was_faster__adds_to_what_that_one_left(store: SqlStore) -> None:
    contended = Contended(store, 1)
    change = Breakers(contended, POLICY).open(F, "mine", Timestamp(5))  # type: ignore[arg-type]
    assert change is not None
    assert change.after.reasons == ("other0", "mine")
    assert store.load_breakers()[F].reasons == ("other0", "mine")


def test_reset__another_keeper_opened_it_meanwhile__closes_that_too_by_the_same_right(store: SqlStore) -> None:
    Breakers(store, POLICY).open(F, "first", Timestamp(5))
    contended = Contended(store, 1)
    change = Breakers(contended, POLICY).reset(F, Timestamp(6), Role.RISK)  # type: ignore[arg-type]
    assert change is not None
    assert change.before.reasons == ("first", "other0")
    assert store.load_breakers() == {}


def test_open__never_let_through__gives_up_with_advice_and_leaves_no_event(store: SqlStore) -> None:
    contended = Contended(store, 99)
    with pytest.raises(StoreError) as caught:
        Breakers(contended, POLICY).open(F, "mine", Timestamp(5))  # type: ignore[arg-type]
    assert caught.value.advice
    assert store.events(kind=EVENT) == ()


def _bare(name: str, at: int) -> NavFrame:
    time = Timestamp(at)
    return NavFrame(name, time, CADENCE, time, time, (), (), {}, (), ())
