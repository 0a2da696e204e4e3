"""A registry and a vault on a local node, with twenty people, and a keeper of navoracle over its own configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from bench.anvil import binary
from navoracle.abi import decode_result, encode_call
from navoracle.chain.artifacts import artifact
from navoracle.chain.deploy import contract_address
from navoracle.chain.reader import MULTICALL3
from navoracle.composition.stores import open_store
from navoracle.composition.system import System, open_system
from navoracle.config.loading import load_config
from navoracle.domain.units import WAD, Timestamp
from navoracle.drill.commands import KEYS, code
from navoracle.drill.configuration import write
from navoracle.drill.node import LocalNode
from navoracle.ports import NO_ADDRESS, Address
from navoracle.registry_port import GuardBounds
from navoracle.store_port import Store

ADMIN, POSTER, RISK, GUARDIAN, CUSTODIAN, FEES, FIRST = range(7)
PEOPLE: Final = 20
START: Final = 1_799_996_400
"""A full hour of 2027."""

HOUR: Final = 3_600
DELAY, GRACE, MAX_AGE = 300, 1_200, 7_200
FUND_ID: Final = 9
ENDLESS: Final = 2**255
LIMITS: Final = (10**16, 10**4, 10**14, GRACE, 50, 80)
TERMS: Final = (2 * WAD // 100, 20 * WAD // 100, WAD // 1_000, 15)
BOUNDS: Final = GuardBounds(up_bps=1_000, down_bps=1_000, day_bps=2_500, min_interval=60, max_age=MAX_AGE)
_ARGUMENTS: Final = ("--accounts", str(FIRST + PEOPLE), "--gas-limit", "500000000", "--order", "fifo")
_GAS: Final = hex(12_000_000)

Call = tuple[int, Address, bytes]
"""The account that calls, what it calls, and with what."""

Ask = tuple[Address, str, tuple[str, ...], tuple[Any, ...]]
"""What is asked, the function's signature, the types of its answer, its arguments."""


