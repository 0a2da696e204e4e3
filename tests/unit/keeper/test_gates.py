"""A rollup's sequencer: while it is down, nothing that was read on its chain counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navoracle.composition.evidence_plans import plan_from_evidence
from navoracle.domain.frame import NavStatus
from navoracle.keeper.plan import FramePlan
from navoracle.keeper.verify import verify_document
from navoracle.prices.sequencer import SequencerGate
from tests.unit.addresses import address
from tests.unit.keeper.world import CHAIN, NOW, World, frame_plan, world

UPTIME = address(99)
ROUND = ("uint80", "int256", "uint256", "uint256", "uint80")


def gated(plan: FramePlan) -> FramePlan:
    """The plan with the gate of its chain."""
    gate = SequencerGate(kind="sequencer", id="local.sequencer", chain=CHAIN, feed=UPTIME, grace=3_600)
    return replace(plan, gates=(gate,))


def set_sequencer(found: World, answer: int, *, since: int) -> None:
    """Say what the uptime feed answers, and since when."""
    found.chain.put(UPTIME, "latestRoundData()", (), ROUND, 7, answer, since, since, 7)


async def test_frame__sequencer_is_up__values_as_without_a_gate() -> None:
    found = world()
    set_sequencer(found, 0, since=NOW - 3_601)
    frame = await found.frame(gated(frame_plan("cash", "mixed")))
    assert [part.status for part in frame.funds] == [NavStatus.LIVE, NavStatus.LIVE]
    assert frame.failures == ()


@pytest.mark.parametrize(
    ("answer", "since", "told"),
    [
        (1, NOW - 100_000, "the sequencer is down"),
        (0, NOW - 3_600, "less than 3600 s ago"),  # the grace includes its last second
        (0, 0, "no valid round"),
        (0, NOW + 1, "no valid round"),
    ],
)
async def test_frame__sequencer_is_down_or_just_up__halts_what_reads_the_chain(
    answer: int, since: int, told: str
) -> None:
    found = world()
    set_sequencer(found, answer, since=since)
    frame = await found.frame(gated(frame_plan("cash")))
    part = frame.fund("cash")
    assert part.status is NavStatus.HALTED
    assert part.reason == "unread:cash.usdc:source_refused"
    assert told in part.failures[0].message


async def test_frame__sequencer_feed_without_a_contract__halts_too() -> None:
    frame = await world().frame(gated(frame_plan("cash")))
    assert frame.fund("cash").reason == "unread:cash.usdc:empty_result"


async def test_frame__sequencer_is_down__leaves_funds_of_other_places_alone() -> None:
    found = world()
    set_sequencer(found, 1, since=NOW - 100_000)
    frame = await found.frame(gated(frame_plan("mixed")))
    # mixed holds nothing on the chain; its feed and rates there fail, and its markets off chain go on.
    assert ("USDC.chainlink", "source_refused") in [(failure.reader, failure.code) for failure in frame.failures]
    assert frame.estimates["ETH", "asset"].price is not None


async def test_sample__sequencer_is_down__quotes_nothing_of_the_chain() -> None:
    found = world()
    set_sequencer(found, 1, since=NOW - 100_000)
    frame = await found.frame(gated(frame_plan("cash", stop_after="price", funds=())))
    assert [quote.source for quote in frame.quotes if quote.source.endswith("chainlink")] == []


async def test_evidence__of_a_gated_frame__verifies() -> None:
    for answer in (0, 1):
        found = world()
        set_sequencer(found, answer, since=NOW - 100_000)
        frame = await found.frame(gated(frame_plan("cash")))
        verified = verify_document(frame.evidence["cash"], plan_from_evidence)
        assert verified.found == frame.fund("cash")
