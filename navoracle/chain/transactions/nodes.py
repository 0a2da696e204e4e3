"""What the nodes of a pool say about a sender and its transactions, and what of it is believed.

Every alive node is asked at once. As soon as a quorum of operators has answered, slow ones are waited for a moment
longer, and no more. A node that serves another chain is asked nothing and sent nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from navoracle.chain.head import common_tag
from navoracle.chain.node import BackingOff, Node
from navoracle.chain.poll import ATTEMPTS, outcome
from navoracle.chain.pool import NodePool
from navoracle.chain.pool_questions import BlockAt
from navoracle.chain.rpc import NoAnswer, NodeRefused, block_field, hex_bytes, quantity
from navoracle.chain.transactions.receipts import MinedReceipt, parse_receipt
from navoracle.domain.errors import ChainError
from navoracle.domain.frame import BlockStamp
from navoracle.domain.gas_fees import lower_median, upper_median
from navoracle.ports import Address

_STATES: Final = 120
"""Blocks for which nodes that are no archives know how many transactions an account had sent."""

GRACE: Final = 0.2
"""Seconds that slow nodes get once a quorum has answered."""

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Said(Generic[T]):
    """One node's answer."""

    node: Node
    answer: T


@dataclass(frozen=True, slots=True)
class Survey(Generic[T]):
    """What the nodes answered, and how the others failed."""

    answers: tuple[Said[T], ...]
    failures: tuple[ChainError, ...]

    def operators(self) -> int:
        """How many independent operators answered."""
        return len({said.node.operator for said in self.answers})

    def required(self) -> tuple[Said[T], ...]:
        """The answers. Raises ChainError: there is none."""
        if not self.answers:
            raise self.failures[0]
        return self.answers


@dataclass(frozen=True, slots=True)
class Offer:
    """What the next block asks, in wei per gas, and how much gas it holds."""

    base_fee: int
    tip: int
    block_gas: int


@dataclass(frozen=True, slots=True)
class ReceiptSearch:
    """What nodes know about the hashes of one transaction.

    `found` are the receipts that nodes have, each with how many, the most first; `empty` says that a quorum of
    operators answered and none of them has any.
    """

    found: tuple[tuple[int, MinedReceipt], ...]
    empty: bool