@dataclass
class VaultNode:
    """Blocks are made when they are told to be, each with its time. Make it with `vault_node`.

    Implements `ports.Clock`: now is the newest block's time, and waiting makes a block.
    """

    node: LocalNode
    accounts: list[Address]
    newest: int = START - 2 * HOUR
    registry: Address = NO_ADDRESS
    vault: Address = NO_ADDRESS
    asset: Address = NO_ADDRESS
    other: Address = NO_ADDRESS
    feeds: list[Address] = field(default_factory=list)

    def now(self) -> Timestamp:
        return Timestamp(self.newest)

    async def sleep(self, seconds: float) -> None:
        await self.mine(self.newest + max(1, round(seconds)))

    async def mine(self, at: int) -> None:
        """Make a block of this time."""
        await self.node.batch([("evm_setNextBlockTimestamp", [at]), ("evm_mine", [])])
        self.newest = at

    async def act(self, calls: Sequence[Call], at: int | None = None) -> None:
        """Make calls in one block; all must succeed."""
        time = self.newest + 1 if at is None else at
        fees = {"gas": _GAS, "maxFeePerGas": hex(10**11), "maxPriorityFeePerGas": hex(10**9)}
        sent: list[tuple[str, list[Any]]] = [
            ("eth_sendTransaction", [{"from": self.accounts[who], "to": to, "data": "0x" + data.hex(), **fees}])
            for who, to, data in calls
        ]
        await self.node.batch([*sent, ("evm_setNextBlockTimestamp", [time]), ("evm_mine", [])])
        self.newest = time
        receipts = await self.node.rpc("eth_getBlockReceipts", "latest")
        done = {receipt["transactionHash"]: receipt["status"] for receipt in receipts}
        assert list(done.values()) == ["0x1"] * len(calls), f"refused in the block of {time}: {done}"

    async def on_vault(self, account: int, signature: str, *arguments: Any, at: int | None = None) -> None:
        """One call of the vault in a block of its own."""
        await self.act([(account, self.vault, encode_call(signature, *arguments))], at)

    async def ask(self, asks: Sequence[Ask]) -> list[Any]:
        """Ask views at the newest block: each answer is a value, or a tuple of several."""
        found = await self.node.batch(
            [
                ("eth_call", [{"to": to, "data": "0x" + encode_call(signature, *arguments).hex()}, "latest"])
                for to, signature, _, arguments in asks
            ]
        )
        decoded = [
            decode_result(types, bytes.fromhex(data[2:])) for (_, _, types, _), data in zip(asks, found, strict=True)
        ]
        return [each[0] if len(each) == 1 else each for each in decoded]

    async def _create(self, nonce: int, name: str, *arguments: Any) -> Address:
        data = "0x" + artifact(name).creation_code(*arguments).hex()
        sender = self.accounts[ADMIN]
        await self.node.rpc("eth_sendTransaction", {"from": sender, "data": data, "gas": _GAS, "nonce": hex(nonce)})
        return contract_address(sender, nonce)

    async def build(self) -> None:
        """Deploy and open everything; the vault's epochs close a quarter before each full hour."""
        who = self.accounts
        await self.node.batch(
            [("evm_setAutomine", [False]), ("evm_setNextBlockTimestamp", [self.newest]), code(MULTICALL3, "Multicall3")]
        )
        bounds = (BOUNDS.up_bps, BOUNDS.down_bps, BOUNDS.day_bps, BOUNDS.min_interval, BOUNDS.max_age)
        self.asset = await self._create(0, "Token", "USD Coin", "USDC", 6)
        self.other = await self._create(1, "Token", "Gift", "GIFT", 18)
        self.registry = await self._create(2, "NavRegistry", who[ADMIN], who[POSTER], 900, bounds)
        self.feeds = [await self._create(3 + number, "Feed", 8, "USDC / USD") for number in range(2)]
        await self.node.rpc("evm_mine")
        terms = (self.registry, FUND_ID, self.asset, who[ADMIN], who[CUSTODIAN], who[FEES], NO_ADDRESS)
        self.vault = await self._create(5, "FundVault", "Pool", "POOL", (*terms, HOUR, DELAY, LIMITS, TERMS))
        await self.mine(START - HOUR - 1_000)
        await self.act([*self._registration(), *self._wallets()])
        for role, account in (
            ("KEEPER_ROLE", POSTER),
            ("MANAGER_ROLE", CUSTODIAN),
            ("RISK_ROLE", RISK),
            ("GUARDIAN_ROLE", GUARDIAN),
        ):
            await self.on_vault(ADMIN, "grantRole(bytes32,address)", keccak(text=role), who[account])
        await self.on_vault(ADMIN, "open()", at=START - HOUR - 900)

    def _registration(self) -> list[Call]:
        types = "registerFund(uint256,address,address,uint256,uint256,uint256,uint256)"
        data = encode_call(types, FUND_ID, self.vault, self.asset, 0, 0, WAD, self.newest)
        answer = encode_call("set(int256,uint256)", 10**8, self.newest)
        return [(ADMIN, self.registry, data), *((ADMIN, feed, answer) for feed in self.feeds)]

    def _wallets(self) -> list[Call]:
        data = encode_call("approve(address,uint256)", self.vault, ENDLESS)
        return [(account, self.asset, data) for account in (CUSTODIAN, *range(FIRST, FIRST + PEOPLE))]

    def configuration(self, folder: Path) -> dict[str, Any]:
        """What a keeper of the fund is configured with; gains and losses are amounts here, which nothing explains."""
        key_file = folder / "poster.key"
        key_file.touch(mode=0o600)
        key_file.write_text(KEYS[POSTER].hex(), encoding="ascii")
        cash = {"kind": "erc20", "id": "cash", "chain": "local", "asset": "USDC", "component": "cash"}
        return {
            "version": 1,
            "home_chain": "local",
            "chains": {
                "local": {
                    "chain_id": 31_337,
                    "rpc": self.node.url,
                    "confirmations": 0,
                    "registry": self.registry,
                    "signer": {"key_file": str(key_file)},
                }
            },
            "assets": {
                "USDC": {
                    "sources": [
                        {"kind": "chainlink", "group": group, "chain": "local", "feed": feed, "heartbeat": 30 * 86_400}
                        | {"deviation_bps": 25}
                        for group, feed in zip("ab", self.feeds, strict=True)
                    ]
                }
            },
            "funds": {
                "pool": {
                    "id": FUND_ID,
                    "chain": "local",
                    "vault": {"chain": "local", "contract": self.vault},
                    "supply": {"kind": "erc20", "chain": "local", "token": self.vault},
                    "positions": [
                        {"kind": "fund_vault", "id": "vault", "chain": "local", "asset": "USDC"}
                        | {"vault": self.vault, "underlying": self.asset},
                        cash | {"token": self.asset, "holder": self.accounts[CUSTODIAN]},
                    ],
                    "guards": {"max_unexplained_bps": 1_000},
                }
            },
        }


@asynccontextmanager
async def vault_node() -> AsyncIterator[VaultNode]:
    """A node with an open vault without shares."""
    async with LocalNode(binary(), "--timestamp", str(START - 3 * HOUR), *_ARGUMENTS) as node:
        accounts = [Address(to_checksum_address(each)) for each in await node.rpc("eth_accounts")]
        built = VaultNode(node, accounts)
        await built.build()
        yield built


@asynccontextmanager
async def keeper_of(world: VaultNode, folder: Path) -> AsyncIterator[tuple[System, Store]]:
    """The running system of the world's keeper, over a database in `folder`."""
    path = write(folder / "pool.yaml", world.configuration(folder))
    with open_store(f"sqlite:///{folder}/pool.db") as store:
        system = await open_system(load_config(path, {}), clock=world, store=store, live=True, documents=folder)
        try:
            yield system, store
        finally:
            await system.close()
