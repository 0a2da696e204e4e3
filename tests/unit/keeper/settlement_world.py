"""A vault that is as a test says, over a real store and a lane that mines at the first look."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from navoracle.domain.flows import VaultFlows
from navoracle.domain.settlement import Delivery, Post, SettlementState, VaultFeeTerms, VaultLimits
from navoracle.domain.units import WAD, Bps, Timestamp, Wad
from navoracle.keeper.examined_settlements import VaultAccess
from navoracle.keeper.settlement_events import ENDED, STARTED, WAITING
from navoracle.keeper.settlements import Settlements
from navoracle.ports import Address
from navoracle.publisher_port import Batch, FundPost, Receipt
from navoracle.storage import SqlStore
from navoracle.testing import FixedClock, block_stamp
from navoracle.vault_port import Components, SettledEpoch, VaultLook
from tests.unit.addresses import address
from tests.unit.keeper.service_world import StoreLane
from tests.unit.keeper.world import CHAIN, NOW
from tests.unit.storage.builders import empty_sqlite_store, frame_of, fund_frame, prepare, record, valuation_of

FUND = "cash"
VAULT = address(0xCC)
USDC = address(0xDD).lower()
NONE = VaultFlows(Wad(0), Wad(0), Wad(0), Wad(0), Wad(0), Wad(0))
CLOSED = NOW - 700
"""When the epoch closed; the post is a hundred seconds old."""


def state(**changes: object) -> SettlementState:
    """Epoch 7 of a vault of 1,000 shares at par: 100 USDC queued, 10 shares to redeem, 10 USDC delivered."""
    found = SettlementState(
        epoch=7,
        closes_at=Timestamp(CLOSED),
        settleable_at=Timestamp(CLOSED + 600),
        newer_than=Timestamp(0),
        epoch_length=86_400,
        deposit_assets=100 * 10**6,
        cancelled_assets=0,
        redeem_shares=Wad(10 * WAD),
        supply=Wad(1_000 * WAD),
        asset_scale=10**12,
        high_water_mark=Wad(WAD),
        fee_clock=Timestamp(NOW - 86_400),
        deliveries=(Delivery(USDC, 10 * 10**6, Wad(10 * WAD)),),
        terms=VaultFeeTerms(Wad(0), Wad(0), Wad(0), 100),
        limits=VaultLimits(Wad(1), 50, 80),
    )
    return replace(found, **changes)  # type: ignore[arg-type]


SERVED = Post(
    nav=Wad(1_100 * WAD),
    price_per_share=Wad(WAD),
    valuation_time=Timestamp(NOW - 100),
    confidence=95,
    max_age=3_600,
    components=(Wad(0), Wad(0), Wad(0), Wad(0), Wad(0)),
)
COMPONENTS: Components = (Wad(1_200 * WAD), Wad(50 * WAD), Wad(0), Wad(100 * WAD), Wad(50 * WAD))


@dataclass
class FakeVault:
    """A vault that says and does what it is told; implements `vault_port.VaultContract`."""

    state: SettlementState = field(default_factory=state)
    served: Post = SERVED
    may_settle: bool | None = True
    refuses: str | None = None
    did: SettledEpoch | None = None
    asked: list[tuple[bytes, Address]] = field(default_factory=list)

    @property
    def address(self) -> Address:
        return VAULT

    async def look(self, sender: Address | None) -> VaultLook:
        may = None if sender is None else self.may_settle
        return VaultLook(block_stamp(NOW, chain=CHAIN, number=100), self.state, self.served, NONE, may)

    def settle_call(self, epoch: int, components: Components) -> bytes:
        return f"settle {epoch} {components}".encode()

    async def refusal(self, data: bytes, sender: Address) -> str | None:
        self.asked.append((data, sender))
        return self.refuses

    async def settled(self, epoch: int, receipt: Receipt, before: VaultFlows) -> SettledEpoch | None:
        assert before == NONE
        return self.did


class SettlementWorld:
    """One fund's vault, a store in which its served post is, and a keeper that settles it."""

    def __init__(self, path: Path, *, live: bool = True) -> None:
        self.clock = FixedClock(NOW + 5)
        self.store = SqlStore.open(empty_sqlite_store(path))
        self.vault = FakeVault()
        self.lane = StoreLane(self.store, self.clock, "a")
        self.live = live
        self.start()

    def start(self) -> None:
        """As a process that starts: nothing is remembered but what is in the store."""
        access = VaultAccess(FUND, CHAIN, self.vault, self.lane if self.live else None)
        self.settlements = Settlements({FUND: access}, self.store, self.clock, live=self.live)

    def keep_post(self, served: Post = SERVED, frame: str = "f1", posted: Post = SERVED) -> None:
        """Keep a served post, as the keeper's own publishing does; with the NAV and price of `posted`."""
        record(self.store, frame_of(frame, fund_frame(FUND, valuation_of({"usdc": 1_000}))))
        post = FundPost(FUND, 1, posted.nav, posted.price_per_share, Bps(9_500), False, COMPONENTS, Wad(1_000 * WAD))
        batch = Batch("main", address(0xAA), b"post", served.valuation_time, "0x00", (post,))
        prepare(self.store, frame, batch)

    def events(self) -> list[tuple[str, str]]:
        """Kind and message of every event of settlements, oldest first."""
        rows = reversed(self.store.events(fund=FUND))
        return [(row.event.kind, row.event.message) for row in rows if row.event.kind in (STARTED, ENDED, WAITING)]
