"""A FundVault and its registry on eth-tester, with a keeper who values it and a planner who says what it will do."""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak

from navoracle.domain.fees import FeesPayable, FeeState, FeeTerms, fees_payable
from navoracle.domain.settlement import Delivery, Post, SettlementState, VaultFeeTerms, VaultLimits
from navoracle.domain.shares import price_per_share
from navoracle.domain.units import Timestamp, Wad
from tests.contracts.peers import DAY, HOUR, WAD, PeerChain
from tests.contracts.registry import header, record

ADMIN, POSTER, MANAGER, KEEPER, FEES, CUSTODIAN, USER, RISK = range(8)
FUND, LENGTH, DELAY = 9, DAY, 600
SCALE = 10**12
"""Value of a raw unit of the asset, of 6 decimals."""

MAX_POST_AGE, BOUNDS = 900, (1_000, 1_000, 2_500, 60, HOUR)
LIMITS = (10**14, 10**4, 10**16, 2 * HOUR, 50, 80)
TERMS = (2 * WAD // 100, 20 * WAD // 100, WAD // 1_000, 40)
LIVE, HELD, ESTIMATED = 1, 2, 4


class VaultWorld(PeerChain):
    """An open vault without shares; `gross` is what the fund is worth without queued deposits, before fees (Wad)."""

    def __init__(self) -> None:
        super().__init__()
        who = self.accounts
        self.asset = self.deploy("Token", "USD Coin", "USDC", 6)
        self.registry = self.deploy("NavRegistry", who[ADMIN], who[POSTER], MAX_POST_AGE, BOUNDS)
        terms = (self.registry.address, FUND, self.asset.address, who[ADMIN], who[CUSTODIAN], who[FEES])
        quoter = "0x" + "00" * 20
        self.vault = self.deploy("FundVault", "Fund", "F", (*terms, quoter, LENGTH, DELAY, LIMITS, TERMS))
        now = self.next_time()
        served = (FUND, self.vault.address, self.asset.address, 0, 0, WAD, now)
        self.send(now, ADMIN, self.registry, "registerFund", *served)
        for role, account in (("KEEPER_ROLE", KEEPER), ("MANAGER_ROLE", MANAGER), ("RISK_ROLE", RISK)):
            self.send(self.next_time(), ADMIN, self.vault, "grantRole", keccak(text=role), who[account])
        self.send(self.next_time(), ADMIN, self.vault, "open")
        self.gross = 0

    def do(self, account: int, function: str, *arguments: Any) -> Any:
        """Call the vault in the next block, which must take it."""
        receipt = self.send(self.next_time(), account, self.vault, function, *arguments)
        assert receipt["status"] == 1
        return receipt

    def give(self, account: int, assets: int) -> None:
        """Create assets for an account that lets the vault pull them."""
        self.send(self.next_time(), account, self.asset, "mint", self.accounts[account], assets)
        self.send(self.next_time(), account, self.asset, "approve", self.vault.address, assets)

    def closes_at(self) -> int:
        return int(self.view(self.vault, "settlement")[1])

    def owed(self, now: int) -> FeesPayable:
        """The fees that the keeper counts as a liability at a time."""
        mark, clock = self.view(self.vault, "feeState")
        return fees_payable(
            FeeTerms(Wad(TERMS[0]), Wad(TERMS[1]), cap_bps=TERMS[3]),
            FeeState(Wad(mark), Timestamp(clock)),
            gross=Wad(self.gross),
            shares=Wad(self.view(self.vault, "totalSupply")),
            pending_withdrawals=Wad(0),
            now=Timestamp(now),
        )

    def publish(self, time: int, brought: int, *, confidence: int = 95, late: int = 0) -> None:
        """Value the fund and its queue at a time, and post it so many seconds later."""
        before = self.gross - self.owed(time).total
        price = price_per_share(Wad(before), Wad(self.view(self.vault, "totalSupply")))
        content = record(FUND, price, nav=before + brought, confidence=confidence)
        self.send(time + late, POSTER, self.registry, "post", header(time), bytes(32), content)

    def served(self) -> Post:
        """What the registry serves, all of it cash."""
        nav, price, time, confidence, status = self.view(self.registry, "read", FUND)
        return Post(
            nav=Wad(nav),
            price_per_share=Wad(price),
            valuation_time=Timestamp(time),
            confidence=confidence,
            max_age=BOUNDS[4],
            components=(Wad(nav), Wad(0), Wad(0), Wad(0), Wad(0)),
            live=bool(status & LIVE),
            held=bool(status & HELD),
            estimated=bool(status & ESTIMATED),
        )

    def state(self, post: Post) -> SettlementState:
        """What the vault's views say as of the next block."""
        epoch, closes, settleable, newer, assets, shares, _, _, supply, frozen, closed, paused = self.view(
            self.vault, "settlement"
        )
        mark, clock = self.view(self.vault, "feeState")
        tokens, delivered, _ = self.view(self.vault, "deliveries")
        current, _ = self.view(self.vault, "feeTerms")
        limits = self.view(self.vault, "limits")
        scale = int(self.view(self.vault, "assetScale"))
        return SettlementState(
            epoch=epoch,
            closes_at=Timestamp(closes),
            settleable_at=Timestamp(settleable),
            newer_than=Timestamp(newer),
            epoch_length=int(self.view(self.vault, "epochLength")),
            deposit_assets=assets,
            cancelled_assets=int(self.view(self.vault, "cancelledSince", epoch, post.valuation_time)),
            redeem_shares=Wad(shares),
            supply=Wad(supply),
            asset_scale=scale,
            high_water_mark=Wad(mark),
            fee_clock=Timestamp(clock),
            deliveries=tuple(
                Delivery(token, amount, Wad(amount * scale)) for token, amount in zip(tokens, delivered, strict=True)
            ),
            terms=VaultFeeTerms(Wad(current[0]), Wad(current[1]), Wad(current[2]), current[3]),
            limits=VaultLimits(Wad(limits[2]), limits[4], limits[5]),
            frozen=frozen,
            closed=closed,
            paused=paused,
        )
