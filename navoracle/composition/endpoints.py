"""A node that somebody names beside the configuration: for checking evidence against a chain."""

from __future__ import annotations

from collections.abc import Sequence

from navoracle.chain.http import HttpEndpoint
from navoracle.chain.reader import MULTICALL3, Web3ChainReader
from navoracle.chain.rpc import quantity
from navoracle.domain.errors import ChainError
from navoracle.domain.frame import BlockStamp
from navoracle.ports import Address


async def chain_reader_at(
    url: str, stamps: Sequence[BlockStamp], *, multicall: Address | None = None, timeout: float = 20.0
) -> Web3ChainReader:
    """A reader for the one of the stamped chains that the node serves; close it after use.

    Args:
        multicall: where the chain's Multicall3 is; the usual address when None.

    Raises:
        ConfigurationError: the URL is none.
        ChainError: the node does not answer, serves none of these chains, or the chain has no Multicall3.
    """
    endpoint = HttpEndpoint(url, timeout=timeout, deadline=2.5 * timeout)
    try:
        served = quantity(await endpoint.request("eth_chainId", []), "chain id")
        stamp = next((stamp for stamp in stamps if stamp.chain_id == served), None)
        if stamp is None:
            known = ", ".join(f"{stamp.chain} ({stamp.chain_id})" for stamp in stamps) or "no chain"
            raise ChainError(
                f"{endpoint.name} serves chain {served}; the frame read {known}",
                advice="Name a node of a chain that the frame read.",
            )
        reader = Web3ChainReader(
            endpoint, chain=stamp.chain, chain_id=served, finality=0, multicall=multicall or MULTICALL3
        )
        await reader.stamp()
    except ChainError:
        await endpoint.close()
        raise
    return reader
