"""Readers in lockstep: few rounds, no call twice, and a failure stays with the reader that it happened to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.errors import ReadError
from navoracle.domain.units import Timestamp
from navoracle.keeper.collect import read_all
from navoracle.keeper.session import Asked, Readings, ReadSession
from navoracle.ports import Answer, Call, Document, NativeBalance, ReadPoint, RecordedRow, Request
from navoracle.testing import FakeChain, FakeOffChain, block_stamp
from tests.unit.addresses import address
from tests.unit.keeper.fakes import Scripted

NOW = Timestamp(1_700_000_000)
POINTS: Mapping[str | None, ReadPoint] = {
    None: ReadPoint(NOW, None),
    "local": ReadPoint(NOW, block_stamp(NOW)),
    "other": ReadPoint(Timestamp(NOW - 7), block_stamp(NOW - 7, chain="other")),
}


def row(name: str) -> RecordedRow:
    return RecordedRow(name)


def run(
    readers: Sequence[Scripted], failures: Mapping[Request, Answer] | None = None
) -> tuple[Readings, list[list[Asked]]]:
    """Answer every request with its own text (or the failure given for it); returns the readings and all rounds."""
    session = ReadSession(readers, POINTS)
    rounds: list[list[Asked]] = []
    while pending := session.pending():
        rounds.append(list(pending))
        session.supply({asked: (failures or {}).get(asked[1], Answer(repr(asked[1]).encode())) for asked in pending})
    return session.readings(), rounds


def test_session__readers_of_different_depths__takes_as_many_rounds_as_the_deepest() -> None:
    readers = [
        Scripted("deep", [(row("d1"),), (row("d2"),), (row("d3"),)]),
        Scripted("flat", [(row("f1"), row("f2"))]),
        Scripted("none"),
    ]
    readings, rounds = run(readers)
    assert [[request for _, request in asked] for asked in rounds] == [
        [row("d1"), row("f1"), row("f2")],
        [row("d2")],
        [row("d3")],
    ]
    assert set(readings.values) == {"deep", "flat", "none"}
    assert readings.values["none"] == []


@given(st.lists(st.integers(0, 5), max_size=12))
def test_session__any_depths__rounds_are_the_deepest_whatever_the_number_of_readers(depths: list[int]) -> None:
    readers = [
        Scripted(f"r{number}", [(row(f"{number}.{level}"),) for level in range(depth)])
        for number, depth in enumerate(depths)
    ]
    readings, rounds = run(readers)
    assert len(rounds) == max(depths, default=0)
    assert len(readings.values) == len(depths)
    for level, asked in enumerate(rounds):
        assert len(asked) == sum(depth > level for depth in depths)


def test_session__answers__come_back_in_the_order_in_which_they_were_asked() -> None:
    readings, _ = run([Scripted("r", [(row("b"), row("a"), row("b"))])])
    assert readings.values["r"] == [tuple(repr(row(name)).encode() for name in "bab")]


def test_session__equal_requests__are_asked_once_and_answered_to_all() -> None:
    shared = Call(address(1), b"\x01")
    readers = [Scripted(name, [(shared,), (row_after,)], "local") for name, row_after in (("a", shared), ("b", shared))]
    readings, rounds = run(readers)
    assert rounds == [[("local", shared)]]
    assert readings.values["a"] == readings.values["b"] == [(repr(shared).encode(),)] * 2


def test_session__request_answered_in_an_earlier_round__is_not_asked_again_beside_a_new_one() -> None:
    readings, rounds = run([Scripted("r", [(row("x"),), (row("x"), row("y"))])])
    assert [[request for _, request in asked] for asked in rounds] == [[row("x")], [row("y")]]
    assert readings.values["r"][1] == (repr(row("x")).encode(), repr(row("y")).encode())


def test_session__requests_that_differ_in_chain_caller_or_way__are_not_the_same() -> None:
    plain = Call(address(1), b"\x01")
    others = [Call(address(1), b"\x01", direct=True), Call(address(1), b"\x01", direct=True, sender=address(2))]
    readers = [
        Scripted("a", [(plain, *others)], "local"),
        Scripted("b", [(plain,)], "other"),
    ]
    _, rounds = run(readers)
    assert len(rounds[0]) == 4


def test_session__failing_call__fails_only_the_readers_that_asked_for_it() -> None:
    bad = row("bad")
    readers = [Scripted("victim", [(row("x"), bad)]), Scripted("also", [(bad,)]), Scripted("fine", [(row("x"),)])]
    readings, _ = run(readers, {bad: Answer(b"", "empty_result")})
    assert set(readings.values) == {"fine"}
    assert {name: failure.code for name, failure in readings.failures.items()} == {
        "victim": "empty_result",
        "also": "empty_result",
    }
    failure = readings.failure("victim")
    assert failure is not None
    assert (failure.reader, "victim" in failure.message, bool(failure.advice)) == ("victim", True, True)
    assert readings.failure("fine") is None


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        (Answer(b"", "empty_result"), "empty_result", "empty answer"),
        (Answer(b"\x08\xc3\x79\xa0", "call_reverted"), "call_reverted", "0x08c379a0"),
        (Answer(b"", "call_reverted"), "call_reverted", "the contract reverted"),
        (Answer(b"", "unavailable: node down"), "read_failed", "unavailable: node down"),
    ],
)
def test_session__each_kind_of_failure__is_a_typed_error(answer: Answer, code: str, told: str) -> None:
    readings, _ = run([Scripted("r", [(row("x"),)])], {row("x"): answer})
    failure = readings.failures["r"]
    assert failure.code == code
    assert told in failure.message


def test_session__reader_that_forgives__goes_on_with_its_next_round() -> None:
    reader = Scripted("r", [(row("bad"),), (row("good"),)], forgives=True)
    readings, rounds = run([reader], {row("bad"): Answer(b"", "empty_result")})
    assert len(rounds) == 2
    assert readings.values["r"] == ["empty_result", (repr(row("good")).encode(),)]
    assert readings.failures == {}


def test_session__reader_that_raises_at_its_end__fails_alone() -> None:
    def refuse(_: list[Any]) -> Any:
        raise ReadError("not believable", advice="Look at it.")

    readings, _ = run([Scripted("bad", [(row("x"),)], finish=refuse), Scripted("good", [(row("x"),)])])
    assert readings.failures["bad"].message == "not believable"
    assert set(readings.values) == {"good"}


def test_session__reader_that_asks_for_nothing__fails_as_defective() -> None:
    readings, rounds = run([Scripted("idle", [()]), Scripted("late", [(row("x"),), ()])])
    assert {failure.code for failure in readings.failures.values()} == {"read_failed"}
    assert set(readings.failures) == {"idle", "late"}
    assert len(rounds) == 1


def test_session__missing_chain__fails_its_readers_without_starting_them() -> None:
    away = Scripted("away", [(NativeBalance(address(1)),)], "nowhere")
    readings, rounds = run([away, Scripted("here", [(row("x"),)])])
    failure = readings.failures["away"]
    assert (failure.code, "nowhere" in failure.message) == ("unavailable", True)
    assert away.points == []
    assert len(rounds) == 1
    assert set(readings.values) == {"here"}


def test_session__each_reader__reads_at_its_own_chains_point() -> None:
    readers = [Scripted("a", chain="local"), Scripted("b", chain="other"), Scripted("c")]
    run(readers)
    assert [reader.points for reader in readers] == [[POINTS["local"]], [POINTS["other"]], [POINTS[None]]]


def test_session__two_readers_of_one_name__are_refused() -> None:
    with pytest.raises(ReadError, match="two readers are named twin"):
        ReadSession([Scripted("twin"), Scripted("twin")], POINTS)


def test_readings__asked__holds_what_each_reader_was_answered_failures_included() -> None:
    bad = row("bad")
    readings, _ = run(
        [Scripted("a", [(row("x"),), (bad,), (row("never"),)]), Scripted("b", [(row("x"),)])],
        {bad: Answer(b"", "empty_result")},
    )
    assert readings.asked == {"a": ((None, row("x")), (None, bad)), "b": ((None, row("x")),)}
    assert set(readings.answers) == {(None, row("x")), (None, bad)}


async def test_read_all__two_chains_and_the_world_off_chain__one_read_each_a_round() -> None:
    chains = {name: FakeChain(block_stamp(NOW, chain=name)) for name in ("local", "other")}
    off_chain = FakeOffChain()
    off_chain.documents["d"] = b"document"
    for chain in chains.values():
        for account in range(1, 4):
            chain.balances[address(account)] = account
    readers = [
        *(Scripted(f"l{n}", [(NativeBalance(address(1)),), (NativeBalance(address(2)),)], "local") for n in range(20)),
        Scripted("o", [(NativeBalance(address(3)),)], "other"),
        Scripted("d", [(Document("d"),)]),
    ]
    readings = await read_all(readers, [chain.block for chain in chains.values()], NOW, chains, off_chain)
    assert [len(requests) for requests in chains["local"].rounds] == [1, 1]
    assert [len(requests) for requests in chains["other"].rounds] == [1]
    assert readings.values["d"] == [(b"document",)]
    assert len(readings.values) == len(readers)


async def test_read_all__request_of_the_wrong_world__fails_its_reader_alone() -> None:
    chain = FakeChain(block_stamp(NOW))
    chain.balances[address(1)] = 5
    readers = [
        Scripted("lost", [(row("x"),)], "local"),
        Scripted("stray", [(NativeBalance(address(1)),)]),
        Scripted("fine", [(NativeBalance(address(1)),)], "local"),
    ]
    readings = await read_all(readers, [chain.block], NOW, {"local": chain}, FakeOffChain())
    assert set(readings.values) == {"fine"}
    assert "not_a_chain_request" in readings.failures["lost"].message
    assert "not_an_off_chain_request" in readings.failures["stray"].message


class Mixed(Scripted):
    """A reader of a chain that says that it asks off chain too."""

    asks_off_chain = True


async def test_read_all__reader_that_asks_off_chain_too__asks_each_world_its_own_in_one_round() -> None:
    chain, off_chain = FakeChain(block_stamp(NOW)), FakeOffChain()
    chain.balances[address(1)] = 5
    off_chain.documents["d"] = b"proof"
    asked = (Document("d"), NativeBalance(address(1)))
    readings = await read_all(
        [Mixed("m", [asked, asked[:1]], "local")], [chain.block], NOW, {"local": chain}, off_chain
    )
    assert readings.values["m"] == [(b"proof", (5).to_bytes(32, "big")), (b"proof",)]
    assert readings.asked["m"] == ((None, asked[0]), ("local", asked[1]), (None, asked[0]))
    assert [len(requests) for requests in chain.rounds] == [1]
