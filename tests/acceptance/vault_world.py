"""A fund with a vault of its own on the embedded chain: USDC deposits, and an account that trades with them.

Account 0 administers, 1 posts and settles, 4 manages, 5 is the custodian, 6 takes the fees, 7 and 8 invest.
"""

from __future__ import annotations

from typing import Any, Final

from eth_utils.crypto import keccak

from navoracle.abi import decode_result, encode_call
from navoracle.chain.deploy import RegistryRoles, deploy_registry
from navoracle.chain.embedded import EmbeddedChain
from navoracle.composition.system import ChainAccess
from navoracle.domain.units import WAD, Timestamp
from navoracle.ports import NO_ADDRESS, Address
from navoracle.registry_port import GuardBounds

ADMIN, POSTER, RISK, GUARDIAN, MANAGER, CUSTODIAN, FEES, ALICE, BOB = range(9)
CHAIN: Final = "home"
FUND_ID: Final = 9
LENGTH: Final = 86_400
DELAY: Final = 600
USDC: Final = 10**6
BOUNDS: Final = GuardBounds(up_bps=1_000, down_bps=1_000, day_bps=2_500, min_interval=60, max_age=7_200)
LIMITS: Final = (10**14, USDC, 10**16, 7_200, 50, 80)
TERMS: Final = (2 * WAD // 100, 20 * WAD // 100, WAD // 1_000, 100)

CONFIGURATION: Final = """
version: 1
unit_of_account: USD
home_chain: home
chains:
  home:
    chain_id: 31337
    rpc: ${HOME_RPC}
    confirmations: 0
    registry: ${REGISTRY}
    signer: { key_file: "${KEY_FILE}" }
assets:
  USDC:
    min_sources: 2
    sources:
      - { kind: chainlink, group: a, chain: home, feed: "${FEED_USDC_A}", heartbeat: 864000, deviation_bps: 25 }
      - { kind: chainlink, group: b, chain: home, feed: "${FEED_USDC_B}", heartbeat: 864000, deviation_bps: 25 }
  ETH:
    min_sources: 2
    sources:
      - { kind: chainlink, group: a, chain: home, feed: "${FEED_ETH_A}", heartbeat: 864000, deviation_bps: 25 }
      - { kind: chainlink, group: b, chain: home, feed: "${FEED_ETH_B}", heartbeat: 864000, deviation_bps: 25 }
funds:
  pool:
    id: 9
    chain: home
    vault: { chain: home, contract: "${VAULT}" }
    supply: { kind: erc20, chain: home, token: "${VAULT}" }
    positions:
      - { kind: fund_vault, id: vault, chain: home, asset: USDC, vault: "${VAULT}", underlying: "${USDC}" }
      - { kind: erc20, id: cash, chain: home, asset: USDC, component: cash, token: "${USDC}", holder: "${CUSTODIAN}" }
      - { kind: erc20, id: eth, chain: home, asset: ETH, component: collateral, token: "${WETH}",
          holder: "${CUSTODIAN}" }
"""


class VaultWorld:
    """The deployed world, with an open vault that has no shares yet. Make it with `build`."""

    def __init__(self, chain: EmbeddedChain) -> None:
        self.chain = chain
        self.feeds: dict[tuple[str, str], Address] = {}
        self.usdc = self.weth = self.registry = self.vault = NO_ADDRESS

    @classmethod
    async def build(cls, chain: EmbeddedChain) -> VaultWorld:
        """Deploy everything; an hour later the world begins."""
        world = cls(chain)
        who = chain.accounts
        world.usdc = await chain.deploy("Token", "USD Coin", "USDC", 6)
        world.weth = await chain.deploy("Token", "Wrapped Ether", "WETH", 18)
        for asset, price in (("USDC", 1), ("ETH", 2_000)):
            for group in ("a", "b"):
                world.feeds[asset, group] = await chain.deploy("Feed", 8, f"{asset} / USD")
            await world.set_price(asset, price * 10**8)
        roles = RegistryRoles(admin=who[ADMIN], poster=who[POSTER], risk=who[RISK], guardian=who[GUARDIAN])
        world.registry = (await deploy_registry(chain.transactor(ADMIN), roles, bounds=BOUNDS, funds=[])).address
        terms = (world.registry, FUND_ID, world.usdc, who[ADMIN], who[CUSTODIAN], who[FEES], NO_ADDRESS)
        world.vault = await chain.deploy("FundVault", "Pool", "POOL", (*terms, LENGTH, DELAY, LIMITS, TERMS))
        chain.mine(Timestamp(chain.now + 3_600))
        await world.register(WAD)
        for role, account in (("KEEPER_ROLE", POSTER), ("MANAGER_ROLE", MANAGER), ("RISK_ROLE", RISK)):
            await world.call(ADMIN, world.vault, "grantRole(bytes32,address)", keccak(text=role), who[account])
        await world.call(ADMIN, world.vault, "open()")
        return world

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the configuration."""
        named = {
            "HOME_RPC": "http://127.0.0.1:8545",
            "KEY_FILE": "poster.key",
            "REGISTRY": self.registry,
            "VAULT": self.vault,
            "USDC": self.usdc,
            "WETH": self.weth,
            "CUSTODIAN": self.chain.accounts[CUSTODIAN],
        }
        return named | {f"FEED_{asset}_{group.upper()}": feed for (asset, group), feed in self.feeds.items()}

    def access(self, *, live: bool = True) -> dict[str, ChainAccess]:
        """The chain, with the poster's key for a live run."""
        return {CHAIN: ChainAccess(self.chain.reader(CHAIN), self.chain.signers[POSTER] if live else None)}

    async def call(self, account: int, contract: Address, signature: str, *arguments: Any) -> None:
        """Send a call from an account, which must succeed."""
        receipt = await self.chain.transact(contract, encode_call(signature, *arguments), account)
        assert receipt.success

    async def view(self, contract: Address, signature: str, types: tuple[str, ...], *arguments: Any) -> Any:
        """Ask a contract at the newest block: one value, or a tuple of several."""
        answer = await self.chain.reader(CHAIN).call(contract, encode_call(signature, *arguments))
        values = decode_result(types, answer)
        return values[0] if len(values) == 1 else values

    async def register(self, price_per_share: int) -> None:
        """Register the fund."""
        types = "registerFund(uint256,address,address,uint256,uint256,uint256,uint256)"
        await self.call(
            ADMIN, self.registry, types, FUND_ID, self.vault, self.usdc, 0, 0, price_per_share, self.chain.now
        )

    async def set_price(self, asset: str, answer: int) -> None:
        """Let the feeds of an asset answer (8 decimals)."""
        for group in ("a", "b"):
            await self.call(ADMIN, self.feeds[asset, group], "set(int256,uint256)", answer, self.chain.now)

    async def request_deposit(self, account: int, assets: int) -> None:
        """Give an account assets, and let it queue them."""
        who = self.chain.accounts[account]
        await self.call(ADMIN, self.usdc, "mint(address,uint256)", who, assets)
        await self.call(account, self.usdc, "approve(address,uint256)", self.vault, assets)
        await self.call(account, self.vault, "requestDeposit(uint256,address,address)", assets, who, who)

    async def trade(self, assets: int, price: int) -> None:
        """Let the custodian buy ETH for assets, at a price in whole USDC."""
        custodian = self.chain.accounts[CUSTODIAN]
        await self.call(CUSTODIAN, self.usdc, "burn(address,uint256)", custodian, assets)
        await self.call(ADMIN, self.weth, "mint(address,uint256)", custodian, assets * 10**12 // price)

    async def settlement(self) -> tuple[int, int]:
        """The oldest unsettled epoch, and when it closes."""
        found = await self.view(self.vault, "settlement()", ("uint256",) * 9 + ("bool",) * 3)
        return int(found[0]), int(found[1])
