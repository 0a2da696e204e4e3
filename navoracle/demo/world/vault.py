"""The FundVault of `stable` in the demo's world: its people, its epochs, and how its first shares came to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak

from navoracle.abi import decode_result, encode_call
from navoracle.chain.deploy import FundOpening, register_fund
from navoracle.chain.embedded import EmbeddedChain
from navoracle.demo.world.calls import send, send_all
from navoracle.demo.world.cast import (
    ALICE,
    BOB,
    CHAIN,
    FEE_RECIPIENT,
    FUNDS,
    GUARDIAN,
    MANAGER,
    OPENING_NAV,
    OPERATOR,
    POSTER,
    RISK,
    holder_of,
)
from navoracle.demo.world.tokens import Tokens, raw
from navoracle.domain.units import WAD, Timestamp, Wad, to_wad
from navoracle.ports import NO_ADDRESS, Address

FUND: Final = "stable"
OPENED_AFTER: Final = 50 * 60
"""Seconds from the full hour to the opening of the vault."""
EPOCH_SECONDS: Final = 4 * 60 * 60
"""Seconds from one closing of an epoch to the next: every fourth hour, ten minutes before it is full."""
DELAY: Final = 300
"""From a closing to the earliest settlement."""
SEEDS: Final = {ALICE: to_wad("3000000"), BOB: to_wad("2000000")}
"""USDC that the first epoch took, by account."""
SAVED: Final = to_wad("2000000")
"""USDC that the manager has put into the vault to save in."""
IN_USDT: Final = to_wad("1000000")
"""USDC that the manager has exchanged for USDT."""

_CAP: Final = 10**14
_MIN_DEPOSIT: Final = 10**6
_MIN_SHARE_PRICE: Final = 10**16
_CANCEL_GRACE: Final = 7_200
_TOLERANCE_BPS: Final = 50
_MIN_CONFIDENCE: Final = 80
_LIMITS: Final = (_CAP, _MIN_DEPOSIT, _MIN_SHARE_PRICE, _CANCEL_GRACE, _TOLERANCE_BPS, _MIN_CONFIDENCE)
_FEES: Final = (int(to_wad("0.01")), int(to_wad("0.1")), 0, 100)
"""A year's part of gross value, part of the gain above the mark, part of what is redeemed, cap in bps of the NAV."""
_ROLES: Final = {"KEEPER_ROLE": POSTER, "MANAGER_ROLE": MANAGER, "RISK_ROLE": RISK, "GUARDIAN_ROLE": GUARDIAN}
_FULL_CONFIDENCE: Final = 100


