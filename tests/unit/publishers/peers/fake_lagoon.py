"""A Lagoon vault of USDC made of answers: a million of it, a million shares, settled a day ago."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from navoracle.abi import encode_call
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import SCALES, WAD, Timestamp, Wad
from navoracle.ports import Address, Answer
from navoracle.publisher_port import Batch, Preview, ReadBack, Receipt
from navoracle.publishers.peers.lagoon import LagoonPeer
from navoracle.publishers.peers.lagoon_settlement import Settlement
from navoracle.publishers.peers.lagoon_state import (
    ACTIVATED,
    EXPIRATION,
    IDS,
    LAST_FEE_TIME,
    LOWER_RATE,
    NEW_TOTAL_ASSETS,
    NO_VALUATION,
    PENDING_SILO,
    STATE,
    UPPER_RATE,
    settlement_slot,
)
from navoracle.publishers.peers.publisher import PeerPublisher, run_read
from navoracle.testing.fakes import FakeChain, FixedClock, block_stamp, read_point
from tests.unit.publishers.posts import ROOT, fund_post

VAULT, TOKEN, SILO, SAFE, MANAGER, COUNCIL = (Address(f"0x{number:040x}") for number in range(0x1001, 0x1007))
NOBODY = Address("0x" + "0" * 40)
NOW = 1_800_000_000
DAY = 86_400
MILLION = 10**6


@dataclass
class FakeLagoon:
    """Set fields, then ask; amounts are whole tokens, rates whole per cents a year."""

    decimals: int = 6
    total_assets: int = MILLION
    supply: int = MILLION
    waiting: int | None = None
    last_fee_time: int = NOW - DAY
    expiration: int = 0
    upper: int | None = 50
    lower: int = -50
    state: int = 0
    paused: bool = False
    silo_assets: int = 0
    silo_shares: int = 0
    taken_assets: int = 0
    taken_shares: int = 0
    safe_assets: int = MILLION
    version: str = "v0.6.0"
    compliant: bool = True
    settings: dict[str, Any] = field(default_factory=dict)
    reverts: dict[bytes, bytes] = field(default_factory=dict)
    block_time: int = NOW
    asked: tuple[int, ...] = ()

    @property
    def unit(self) -> int:
        return raw_units(self.decimals)

    @property
    def share(self) -> int:
        return raw_units(max(18, self.decimals))

    @property
    def peer(self) -> LagoonPeer:
        settings = {"id": "lagoon", "chain": "local", "contract": VAULT} | self.settings
        resolved = {"token": TOKEN, "decimals": self.decimals, "share_decimals": max(18, self.decimals)}
        return LagoonPeer.model_validate(settings | resolved)

    def chain(self) -> FakeChain:
        chain = FakeChain(block_stamp(self.block_time))
        chain.put(VAULT, "totalAssets()", (), ("uint256",), self.total_assets * self.unit)
        chain.put(VAULT, "totalSupply()", (), ("uint256",), self.supply * self.share)
        chain.put(VAULT, "paused()", (), ("bool",), self.paused)
        roles = (NOBODY, NOBODY, SAFE, NOBODY, MANAGER, COUNCIL, NOBODY)
        chain.put(VAULT, "getRolesStorage()", (), ("address",) * 7, *roles)
        chain.put(VAULT, "version()", (), ("string",), self.version)
        chain.put(VAULT, "asset()", (), ("address",), TOKEN)
        chain.put(VAULT, "decimals()", (), ("uint8",), max(18, self.decimals))
        chain.put(TOKEN, "decimals()", (), ("uint8",), self.decimals)
        chain.put(TOKEN, "balanceOf(address)", (SILO,), ("uint256",), self.silo_assets * self.unit)
        chain.put(VAULT, "balanceOf(address)", (SILO,), ("uint256",), self.silo_shares * self.share)
        chain.put(TOKEN, "balanceOf(address)", (SAFE,), ("uint256",), self.safe_assets * self.unit)
        words = {
            NEW_TOTAL_ASSETS: NO_VALUATION if self.waiting is None else self.waiting * self.unit,
            IDS: 7 | 5 << 40 | 3 << 80 | 8 << 120 | 6 << 160 | 4 << 200,
            PENDING_SILO: int(SILO, 16),
            # The expiration shares its slot with the lifespan.
            EXPIRATION: self.expiration | 3_600 << 128,
            LAST_FEE_TIME: self.last_fee_time,
            UPPER_RATE: 0 if self.upper is None else self.upper * WAD // 100,
            LOWER_RATE: self.lower * WAD // 100 % 2**256,
            ACTIVATED: int(self.upper is not None),
            STATE: self.state,
            settlement_slot(5) + 2: self.taken_assets * self.unit,
            settlement_slot(6) + 3: self.taken_shares * self.share,
        }
        chain.storage = {(VAULT, slot): word for slot, word in words.items()}
        compliant = Answer(int(self.compliant).to_bytes(32, "big"))
        answers, selector = chain.answer, encode_call("isCompliant(uint256,uint256,uint256)", 1, 1, 1)[:4]

        def answer(request: Any) -> Answer:
            data = getattr(request, "data", b"")
            if data[:4] == selector:
                self.asked = tuple(int.from_bytes(data[at : at + 32], "big") for at in (4, 36, 68))
                return compliant
            if data in self.reverts:
                return Answer(self.reverts[data], failure="call_reverted")
            return answers(request)

        chain.answer = answer  # type: ignore[method-assign]
        return chain

    def publisher(self) -> PeerPublisher:
        return PeerPublisher(self.chain(), self.peer, FixedClock(NOW))

    def batch(self, nav: int, **changes: Any) -> Batch:
        """A post of so many whole units."""
        post = fund_post(nav_before=Wad(nav * WAD), **changes)
        return self.publisher().encode([post], Timestamp(NOW), ROOT)

    async def preview(self, nav: int, **changes: Any) -> Preview:
        (found,) = await self.publisher().preview(self.batch(nav, **changes))
        return found

    async def read_back(self, nav: int, *, success: bool = True) -> ReadBack:
        stamp = block_stamp(self.block_time)
        receipt = Receipt("0x01", success, stamp.number, stamp.hash, 90_000)
        (found,) = await self.publisher().read_back(self.batch(nav), receipt)
        return found

    async def confirmed(self) -> ConfirmedNav | None:
        return (await self.publisher().confirmed({"fund1": 1})).get("fund1")

    async def settlement(self, nav: int, settlement: Settlement = "deposit", **options: Any) -> Preview:
        data = self.batch(nav).data
        read = self.peer.preview_follow_up("fund1", data, read_point(NOW), settlement, **options)
        return await run_read(read, self.chain(), block_stamp(self.block_time))


def raw_units(decimals: int) -> int:
    """Raw units of a whole token."""
    return int(SCALES[decimals])


def call(whole: int, decimals: int = 6) -> bytes:
    """The call data of a proposal of so many whole tokens."""
    return encode_call("updateNewTotalAssets(uint256)", whole * SCALES[decimals])
