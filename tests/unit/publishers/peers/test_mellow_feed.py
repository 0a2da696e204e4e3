"""Mellow's permissioned feed: two bounds for good, and nothing else that looks at what its owner sends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from navoracle.abi import decode_result, encode_call
from navoracle.domain.errors import ChainError, ConfigurationError, OutOfRange
from navoracle.domain.units import SCALES, WAD, Timestamp, Wad
from navoracle.ports import Address, Answer
from navoracle.publisher_port import Preview, ReadBack, Receipt
from navoracle.publishers.peers import PeerModelUnion
from navoracle.publishers.peers.mellow_feed import MellowFeedPeer
from navoracle.publishers.peers.publisher import PeerPublisher
from navoracle.testing.fakes import FakeChain, FixedClock, block_stamp, drive, read_point
from tests.unit.publishers.posts import ROOT, fund_post

FEED, SENDER = Address("0x" + "0" * 36 + "3001"), Address("0x" + "0" * 36 + "3002")
NOW = 1_800_000_000
SCALE = [0, 6, 8, 18, 27]


@dataclass
class FakeFeed:
    """A feed of 8 decimals at 1.0, which takes 0.5 to 2.0."""

    answer: int = 10**8
    time: int = NOW - 3_600
    lowest: int = 10**8 // 2
    highest: int = 2 * 10**8
    decimals: int = 8
    now_decimals: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    revert: bytes | None = None

    @property
    def peer(self) -> MellowFeedPeer:
        common = {"id": "feed", "chain": "local", "contract": FEED, "decimals": self.decimals}
        return MellowFeedPeer.model_validate(common | self.settings)

    def chain(self, data: bytes = b"") -> FakeChain:
        chain = FakeChain(block_stamp(NOW))
        for name in ("latestAnswer", "minAllowedAnswer", "maxAllowedAnswer"):
            value = {"latestAnswer": self.answer, "minAllowedAnswer": self.lowest, "maxAllowedAnswer": self.highest}[
                name
            ]
            chain.put(FEED, f"{name}()", (), ("int256",), value)
        chain.put(FEED, "latestTimestamp()", (), ("uint256",), self.time)
        shown = self.decimals if self.now_decimals is None else self.now_decimals
        chain.put(FEED, "decimals()", (), ("uint8",), shown)
        if self.revert is not None:
            chain.answers[FEED, data] = Answer(self.revert, failure="call_reverted")
        return chain

    async def preview(self, pps: int, **changes: Any) -> Preview:
        post = fund_post(pps=pps, **changes)
        data = self.peer.encode(post, Timestamp(NOW))
        publisher = PeerPublisher(self.chain(data), self.peer, FixedClock(NOW))
        (found,) = await publisher.preview(publisher.encode([post], Timestamp(NOW), ROOT))
        return found

    async def read_back(self, pps: int, *, success: bool = True) -> ReadBack:
        publisher = PeerPublisher(self.chain(), self.peer, FixedClock(NOW))
        stamp = block_stamp(NOW)
        receipt = Receipt("0x01", success, stamp.number, stamp.hash, 50_000)
        (found,) = await publisher.read_back(publisher.encode([fund_post(pps=pps)], Timestamp(NOW), ROOT), receipt)
        return found


def posted(peer: MellowFeedPeer, pps: int) -> int:
    return int(decode_result(("int256",), peer.encode(fund_post(pps=pps), Timestamp(NOW))[4:])[0])


@given(pps=st.integers(1, 10**40), decimals=st.sampled_from(SCALE))
def test_encode__any_price__is_the_greatest_answer_that_does_not_exceed_it(pps: int, decimals: int) -> None:
    peer, unit = FakeFeed(decimals=decimals).peer, int(SCALES[decimals])
    if pps * unit < WAD:
        with pytest.raises(OutOfRange):
            posted(peer, pps)
        return
    answer = posted(peer, pps)
    assert answer * WAD <= pps * unit < (answer + 1) * WAD


@pytest.mark.parametrize("decimals", SCALE)
def test_encode__most_that_fits_and_one_more__is_refused_beyond(decimals: int) -> None:
    peer, unit = FakeFeed(decimals=decimals).peer, int(SCALES[decimals])
    beyond = -(-(2**255) * WAD // unit)
    assert posted(peer, beyond - 1) <= 2**255 - 1
    with pytest.raises(OutOfRange, match="int256"):
        posted(peer, beyond)


def test_encode__priced_base__is_in_the_base() -> None:
    peer = FakeFeed(settings={"base": "ETH"}).peer
    data = peer.encode(fund_post(pps=3_000 * WAD, prices={"ETH": Wad(2_000 * WAD)}), Timestamp(NOW))
    assert data == encode_call("updatePrice(int256)", 150_000_000)


def test_resolve__feed__reads_its_decimals() -> None:
    model = MellowFeedPeer.model_validate({"id": "feed", "chain": "local", "contract": FEED})
    with pytest.raises(ConfigurationError):
        posted(model, WAD)
    resolved = drive(model.resolve(read_point(NOW)), FakeFeed().chain().answer)
    assert resolved == FakeFeed().peer
    assert TypeAdapter(PeerModelUnion).validate_python(resolved.describe()) == resolved


@pytest.mark.parametrize(
    ("answer", "send"), [(49_999_999, False), (50_000_000, True), (200_000_000, True), (200_000_001, False)]
)
async def test_preview__at_the_bounds_and_one_unit_beyond__is_refused_beyond(answer: int, send: bool) -> None:
    found = await FakeFeed().preview(answer * 10**10)
    assert (found.reason, found.send) == ((None, True) if send else ("out_of_range", False))
    assert found.role == (None if send else "owner")
    assert [guard.value for guard in found.guards] == [answer, answer]


@pytest.mark.parametrize(("age", "send"), [(86_399, False), (86_400, True)])
async def test_preview__rounded_answer_unchanged__waits_for_the_heartbeat(age: int, send: bool) -> None:
    found = await FakeFeed(time=NOW - age).preview(WAD + 10**10 - 1)
    assert (found.reason, found.send) == (None if send else "unchanged", send)


async def test_preview__scale_changed_since__is_an_error() -> None:
    with pytest.raises(ChainError, match="8 decimals and now says 18"):
        await FakeFeed(now_decimals=18).preview(WAD)


async def test_preview__sender_is_not_the_owner__names_the_error() -> None:
    revert = encode_call("OwnableUnauthorizedAccount(address)", SENDER)
    found = await FakeFeed(settings={"sender": SENDER}, revert=revert).preview(11 * WAD // 10)
    assert (found.reason, found.send, found.role) == ("peer_refuses", False, "owner")
    assert "OwnableUnauthorizedAccount" in found.advice


async def test_confirmed__feed__has_a_price_and_no_nav() -> None:
    publisher = PeerPublisher(FakeFeed().chain(), FakeFeed().peer, FixedClock(NOW))
    found = (await publisher.confirmed({"fund1": 1}))["fund1"]
    assert (found.nav, found.price_per_share, found.valuation_time) == (None, WAD, NOW - 3_600)


@pytest.mark.parametrize(
    ("here", "success", "reason"),
    [
        (FakeFeed(answer=110_000_000, time=NOW), True, None),
        (FakeFeed(answer=110_000_000, time=NOW - 5), True, "missing"),
        (FakeFeed(answer=120_000_000, time=NOW), True, "superseded"),
        (FakeFeed(), False, "reverted"),
    ],
)
async def test_read_back__state_after_the_post__says_whether_it_is_served(
    here: FakeFeed, success: bool, reason: str | None
) -> None:
    found = await here.read_back(11 * WAD // 10, success=success)
    assert (found.accepted, found.reason) == (reason is None, reason)
