"""The Mellow publishers on the doubles: preview, submit, read back; and the harm of each quirk avoided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from navoracle.abi import decode_result, encode_call
from navoracle.chain.embedded import EmbeddedChain
from navoracle.domain.errors import CallReverted, SourceRefused
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.ports import Address, Call
from navoracle.publisher_port import Batch, Preview, ReadBack
from navoracle.publishers.peers.base import PeerModel
from navoracle.publishers.peers.mellow import MellowPeer, MellowSubmitterPeer
from navoracle.publishers.peers.mellow_feed import MellowFeedPeer
from navoracle.publishers.peers.mellow_reporter import MellowReporter
from navoracle.publishers.peers.mellow_reports import decode_reports
from navoracle.publishers.peers.publisher import PeerPublisher, run_read
from navoracle.testing.fakes import FixedClock, read_point
from tests.unit.publishers.posts import ROOT, fund_post

ADMIN, KEEPER, ACCEPTER, STRANGER = range(4)
HOUR = 3_600
PRICES = {"USDC": Wad(WAD), "WBTC": Wad(40_000 * WAD)}
# Absolute limits that no price here reaches; a fifth at most, a fiftieth without suspicion.
LIMITS = (10**40, 10**40, WAD // 5, WAD // 50, HOUR, 1, 1)


@dataclass
class World:
    """An oracle of USDC and WBTC, and the vault that it tells; both reported at a dollar a share and accepted."""

    chain: EmbeddedChain
    oracle: Address
    vault: Address
    tokens: dict[str, Address]
    peer: PeerModel
    clock: FixedClock = field(default_factory=lambda: FixedClock(0))

    @property
    def publisher(self) -> PeerPublisher:
        return PeerPublisher(self.chain.reader(), self.peer, self.clock)

    async def call(self, account: int, to: Address, signature: str, *arguments: Any) -> None:
        await self.chain.transact(to, encode_call(signature, *arguments), account)

    async def view(self, to: Address, signature: str, types: tuple[str, ...], *arguments: Any) -> tuple[Any, ...]:
        reader = self.chain.reader()
        (answer,) = await reader.read([Call(to, encode_call(signature, *arguments))], await reader.newest())
        return decode_result(types, answer.data)

    async def told(self, asset: str) -> int:
        """The price that the vault was told last."""
        (price,) = await self.view(self.vault, "handledPrice(address)", ("uint224",), self.tokens[asset])
        return int(price)

    async def role(self, name: str) -> bytes:
        (role,) = await self.view(self.oracle, f"{name}()", ("bytes32",))
        return bytes(role)

    def after(self, seconds: int) -> None:
        self.chain.mine(Timestamp(self.chain.now + seconds))

    def batch(self, pps: int, **changes: Any) -> Batch:
        self.clock.set(self.chain.now + 1)
        post = fund_post(pps=pps, **({"prices": PRICES} | changes))
        return self.publisher.encode([post], self.chain.now, ROOT)

    async def preview(self, pps: int, **changes: Any) -> Preview:
        batch = self.batch(pps, **changes)
        (found,) = await self.publisher.preview(batch)
        return found

    async def post(self, pps: int, **changes: Any) -> ReadBack:
        """Post whatever the preview says, and read back."""
        batch = self.batch(pps, **changes)
        receipt = await self.chain.transact(batch.to, batch.data, KEEPER)
        (found,) = await self.publisher.read_back(batch, receipt)
        return found

    async def accept(self, *assets: str) -> None:
        for asset in assets:
            token = self.tokens[asset]
            price, time, _ = await self.view(self.oracle, "getReport(address)", ("uint224", "uint32", "bool"), token)
            await self.call(ACCEPTER, self.oracle, "acceptReport(address,uint256,uint32)", token, price, time)

    async def error(self, pps: int, **changes: Any) -> str:
        """The first bytes of what the oracle itself reverts with."""
        with pytest.raises(CallReverted) as caught:
            await self.chain.transact(self.peer.contract, self.batch(pps, **changes).data, KEEPER)
        return caught.value.data[:4].hex()


def selector(signature: str, *arguments: Any) -> str:
    return encode_call(signature, *arguments)[:4].hex()


async def resolved(chain: EmbeddedChain, model: PeerModel) -> Any:
    reader = chain.reader()
    return await run_read(model.resolve(read_point(chain.now)), reader, await reader.newest())


async def world(*, submitter: bool = False, opened: bool = True, **settings: Any) -> World:
    chain = EmbeddedChain()
    accounts = chain.accounts
    usdc = await chain.deploy("Token", "USD Coin", "USDC", 6)
    wbtc = await chain.deploy("Token", "Wrapped BTC", "WBTC", 8)
    oracle = await chain.deploy("MellowOracle", LIMITS, [wbtc, usdc])
    vault = await chain.deploy("MellowVault", accounts[ADMIN], oracle, usdc)
    await chain.transact(oracle, encode_call("setVault(address)", vault))
    here = World(chain, oracle, vault, {"USDC": usdc, "WBTC": wbtc}, _UNSET)
    contract = oracle
    if submitter:
        contract = await chain.deploy("MellowSubmitter", accounts[ADMIN], accounts[KEEPER], accounts[ACCEPTER], oracle)
    roles = {"SUBMIT_REPORTS_ROLE": accounts[KEEPER], "ACCEPT_REPORT_ROLE": accounts[ACCEPTER]}
    for name, holder in roles.items():
        for account in (holder, contract) if submitter else (holder,):
            await here.call(ADMIN, vault, "grantRole(bytes32,address)", await here.role(name), account)
    assets = [{"asset": "USDC", "token": usdc}, {"asset": "WBTC", "token": wbtc}]
    common = {"id": "mellow", "chain": "embedded", "contract": contract, "base": "USDC", "assets": assets}
    kind: type[MellowReporter] = MellowSubmitterPeer if submitter else MellowPeer
    here.peer = await resolved(chain, kind.model_validate(common | {"sender": accounts[KEEPER]} | settings))
    if opened:
        await here.post(WAD)
        await here.accept("USDC", "WBTC")
        here.after(HOUR + 30)
    return here


_UNSET = MellowFeedPeer(id="unset", chain="embedded", contract=Address("0x" + "1" * 40))
BOTH = pytest.mark.parametrize("submitter", [False, True])


@BOTH
async def test_circle__within_the_narrow_band__reaches_the_vault(submitter: bool) -> None:
    here = await world(submitter=submitter)
    assert await here.preview(101 * WAD // 100) == await here.preview(101 * WAD // 100)
    preview = await here.preview(101 * WAD // 100)
    assert (preview.reason, preview.send) == (None, True)
    found = await here.post(101 * WAD // 100)
    assert (found.accepted, found.reason) == (True, None)
    assert await here.told("USDC") == 10**48 * 100 // (101 * WAD)
    assert await here.told("WBTC") == 400 * await here.told("USDC")
    served = (await here.publisher.confirmed({"fund1": 1}))["fund1"]
    assert (served.price_per_share, served.held) == (101 * WAD // 100, False)
    if submitter:
        (rate,) = await here.view(here.peer.contract, "getRate()", ("uint256",))
        assert rate == 10**36 // await here.told("USDC")


async def test_first_report__of_every_asset__is_mined_suspicious_and_kept_from_the_vault() -> None:
    here = await world(opened=False, send_suspicious=True)
    preview = await here.preview(WAD)
    assert (preview.reason, preview.send, preview.role) == ("suspicious", True, "ACCEPT_REPORT_ROLE")
    found = await here.post(WAD)
    assert (found.accepted, found.reason, found.role) == (False, "suspicious", "ACCEPT_REPORT_ROLE")
    assert await here.told("USDC") == 0
    # Until somebody accepts it nothing more is sent, the same least of all.
    assert (await here.preview(WAD)).send is False
    await here.accept("USDC", "WBTC")
    assert await here.told("USDC") == 10**30
    here.after(HOUR + 30)
    assert (await here.preview(101 * WAD // 100)).reason is None


@BOTH
async def test_suspicious__not_told_to_send__is_left_to_people(submitter: bool) -> None:
    here = await world(submitter=submitter)
    found = await here.preview(110 * WAD // 100)
    assert (found.reason, found.send) == ("suspicious", False)


async def test_pending_suspicious__right_price_after_a_wrong_one__is_suspicious_or_out_of_reach() -> None:
    here = await world(send_suspicious=False)
    await here.post(119 * WAD // 100)
    # Back at once: the timeout does not hold a suspicious report, but what follows it stays suspicious.
    found = await here.preview(102 * WAD // 100)
    assert (found.reason, found.send, found.role) == ("suspicious_pending", False, "ACCEPT_REPORT_ROLE")
    assert (await here.post(102 * WAD // 100)).reason == "suspicious"
    assert await here.told("USDC") == 10**30


async def test_one_bad_asset__reverts_the_whole_batch_and_is_not_sent() -> None:
    here = await world(send_suspicious=True)
    crash = {"prices": {"USDC": Wad(WAD), "WBTC": Wad(25_000 * WAD)}}
    found = await here.preview(WAD, **crash)
    assert (found.reason, found.send, found.role) == ("invalid_price", False, "SET_SECURITY_PARAMS_ROLE")
    assert "of WBTC is" in found.advice
    assert await here.error(WAD, **crash) == selector("InvalidPrice(uint256)", 1)


async def test_timeout__one_second_early__is_waited_out() -> None:
    here = await world(margin=0)
    await here.post(101 * WAD // 100)
    posted = here.chain.now
    here.chain.mine(Timestamp(posted + HOUR - 2))
    found = await here.preview(102 * WAD // 100)
    assert (found.reason, found.ready_at) == ("too_early", posted + HOUR)
    assert await here.error(102 * WAD // 100) == selector("TooEarly(uint256,uint256)", 1, 1)
    here.chain.mine(Timestamp(posted + HOUR))
    assert (await here.preview(102 * WAD // 100)).send
    assert (await here.post(102 * WAD // 100)).accepted


@pytest.mark.parametrize("deviation", [WAD // 50, WAD // 5])
async def test_bands__at_the_limit_and_one_unit_beyond__are_the_oracle_s_to_the_unit(deviation: int) -> None:
    here = await world(send_suspicious=True)
    usdc, wbtc = here.tokens["USDC"], here.tokens["WBTC"]
    at_limit = 10**30 + deviation * 10**12
    expected = {WAD // 50: (None, "suspicious"), WAD // 5: ("suspicious", "invalid_price")}[deviation]
    # The deviation is rounded down: 1e12 - 1 units more are still within.
    for price, reason in zip((at_limit + 10**12 - 1, at_limit + 10**12), expected, strict=True):
        data = encode_call("submitReports((address,uint224)[])", [(usdc, price), (wbtc, 400 * 10**30)])
        batch = here.batch(WAD)
        batch = Batch(batch.chain, batch.to, data, batch.valuation_time, batch.evidence_root, batch.posts)
        (found,) = await here.publisher.preview(batch)
        assert found.reason == reason
        valid, suspicious = await here.view(
            here.oracle, "validatePrice(uint256,address)", ("bool", "bool"), price, usdc
        )
        assert {(True, False): None, (True, True): "suspicious", (False, False): "invalid_price"}[
            (valid, suspicious)
        ] == reason


async def test_order__base_asset_not_first__is_refused_by_the_submitter_and_cannot_be_configured() -> None:
    here = await world(submitter=True)
    reports = [(Address(token), price) for token, price in reversed(decode_reports(here.batch(WAD).data))]
    data = encode_call("submitReports((address,uint224)[])", reports)
    with pytest.raises(CallReverted) as caught:
        await here.chain.transact(here.peer.contract, data, KEEPER)
    assert caught.value.data == encode_call("InvalidOrder()")
    described = here.peer.describe()
    swapped = described | {"base": "WBTC", "assets": [*reversed(described["assets"])]}
    with pytest.raises(SourceRefused, match="base asset"):
        await resolved(here.chain, MellowSubmitterPeer.model_validate(swapped))


async def test_asset_added_to_the_oracle__is_noticed_before_its_price_grows_old() -> None:
    here = await world()
    another = await here.chain.deploy("Token", "Dai", "DAI", 18)
    role = await here.role("ADD_SUPPORTED_ASSETS_ROLE")
    await here.call(ADMIN, here.vault, "grantRole(bytes32,address)", role, here.chain.accounts[ADMIN])
    await here.call(ADMIN, here.oracle, "addSupportedAssets(address[])", [another])
    assert (await here.preview(101 * WAD // 100)).reason == "assets_changed"
    with pytest.raises(SourceRefused, match=another):
        await resolved(here.chain, here.peer)


@BOTH
async def test_sender__without_the_role__is_named_before_anything_is_sent(submitter: bool) -> None:
    here = await world(submitter=submitter)
    here.peer = here.peer.model_copy(update={"sender": here.chain.accounts[STRANGER]})
    found = await here.preview(101 * WAD // 100)
    assert (found.reason, found.send, found.role) == ("peer_refuses", False, "DEFAULT_ADMIN_ROLE")
    assert ("AccessControlUnauthorizedAccount" if submitter else "Forbidden") in found.advice


async def feed() -> World:
    chain = EmbeddedChain()
    owner = chain.accounts[KEEPER]
    contract = await chain.deploy("MellowFeed", owner, 8, 10**8, 10**8 // 2, 2 * 10**8)
    model = {"id": "feed", "chain": "embedded", "contract": contract, "sender": owner}
    peer = await resolved(chain, MellowFeedPeer.model_validate(model))
    return World(chain, contract, contract, {}, peer)


@pytest.mark.parametrize(("answer", "inside"), [(10**8 // 2, True), (10**8 // 2 - 1, False), (2 * 10**8 + 1, False)])
async def test_feed__at_its_bounds_and_one_unit_beyond__is_refused_by_both(answer: int, inside: bool) -> None:
    here = await feed()
    found = await here.preview(answer * 10**10)
    assert (found.reason, found.send) == ((None, True) if inside else ("out_of_range", False))
    if not inside:
        assert await here.error(answer * 10**10) == selector("InvalidPrice()")
        return
    back = await here.post(answer * 10**10)
    assert (back.accepted, back.reason) == (True, None)
    assert back.confirmed.price_per_share == answer * 10**10
    assert (await here.preview(answer * 10**10)).reason == "unchanged"


async def test_feed__sender_is_not_its_owner__is_named_before_anything_is_sent() -> None:
    here = await feed()
    here.peer = here.peer.model_copy(update={"sender": here.chain.accounts[STRANGER]})
    found = await here.preview(11 * WAD // 10)
    assert (found.reason, found.role) == ("peer_refuses", "owner")
    assert "OwnableUnauthorizedAccount" in found.advice
