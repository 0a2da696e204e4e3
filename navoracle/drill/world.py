"""A made-up world on a local node: feeds, tokens, a registry with its roles, and time that does what it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from navoracle.abi import encode_call
from navoracle.chain.artifacts import artifact
from navoracle.chain.deploy import contract_address
from navoracle.chain.reader import MULTICALL3
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.drill.commands import (
    DECIMALS_SLOT,
    GUARDIAN,
    OPERATOR,
    POSTER,
    RISK,
    SECOND_POSTER,
    SIGNERS,
    SUPPLY_SLOT,
    address,
    balance_slot,
    code,
    send,
    store,
)
from navoracle.drill.node import LocalNode
from navoracle.drill.shape import Shape
from navoracle.ports import Address
from navoracle.publishers.nav_registry_codec import FundWord, decode_word
from navoracle.registry_port import GuardBounds

BLOCK_SECONDS: Final = 12
MAX_BLOCKS: Final = 6
"""The most blocks that are made at once when time goes on: an idle hour needs no three hundred."""

LIVELY_SECONDS: Final = 400
"""For how long blocks come at their usual pace after something waited for one."""

FEED_DECIMALS: Final = 8
_FEED_SCALE: Final = 10 ** (18 - FEED_DECIMALS)
_ROLE_POSTER, _ROLE_RISK, _ROLE_GUARDIAN = 1, 2, 4
_PER_BLOCK: Final = 80
_CREATION_GAS: Final = hex(6_000_000)


@dataclass(slots=True)
class World:
    """What stands on the node. Make it with `World.build`.

    Attributes:
        prices: what all feeds of an asset say, unless single groups were told otherwise.
        newest: the newest block's time.
        mining: whether blocks are made as time goes on.
        base_fee: wei per gas of every block; as the chain has it when None.
        stood_still: whether no block was made for want of mining.
        sparse: seconds between two blocks while nothing waits for them, in worlds that last for days; what a node needs
            for a block grows with their number. As at all other times when None.
        lively_until: until when blocks come at their usual pace all the same: something waited not long ago.
    """

    node: LocalNode
    shape: Shape
    registry: Address
    newest: int
    prices: dict[str, Wad] = field(default_factory=dict)
    mining: bool = True
    base_fee: int | None = None
    stood_still: bool = False
    sparse: int | None = None
    lively_until: int = 0

    # ---- building

    @classmethod
    async def build(cls, node: LocalNode, shape: Shape, start: int, bounds: GuardBounds | None = None) -> World:
        """Put everything in place; the newest block is of `start`, and every fund opened an hour before."""
        opened = start - 3_600
        await node.batch([("evm_setAutomine", [False]), ("evm_setNextBlockTimestamp", [opened])])
        limits = bounds or GuardBounds()
        creation = artifact("NavRegistry").creation_code(
            SIGNERS[OPERATOR].address,
            SIGNERS[POSTER].address,
            900,
            (limits.up_bps, limits.down_bps, limits.day_bps, limits.min_interval, limits.max_age),
        )
        registry = contract_address(SIGNERS[OPERATOR].address, 0)
        world = cls(node, shape, registry, opened)
        await node.batch(
            [
                ("anvil_setCode", [MULTICALL3, "0x" + artifact("Multicall3").deployed_bytecode.hex()]),
                *world._tokens(),
                *world._feed_codes(),
                send(OPERATOR, None, creation, nonce=0, gas=_CREATION_GAS),
                ("evm_mine", []),
            ]
        )
        calls = world._registrations(opened)
        for account, roles in (
            (RISK, _ROLE_RISK),
            (GUARDIAN, _ROLE_GUARDIAN),
            (SECOND_POSTER, _ROLE_POSTER),
        ):
            calls.append((registry, encode_call("setRole(address,uint256)", SIGNERS[account].address, roles)))
        calls += world._answers({symbol: asset.price for symbol, asset in shape.assets.items()}, None, opened)
        await world._transact_all(calls, opened, start)
        world.prices = {symbol: asset.price for symbol, asset in shape.assets.items()}
        return world

    def _tokens(self) -> list[tuple[str, list[Any]]]:
        commands = []
        for symbol in self.shape.assets:
            commands += [code(self.token(symbol), "Token"), store(self.token(symbol), DECIMALS_SLOT, 18)]
        owned: dict[tuple[Address, Address], int] = {}
        for name, fund in self.shape.funds.items():
            commands += [code(self.share(name), "Token"), store(self.share(name), DECIMALS_SLOT, 18)]
            commands.append(store(self.share(name), SUPPLY_SLOT, fund.nav(self.shape.assets)))
            for holding in fund.holdings:
                place = (self.token(holding.asset), self.holder(name, holding.id))
                owned[place] = owned.get(place, 0) + holding.amount
        return commands + [store(token, balance_slot(holder), amount) for (token, holder), amount in owned.items()]

    def _feed_codes(self) -> list[tuple[str, list[Any]]]:
        commands: list[tuple[str, list[Any]]] = []
        for symbol, asset in self.shape.assets.items():
            for group in asset.groups:
                feed = self.feed(symbol, group)
                # decimals; phaseId and aggregator; minAnswer; maxAnswer and latestRound: what the constructor sets
                commands += [code(feed, "Feed"), store(feed, 0, FEED_DECIMALS)]
        return commands

    def _registrations(self, opened: int) -> list[tuple[Address, bytes]]:
        return [
            (
                self.registry,
                encode_call(
                    "registerFund(uint256,address,address,uint256,uint256,uint256,uint256)",
                    fund.number,
                    self.share(name),
                    Address("0x" + "0" * 40),
                    0,
                    int(fund.nav(self.shape.assets)),
                    WAD,
                    opened,
                ),
            )
            for name, fund in self.shape.funds.items()
        ]

    async def _transact_all(self, calls: Sequence[tuple[Address, bytes]], first: int, last: int) -> None:
        nonce = 1
        for start in range(0, len(calls), _PER_BLOCK):
            part = calls[start : start + _PER_BLOCK]
            ends = start + _PER_BLOCK >= len(calls)
            await self.node.batch(
                [
                    *(send(OPERATOR, to, data, nonce=nonce + n) for n, (to, data) in enumerate(part)),
                    ("evm_setNextBlockTimestamp", [last if ends else first + 1 + start // _PER_BLOCK]),
                ]
            )
            await self.node.rpc("evm_mine")
            nonce += len(part)
        self.newest = last

    # ---- places

    def token(self, symbol: str) -> Address:
        """An asset's token."""
        return address("token", symbol)

    def share(self, fund: str) -> Address:
        """A fund's share token."""
        return address("share", fund)

    def holder(self, fund: str, holding: str) -> Address:
        """The account of one holding; nobody has its key."""
        return address("holder", f"{fund} {holding}")

    def feed(self, symbol: str, group: str) -> Address:
        """A group's feed of an asset."""
        return address("feed", f"{symbol} {group}")

    # ---- time

    async def time_is(self, now: int) -> None:
        """Make the blocks that fell due up to `now`; none while nothing is mined."""
        due = (now - self.newest) // BLOCK_SECONDS
        if self.mining and due > 0 and (self.sparse is None or await self._is_wanted(now, self.sparse)):
            # After a standstill blocks come one by one again, not all those that were left out.
            one = self.stood_still or self.sparse is not None
            await self.mine(now, blocks=1 if one else min(due, MAX_BLOCKS))
        self.stood_still = not self.mining

    async def _is_wanted(self, now: int, sparse: int) -> bool:
        if int((await self.node.rpc("txpool_status"))["pending"], 16):
            self.lively_until = now + LIVELY_SECONDS
        return now <= self.lively_until or now - self.newest >= sparse

    async def mine(self, now: int, blocks: int = 1) -> None:
        """Make blocks, the last one of this time (Unix seconds)."""
        if self.base_fee is not None and blocks > 1:
            # The fee that is set holds for one block.
            await self.mine(now - BLOCK_SECONDS, blocks - 1)
            blocks = 1
        first = max(now - BLOCK_SECONDS * (blocks - 1), self.newest + 1)
        await self.node.rpc("evm_setNextBlockTimestamp", first)
        if self.base_fee is not None:
            await self.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(self.base_fee))
        await self.node.rpc("anvil_mine", hex(blocks), hex(BLOCK_SECONDS))
        self.newest = first + BLOCK_SECONDS * (blocks - 1)

    async def height(self) -> int:
        """The newest block's number."""
        return int(await self.node.rpc("eth_blockNumber"), 16)

    @staticmethod
    def depth_of(block: int, height: int) -> int:
        """How many blocks a reorganization must replace to take this one away."""
        return height - block + 1

    async def reorganize(self, depth: int, *raw: str) -> None:
        """Replace so many blocks by others; the first of them holds these transactions, the pool is empty after."""
        await self.node.rpc("anvil_reorg", depth, [[transaction, 0] for transaction in raw])

    # ---- what happens in it

    async def set_prices(
        self, prices: Mapping[str, Wad], *, groups: Sequence[str] | None = None, at: int | None = None
    ) -> None:
        """Let feeds answer these prices (Wad per whole token) in a block of their own.

        Args:
            groups: whose feeds; all when None.
            at: the answers' and the block's time; one second after the newest block when None.
        """
        time = max(self.newest + 1, at or 0)
        await self.act(OPERATOR, self._answers(prices, groups, time), at=time)
        if groups is None:
            self.prices |= prices

    async def set_failing(self, symbol: str, *, failing: bool) -> None:
        """Let an asset's feeds revert, or answer again."""
        data = encode_call("setFailing(bool)", failing)
        groups = self.shape.assets[symbol].groups
        await self.act(OPERATOR, [(self.feed(symbol, group), data) for group in groups])

    async def act(self, account: int, calls: Sequence[tuple[Address, bytes]], *, at: int | None = None) -> None:
        """Make calls from an account of the node, in one block. A call that fails is mined all the same."""
        count = await self.node.rpc("eth_getTransactionCount", SIGNERS[account].address, "latest")
        nonce = int(count, 16)
        sent = [send(account, to, data, nonce=nonce + n) for n, (to, data) in enumerate(calls)]
        await self.node.batch(sent)
        await self.mine(max(self.newest + 1, at or 0))

    async def registry_call(self, account: int, signature: str, *arguments: Any) -> None:
        """Call the registry from an account of the node."""
        await self.act(account, [(self.registry, encode_call(signature, *arguments))])

    async def set_paused(self, account: int, *, paused: bool) -> None:
        """Stop or resume the registry."""
        await self.registry_call(account, "setPaused(bool)", paused)

    # ---- what there is

    async def word(self, fund: str) -> FundWord:
        """What the registry holds for a fund."""
        data = encode_call("readRaw(uint256)", self.shape.funds[fund].number)
        found = await self.node.rpc("eth_call", {"to": self.registry, "data": "0x" + data.hex()}, "latest")
        return decode_word(int(found, 16))

    async def nonce(self, account: int = POSTER) -> int:
        """How many transactions of an account were mined."""
        return int(await self.node.rpc("eth_getTransactionCount", SIGNERS[account].address, "latest"), 16)

    async def balance(self, account: int = POSTER) -> int:
        """Its coins, in wei."""
        return int(await self.node.rpc("eth_getBalance", SIGNERS[account].address, "latest"), 16)

    async def pool(self) -> list[str]:
        """Hashes of the transactions that wait in the node's pool."""
        content = await self.node.rpc("txpool_content")
        return [
            transaction["hash"]
            for part in ("pending", "queued")
            for nonces in content[part].values()
            for transaction in nonces.values()
        ]

    def _answers(
        self, prices: Mapping[str, Wad], groups: Sequence[str] | None, time: int
    ) -> list[tuple[Address, bytes]]:
        return [
            (self.feed(symbol, group), encode_call("set(int256,uint256)", price // _FEED_SCALE, time))
            for symbol, price in prices.items()
            for group in groups or self.shape.assets[symbol].groups
        ]


def opened_at(start: int) -> Timestamp:
    """When the funds of a world that begins at `start` were opened."""
    return Timestamp(start - 3_600)
