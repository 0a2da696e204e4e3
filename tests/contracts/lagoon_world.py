"""A double of Lagoon's vault with a million USDC in its Safe, driven by each of its roles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from web3.contract import Contract

from tests.contracts.peers import COUNCIL, OWNER, POSTER, RECEIVER, SAFE, USER, WAD, PeerChain

MILLION = 10**12
"""A million of 6 decimals."""
NO_VALUATION = 2**256 - 1
ACCOUNT = 0x5C74D456014B1C0EB4368D944667A568313858A3029A650FF0CB7B56F8B57A00
FEES = 0xA5292F7CCD85ACC1B3080C01F5DA9AF7799F2C26826BD4D79081D6511780BD00
NEW_TOTAL_ASSETS, PENDING_SILO = ACCOUNT + 1, ACCOUNT + 8
LAST_FEE_TIME, HIGH_WATER_MARK = FEES + 2, FEES + 3
"""The slots that readers of the peer look at; there is no view of them."""


class Lagoon(PeerChain):
    """`vault` holds a million shares of the Safe and charges no fees; `start` is when it was deployed."""

    def __init__(self) -> None:
        super().__init__()
        self.asset = self.deploy("Token", "USD Coin", "USDC", 6)
        self.vault = self.make()
        self.start = self.slot(LAST_FEE_TIME)

    def make(self, *, rates: tuple[int, ...] = (0, 0, 0, 0, 0), initial: int = MILLION, reset: bool = True) -> Contract:
        """Deploy a vault whose Safe holds `initial` assets and lets it pull any amount; it becomes `vault`."""
        who = (self.accounts[SAFE], self.accounts[POSTER], self.accounts[OWNER], self.accounts[RECEIVER])
        terms = (self.asset.address, "Vault", "V", *who, self.accounts[COUNCIL], rates, initial, reset)
        vault = self.deploy("LagoonVault", terms)
        self.vault = vault
        start = self.slot(LAST_FEE_TIME)
        self.send(start + 1, OWNER, self.asset, "mint", self.accounts[SAFE], initial)
        self.send(start + 2, SAFE, self.asset, "approve", vault.address, NO_VALUATION)
        return vault

    @contextmanager
    def rewound(self) -> Iterator[None]:
        """Undo what happens inside, `vault` included."""
        kept = self.vault
        try:
            with super().rewound():
                yield
        finally:
            self.vault = kept

    def slot(self, position: int) -> int:
        """A word of the vault's storage."""
        return int.from_bytes(self.web3.eth.get_storage_at(self.vault.address, position))

    def guard(self, time: int, upper: int, lower: int) -> None:
        """Set guardrails (1e18 = 100 % a year) and turn them on, in the two seconds up to `time`."""
        self.send(time - 1, COUNCIL, self.vault, "updateGuardrails", (upper, lower))
        self.send(time, COUNCIL, self.vault, "updateActivated", True)

    def post(self, time: int, assets: int) -> Any:
        return self.send(time, POSTER, self.vault, "updateNewTotalAssets", assets)

    def post_refusal(self, time: int, assets: int) -> str:
        return self.refusal(time, POSTER, self.vault, "updateNewTotalAssets", assets)

    def settle(self, time: int, assets: int, function: str = "settleDeposit") -> Any:
        return self.send(time, SAFE, self.vault, function, assets)

    def settle_refusal(self, time: int, assets: int) -> str:
        return self.refusal(time, SAFE, self.vault, "settleDeposit", assets)

    def request_deposit(self, time: int, assets: int) -> None:
        """Queue assets of the user, in the three seconds up to `time`."""
        user = self.accounts[USER]
        self.send(time - 2, OWNER, self.asset, "mint", user, assets)
        self.send(time - 1, USER, self.asset, "approve", self.vault.address, assets)
        self.send(time, USER, self.vault, "requestDeposit", assets, user, user)

    def silo(self) -> str:
        return self.web3.to_checksum_address(self.slot(PENDING_SILO).to_bytes(20))

    def pps(self) -> int:
        """Raw units of the asset for a whole share, rounded down."""
        return int(self.view(self.vault, "convertToAssets", WAD))
