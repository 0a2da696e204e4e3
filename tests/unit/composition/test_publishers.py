"""Publishers resolved against their chains, and the outboxes before them."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.composition.plans import subject_of
from navoracle.composition.publishers import Ways, chains_of_publishers, peer_outbox, peer_publisher, resolved_peers
from navoracle.config.loading import parse_config
from navoracle.config.models import Config
from navoracle.domain.errors import ChainError, ConfigurationError
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import WAD
from navoracle.publishers.peers import MidasPeer
from navoracle.testing.fakes import FixedClock
from tests.unit.addresses import address
from tests.unit.config.test_publishers_section import FUND, GOOD
from tests.unit.keeper.fakes import FakeLane, FakeStore
from tests.unit.publishers.peers.desk import NOW, PeerChain
from tests.unit.publishers.posts import ROOT, fund_post

FEED = address(2)


def config(**publishers: Any) -> Config:
    """Fund one on the feed of Midas's, and whatever else is said of publishers; Veda's is not used."""
    said = {**GOOD["publishers"], **publishers}
    return parse_config({**GOOD, "publishers": said, "funds": {"one": {**FUND, "publisher": "feed"}}}, "file")


class Unreachable(PeerChain):
    """A chain whose blocks cannot be read."""

    async def stamp(self, number: int | None = None) -> BlockStamp:
        raise ChainError("node down", advice="Check the endpoint.")


def chain() -> PeerChain:
    """A chain with the feed, of 8 decimals."""
    found = PeerChain(NOW)
    found.put(FEED, "decimals()", (), ("uint8",), 8)
    return found


async def resolved() -> MidasPeer:
    found = (await resolved_peers(config(), {"home": chain()}))["feed"]
    assert isinstance(found, MidasPeer)
    return found


async def test_resolved_peers__only_what_a_fund_uses__is_read() -> None:
    assert chains_of_publishers(config()) == {"home"}
    found = await resolved_peers(config(), {"home": chain()})
    assert list(found) == ["feed"]
    assert (await resolved()).decimals == 8


async def test_resolved_peers__address_without_such_a_contract__names_publisher_address_chain_and_kind() -> None:
    with pytest.raises(ConfigurationError) as caught:
        await resolved_peers(config(), {"home": PeerChain(NOW)})
    assert caught.value.message.startswith(f"publishers.feed: {FEED} on home is no contract of kind midas: ")
    assert caught.value.advice


async def test_resolved_peers__chain_that_cannot_be_read__is_no_mistake_of_the_configuration() -> None:
    with pytest.raises(ChainError, match="node down"):
        await resolved_peers(config(), {"home": Unreachable(NOW)})


async def test_resolved_peers__decimals_that_are_given__are_not_asked_for() -> None:
    given = {"kind": "midas", "chain": "home", "contract": FEED, "decimals": 8}
    found = await resolved_peers(config(feed=given), {"home": Unreachable(NOW)})
    assert found["feed"].is_resolved


@pytest.mark.parametrize("sender", [None, address(7)])
async def test_peer_publisher__preview__is_of_the_senders_call_or_of_the_configured_one(sender: Any) -> None:
    here = chain()
    round_ = ("uint80", "int256", "uint256", "uint256", "uint80")
    here.put(FEED, "latestRoundData()", (), round_, 1, 10**8, NOW - 9_000, NOW - 9_000, 1)
    for view, kind, value in (
        ("minAnswer()", "int192", 1),
        ("maxAnswer()", "int192", 10**12),
        ("maxAnswerDeviation()", "uint256", 10**8),
    ):
        here.put(FEED, view, (), (kind,), value)
    peer = (await resolved()).model_copy(update={"sender": address(6)})
    publisher = peer_publisher(peer, here, sender, FixedClock(NOW))
    (preview,) = await publisher.preview(publisher.encode([fund_post(pps=WAD + WAD // 200)], NOW, ROOT))  # type: ignore[arg-type]
    assert preview.send
    assert [call.sender for call in here.simulated] == [sender or address(6)]


async def test_peer_outbox__lane__is_told_by_its_publishers_name_and_posts_one_fund_each() -> None:
    store = FakeStore([])
    lane = FakeLane([], store)
    ways = Ways(lane, None, None)
    box = peer_outbox("feed", await resolved(), chain(), ways, store=store.port, clock=FixedClock(NOW), live=True)
    assert (box.lane, box.publisher.one_by_one, box.publisher.chain) == (lane, True, "home")
    assert box.submission("none").label == "feed"


def test_subject__fund_with_a_publisher__is_posted_on_its_chain_and_priced_in_its_base() -> None:
    told = config(feed={**GOOD["publishers"]["feed"], "base": "USDC"})
    plan = subject_of(told).funds["one"]
    assert (plan.chain, plan.publisher, plan.target, plan.base, plan.priced_in) == (
        "home",
        "feed",
        "feed",
        "USDC",
        ("USDC",),
    )


def test_subject__base_that_is_the_unit_of_account__needs_no_conversion_of_what_is_served() -> None:
    plan = subject_of(config(feed={**GOOD["publishers"]["feed"], "base": "USD"})).funds["one"]
    assert (plan.base, plan.priced_in) == (None, ("USD",))
