"""A pool as one endpoint: what a transactor asks, put to as many nodes as each question needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from navoracle.chain.pool import NodePool
from navoracle.chain.rpc import READ_METHODS, block_field, quantity
from navoracle.domain.gas_fees import lower_median


class PoolEndpoint:
    """The nodes of a chain as one `Endpoint`.

    A nonce is the highest that any node knows; a receipt is any node's that has it; what gas costs is the lower of two
    suggestions and the median of more. Other reads go to one node, and to the next where it fails. Everything else,
    above all `eth_sendRawTransaction`, goes once to one node.
    """

    def __init__(self, pool: NodePool) -> None:
        self._pool = pool

    @property
    def name(self) -> str:
        """How messages name it; never contains a key."""
        return self._pool.name

    async def request(self, method: str, params: Sequence[object]) -> object:
        """Ask. Raises NodeRefused for an error answer, ChainError for none."""
        if method == "eth_getTransactionCount":
            return hex(max(quantity(each, "nonce") for each in await self._pool.ask_all(method, params)))
        if method == "eth_getTransactionReceipt":
            found = await self._pool.ask_all(method, params)
            return next((receipt for receipt in found if receipt is not None), None)
        if method == "eth_maxPriorityFeePerGas":
            return hex(lower_median([quantity(each, "tip") for each in await self._pool.ask_all(method, params)]))
        if method == "eth_getBlockByNumber" and list(params[:1]) == ["latest"]:
            return _priced(await self._pool.ask_all(method, params))
        if method in READ_METHODS:
            return await self._pool.ask(method, params)
        return await self._pool.ask_once(method, params)

    async def close(self) -> None:
        """Give up all connections."""
        await self._pool.close()


def _priced(blocks: Sequence[object]) -> object:
    """The newest block of the node whose base fee is the lower median; one without a base fee is taken as it is."""
    priced = [block for block in blocks if isinstance(block, Mapping) and block.get("baseFeePerGas") is not None]
    if not priced:
        return blocks[0]
    fees = [quantity(block_field(block, "baseFeePerGas"), "base fee") for block in priced]
    return priced[fees.index(lower_median(fees))]