class ChainNodes:
    """The nodes of one chain, as a lane asks them. Raises ChainError where nothing that can be believed is answered."""

    def __init__(self, pool: NodePool) -> None:
        self._pool = pool

    @property
    def chain_id(self) -> int:
        """The chain that they must serve."""
        return self._pool.chain_id

    async def head(self) -> BlockStamp:
        """The newest block of a quorum; brings the states of the nodes up to date."""
        return await self._pool.newest()

    async def of_the_chain(self) -> list[Node]:
        """The nodes that say, just now, that they serve the chain. Raises ChainError: none does."""
        said = (await self.survey(_chain_id)).required()
        right = [each.node for each in said if each.answer == self.chain_id]
        if not right:
            named = ", ".join(f"{each.node.name} serves chain {each.answer}" for each in said)
            raise ChainError(
                f"{named}, not {self.chain_id}: nothing was signed or sent",
                advice="Correct the endpoint's URL or the chain's id in the configuration.",
            )
        return right

    async def count(self, account: Address, block: str = "latest") -> int:
        """How many transactions of the account are in blocks: the most that a quorum of operators has reached."""
        survey = await self._ask("eth_getTransactionCount", [account, block], lambda found: quantity(found, "nonce"))
        claims = [(said.node.operator, said.answer) for said in survey.required()]
        reached = common_tag(claims, min(self._pool.quorum, survey.operators()))
        return reached if reached is not None else max(count for _, count in claims)

    async def user_of(self, account: Address, nonce: int, newest: int) -> str | None:
        """The hash of the account's transaction of this nonce in one of the newest blocks, up to the one of a number.

        Returns:
            None where its block lies further back than nodes keep states for, or no node shows it.
        """
        low, high = max(0, newest - _STATES), newest
        if await self.count(account, hex(low)) > nonce:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            if await self.count(account, hex(middle)) > nonce:
                high = middle
            else:
                low = middle
        survey = await self._ask(
            "eth_getBlockByNumber", [hex(high), True], lambda block: _hash_of(block, account, nonce)
        )
        shown = Counter(said.answer for said in survey.required() if said.answer is not None)
        return shown.most_common(1)[0][0] if shown else None

    async def balance(self, account: Address) -> int:
        """The account's balance in wei: the middle one of what nodes say, the higher of two."""
        survey = await self._ask("eth_getBalance", [account, "latest"], lambda found: quantity(found, "balance"))
        return upper_median(said.answer for said in survey.required())

    async def offer(self) -> Offer:
        """What the next block asks: the lower of two opinions, the middle one of more."""
        blocks, tips = await asyncio.gather(
            self._ask("eth_getBlockByNumber", ["latest", False], _priced_block), self.survey(_tip)
        )
        priced = [said.answer for said in blocks.required()]
        return Offer(
            base_fee=lower_median(base_fee for base_fee, _ in priced),
            tip=lower_median(said.answer for said in tips.required()),
            block_gas=lower_median(limit for _, limit in priced),
        )

    async def receipts(self, hashes: Sequence[str]) -> ReceiptSearch:
        """Every receipt that any node has for one of these hashes; a malformed one is that node's failure."""

        async def known(node: Node) -> tuple[MinedReceipt, ...]:
            answers = [await node.request("eth_getTransactionReceipt", [each]) for each in hashes]
            parsed = (parse_receipt(answer, each) for answer, each in zip(answers, hashes, strict=True))
            return tuple(receipt for receipt in parsed if receipt is not None)

        survey = await self.survey(known)
        survey.required()
        votes = Counter(receipt for said in survey.answers for receipt in said.answer)
        ranked = tuple((many, receipt) for receipt, many in votes.most_common())
        return ReceiptSearch(ranked, not ranked and survey.operators() >= self._pool.quorum)

    async def has_block(self, number: int, block_hash: str) -> bool | None:
        """Whether a quorum has this block under its number; None where no quorum says anything of that number."""
        question = BlockAt(number, self._pool.chain, self._pool.chain_id)
        async with self._pool.within_deadline(f"block {number}"):
            found = await self._pool.poll(question, self._pool.quorum)
        return found.answer.hash == block_hash if found.agreed else None

    async def survey(self, ask: Callable[[Node], Awaitable[T]]) -> Survey[T]:
        """Put a question to all alive nodes, and again where none answers and that may pass.

        Raises:
            ChainError: none is alive, or the deadline passed.
        """
        async with self._pool.within_deadline("a question to all nodes"):
            found = await self._survey(ask)
            for _ in range(ATTEMPTS - 1):
                if found.answers or not any(_may_pass(error) for error in found.failures):
                    break
                await self._pool.sleep(min((node.back_off for node in self._pool.alive()), default=0.0))
                found = await self._survey(ask)
        return found

    async def _survey(self, ask: Callable[[Node], Awaitable[T]]) -> Survey[T]:
        await self._pool.ensure(1)
        tasks = {asyncio.create_task(outcome(ask, node)): node for node in self._pool.alive()}
        try:
            await self._wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
        answers: list[Said[T]] = []
        failures: list[ChainError] = []
        for task, node in tasks.items():
            if not task.done() or task.cancelled():
                failures.append(ChainError(f"{node.name}: no answer in time", advice="Use a faster node."))
                continue
            found = task.result()
            if isinstance(found, ChainError):
                failures.append(found)
                if not isinstance(found, NodeRefused | NoAnswer | BackingOff):
                    node.failed(found)
            else:
                answers.append(Said(node, found))
        return Survey(tuple(answers), tuple(failures))

    async def _wait(self, tasks: dict[asyncio.Task[T | ChainError], Node]) -> None:
        """Wait for all, or for a quorum and the moment after it."""
        waiting = set(tasks)
        while waiting:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            done = [task for task in tasks if task.done() and not isinstance(task.result(), ChainError)]
            if waiting and len({tasks[task].operator for task in done}) >= self._pool.quorum:
                await asyncio.wait(waiting, timeout=GRACE)
                return

    async def _ask(self, method: str, params: Sequence[object], parse: Callable[[object], H]) -> Survey[H]:
        async def answer(node: Node) -> H:
            return parse(await node.request(method, params))

        return await self.survey(answer)


def _may_pass(error: ChainError) -> bool:
    return error.passing if isinstance(error, NodeRefused) else isinstance(error, NoAnswer | BackingOff)


async def _chain_id(node: Node) -> int:
    return quantity(await node.request("eth_chainId", []), "chain id")


async def _tip(node: Node) -> int:
    """What the node suggests; where it suggests nothing, the middle one of what recent blocks were paid."""
    try:
        return quantity(await node.request("eth_maxPriorityFeePerGas", []), "tip")
    except NodeRefused as refusal:
        if refusal.passing:
            raise
    history = await node.request("eth_feeHistory", ["0xa", "latest", [50]])
    rewards = block_field(history, "reward")
    if not isinstance(rewards, list) or not rewards:
        raise ChainError(f"{node.name} suggests no tip", advice="Use a node that serves eth_feeHistory.")
    return lower_median(quantity(block[0] if isinstance(block, list) and block else None, "tip") for block in rewards)


def _hash_of(block: object, account: Address, nonce: int) -> str | None:
    """The hash of the account's transaction of this nonce in a block with whole transactions."""
    sent = block_field(block, "transactions")
    for each in sent if isinstance(sent, list) else ():
        whole = isinstance(each, dict) and str(each.get("from")).lower() == account.lower()
        if whole and quantity(block_field(each, "nonce"), "nonce") == nonce:
            return "0x" + hex_bytes(block_field(each, "hash"), "transaction hash", 32).hex()
    return None


def _priced_block(block: object) -> tuple[int, int]:
    base_fee = quantity(block_field(block, "baseFeePerGas"), "base fee")
    return base_fee, quantity(block_field(block, "gasLimit"), "block gas limit")