@dataclass(frozen=True, slots=True)
class DemoVault:
    """The vault, and what people do with it. Each raises ChainError where the vault refuses."""

    chain: EmbeddedChain
    tokens: Tokens
    registry: Address
    address: Address

    @classmethod
    async def deploy(cls, chain: EmbeddedChain, tokens: Tokens, registry: Address) -> DemoVault:
        """Deploy it, register the fund, open it `OPENED_AFTER` the full hour, and settle its first epoch.

        The fund is worth one a share then, and the chain stands a few minutes before another full hour.
        """
        who = chain.accounts
        fixed = (registry, FUNDS[FUND], tokens["USDC"], who[OPERATOR], holder_of(FUND), who[FEE_RECIPIENT], NO_ADDRESS)
        configuration = (*fixed, EPOCH_SECONDS, DELAY, _LIMITS, _FEES)
        address = await chain.deploy("FundVault", f"Shares of {FUND}", FUND, configuration)
        found = cls(chain, tokens, registry, address)
        await found._register()
        for role, account in _ROLES.items():
            await found._call(OPERATOR, "grantRole(bytes32,address)", keccak(text=role), who[account])
        chain.mine(
            Timestamp(chain.now + 1 + (OPENED_AFTER - 2 - chain.now) % 3_600)
        )  # the next block is a second later
        await found._call(OPERATOR, "open()")
        await found._post(Wad(0))
        for account, amount in SEEDS.items():
            await found.request_deposit(account, amount)
        epoch, closes_at = await found.epoch()
        chain.mine(Timestamp(closes_at + DELAY))
        nav = OPENING_NAV[FUND]
        await found._post(nav)
        await found._call(POSTER, "settle(uint256,uint104[5])", epoch, (nav, 0, 0, 0, 0))
        for account in SEEDS:
            await found.claim_deposit(account, epoch)
        await found._invest()
        chain.mine(Timestamp(chain.now + 60))
        await found._post(nav)
        return found

    async def epoch(self) -> tuple[int, int]:
        """The oldest unsettled epoch, and when it closes."""
        found = await self._view("settlement()", ("uint256",) * 9 + ("bool",) * 3)
        return int(found[0]), int(found[1])

    async def shares_of(self, account: int) -> Wad:
        """Shares (Wad) of an account."""
        return Wad(int((await self._view("balanceOf(address)", ("uint256",), self.chain.accounts[account]))[0]))

    async def request_deposit(self, account: int, amount: Wad) -> int:
        """Give an account whole USDC (Wad), and let it queue them; returns the epoch that takes them."""
        who, usdc, assets = self.chain.accounts[account], self.tokens["USDC"], raw("USDC", amount)
        await send_all(self.chain, [self.tokens.mint("USDC", who, amount)])
        await send(self.chain, usdc, encode_call("approve(address,uint256)", self.address, assets), account=account)
        await self._call(account, "requestDeposit(uint256,address,address)", assets, who, who)
        return await self._joined()

    async def request_redeem(self, account: int, shares: Wad) -> int:
        """Let an account queue shares; returns the epoch that redeems them."""
        who = self.chain.accounts[account]
        await self._call(account, "requestRedeem(uint256,address,address)", int(shares), who, who)
        return await self._joined()

    async def claim_deposit(self, account: int, epoch: int) -> None:
        """Let an account take the shares that a settled epoch minted for it."""
        who = self.chain.accounts[account]
        await self._call(account, "claimDeposit(uint256,address,address)", epoch, who, who)

    async def claim_redemption(self, account: int, epoch: int) -> None:
        """Let an account take what a settled epoch pays it."""
        who = self.chain.accounts[account]
        await self._call(account, "claimRedemption(uint256,address,address)", epoch, who, who)

    async def deliver(self, amount: Wad) -> None:
        """Let the manager set idle USDC (Wad) aside for those whom the next settlement redeems."""
        epoch, _ = await self.epoch()
        usdc, assets = self.tokens["USDC"], raw("USDC", amount)
        await self._call(MANAGER, "deliverFromIdle(uint256,address,uint256)", epoch, usdc, assets)

    async def save(self, amount: Wad) -> None:
        """Let the manager send idle USDC (Wad) to the custodian, and the custodian save them."""
        await self._deploy_idle(amount)
        await send_all(self.chain, self.tokens.save(amount, holder_of(FUND)))

    async def _invest(self) -> None:
        """Let the manager save a part of the first deposits, and exchange another one."""
        await self._deploy_idle(OPENING_NAV[FUND])
        custodian = holder_of(FUND)
        exchanged = [self.tokens.burn("USDC", custodian, IN_USDT), self.tokens.mint("USDT", custodian, IN_USDT)]
        await send_all(self.chain, [*exchanged, *self.tokens.save(SAVED, custodian)])

    async def _deploy_idle(self, amount: Wad) -> None:
        await self._call(MANAGER, "deployIdle(address,uint256)", self.tokens["USDC"], raw("USDC", amount))

    async def _joined(self) -> int:
        """The epoch that a request of the newest block joined."""
        oldest, closes_at = await self.epoch()
        return oldest if self.chain.now < closes_at else oldest + 1

    async def _register(self) -> None:
        par, asset = Wad(WAD), self.tokens["USDC"]
        opening = FundOpening(FUNDS[FUND], self.address, Wad(0), par, self.chain.now, asset)
        await send(self.chain, self.registry, register_fund(opening))

    async def _post(self, nav: Wad) -> None:
        """Post one unit of account a share, before there is a keeper."""
        word = FUNDS[FUND]
        for bits, field in ((104, int(nav)), (88, int(WAD)), (8, _FULL_CONFIDENCE), (32, int(self.chain.now))):
            word = word << bits | field
        await send(self.chain, self.registry, encode_call("postOne(uint256,bytes32)", word, bytes(32)), account=POSTER)

    async def _call(self, account: int, signature: str, *arguments: Any) -> None:
        await send(self.chain, self.address, encode_call(signature, *arguments), account=account)

    async def _view(self, signature: str, types: tuple[str, ...], *arguments: Any) -> tuple[Any, ...]:
        answer = await self.chain.reader(CHAIN).call(self.address, encode_call(signature, *arguments))
        return decode_result(types, answer)
