"""A Mellow oracle of USDC and WBTC made of answers: a dollar a share, reported an hour ago."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from navoracle.domain.peer_guards.mellow import MellowLimits, MellowReport, outcome
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.ports import Address, Answer
from navoracle.publisher_port import Batch, Preview, ReadBack, Receipt
from navoracle.publishers.peers.mellow import MellowPeer, MellowSubmitterPeer
from navoracle.publishers.peers.mellow_reporter import MellowReporter
from navoracle.publishers.peers.mellow_reports import decode_reports
from navoracle.publishers.peers.publisher import PeerPublisher
from navoracle.testing.fakes import FakeChain, FixedClock, block_stamp
from tests.unit.publishers.posts import ROOT, fund_post

ORACLE, SUBMITTER, VAULT, MANAGER, USDC, WBTC, SENDER = (Address(f"0x{n:040x}") for n in range(0x2001, 0x2008))
NOW = 1_800_000_000
HOUR = 3_600
ONE_DOLLAR, BTC = 10**30, 40_000 * 10**28
"""Shares for 1e18 units: 1e30 of a 6-decimal dollar; 40,000 times that for a coin of 8 decimals."""
PRICES = {"USDC": Wad(WAD), "WBTC": Wad(40_000 * WAD)}
LIMITS = (BTC // 4, BTC // 10, WAD // 5, WAD // 50, HOUR, 1, 1)
"""A fifth at most, a fiftieth without suspicion, and absolute ones that only WBTC could reach."""


@dataclass
class FakeMellow:
    """Set fields, then ask. `last` has price, time and suspicion of each token's report."""

    last: dict[Address, tuple[int, int, bool]] = field(
        default_factory=lambda: {USDC: (ONE_DOLLAR, NOW - HOUR - 30, False), WBTC: (BTC, NOW - HOUR - 30, False)}
    )
    decimals: dict[Address, int] = field(default_factory=lambda: {USDC: 6, WBTC: 8})
    supported: tuple[Address, ...] = (USDC, WBTC)
    base_at_vault: Address = USDC
    limits: tuple[int, ...] = LIMITS
    settings: dict[str, Any] = field(default_factory=dict)
    submitter: bool = False
    reverts: dict[bytes, bytes] = field(default_factory=dict)
    views: dict[Address, tuple[bool, bool]] = field(default_factory=dict)
    block_time: int = NOW

    @property
    def model(self) -> MellowReporter:
        """As configured: not resolved."""
        assets = [{"asset": "USDC", "token": USDC}, {"asset": "WBTC", "token": WBTC}]
        common: dict[str, Any] = {"id": "mellow", "chain": "local", "base": "USDC", "assets": assets}
        common |= self.settings
        if self.submitter:
            return MellowSubmitterPeer.model_validate(common | {"contract": SUBMITTER})
        return MellowPeer.model_validate(common | {"contract": ORACLE})

    @property
    def peer(self) -> MellowReporter:
        model = self.model
        assets = tuple(one.model_copy(update={"decimals": self.decimals.get(one.token, 18)}) for one in model.assets)
        return model.model_copy(update={"assets": assets})

    def chain(self, batch: Batch | None = None) -> FakeChain:
        chain = FakeChain(block_stamp(self.block_time))
        chain.put(SUBMITTER, "oracle()", (), ("address",), ORACLE)
        chain.put(ORACLE, "vault()", (), ("address",), VAULT)
        chain.put(VAULT, "feeManager()", (), ("address",), MANAGER)
        chain.put(MANAGER, "baseAsset(address)", (VAULT,), ("address",), self.base_at_vault)
        chain.put(ORACLE, "supportedAssets()", (), ("uint256",), len(self.supported))
        for index, token in enumerate(self.supported):
            chain.put(ORACLE, "supportedAssetAt(uint256)", (index,), ("address",), token)
        for token, decimals in self.decimals.items():
            chain.put(token, "decimals()", (), ("uint8",), decimals)
        types = ("uint224", "uint224", "uint64", "uint64", "uint32", "uint32", "uint32")
        chain.put(ORACLE, "securityParams()", (), types, *self.limits)
        for token, report in self.last.items():
            chain.put(ORACLE, "getReport(address)", (token,), ("uint224", "uint32", "bool"), *report)
        for reported, price in () if batch is None else decode_reports(batch.data):
            found = next(known for known in self.last if known.lower() == reported)
            view = self.views.get(found, self._view(found, price))
            chain.put(ORACLE, "validatePrice(uint256,address)", (price, found), ("bool", "bool"), *view)
        for data, revert in self.reverts.items():
            chain.answers[self.peer.contract, data] = Answer(revert, failure="call_reverted")
        return chain

    def _view(self, token: Address, price: int) -> tuple[bool, bool]:
        """What `validatePrice` answers: the timeout left out."""
        last, _, suspicious = self.last[token]
        limits = MellowLimits(self.limits[0], self.limits[1], self.limits[2], self.limits[3], 0)
        found = outcome(limits, MellowReport(last, Timestamp(0), suspicious), price, Timestamp(NOW))
        return found.stored, found.stored and found.suspicious

    def batch(self, pps: int = WAD, *, prices: dict[str, Wad] | None = None, **changes: Any) -> Batch:
        post = fund_post(pps=pps, prices=PRICES if prices is None else prices, **changes)
        return PeerPublisher(self.chain(), self.peer, FixedClock(NOW)).encode([post], Timestamp(NOW), ROOT)

    async def preview(self, pps: int = WAD, **changes: Any) -> Preview:
        return await self.judged(self.batch(pps, **changes))

    async def judged(self, batch: Batch, chain: FakeChain | None = None) -> Preview:
        """The preview of a batch, on another chain where one is given."""
        (found,) = await PeerPublisher(chain or self.chain(batch), self.peer, FixedClock(NOW)).preview(batch)
        return found

    async def read_back(self, pps: int, *, success: bool = True) -> ReadBack:
        chain = self.chain()
        receipt = Receipt("0x01", success, chain.block.number, chain.block.hash, 130_000)
        (found,) = await PeerPublisher(chain, self.peer, FixedClock(NOW)).read_back(self.batch(pps), receipt)
        return found

    async def confirmed(self) -> ConfirmedNav | None:
        return (await PeerPublisher(self.chain(), self.peer, FixedClock(NOW)).confirmed({"fund1": 1})).get("fund1")


def held(pps: int, age: int, *, suspicious: bool = False) -> dict[Address, tuple[int, int, bool]]:
    """Reports of a share price of so many Wad, `age` seconds old."""
    (_, usdc), (_, wbtc) = decode_reports(FakeMellow().batch(pps).data)
    return {USDC: (usdc, NOW - age, suspicious), WBTC: (wbtc, NOW - age, suspicious)}
