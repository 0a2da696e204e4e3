"""The version gate: a contract is used only when its code is the one that navoracle carries."""

from __future__ import annotations

from navoracle.chain.artifacts import artifact
from navoracle.chain.reader import Web3ChainReader
from navoracle.domain.errors import ChainError
from navoracle.ports import Address


async def require_contract(reader: Web3ChainReader, address: Address, name: str) -> None:
    """Refuse an address whose code is not the carried contract's, whatever its constructor arguments were.

    Raises:
        ChainError: no contract there, another contract, or another version of it.
    """
    code = await reader.code(address)
    if not code:
        raise ChainError(
            f"there is no contract at {address} on {reader.chain}",
            advice=f"Correct the address of {name} in the configuration, or deploy one with `navoracle deploy`.",
        )
    if not artifact(name).is_code(code):
        raise ChainError(
            f"the contract at {address} on {reader.chain} is not the {name} of this navoracle",
            advice="Use the navoracle version that the contract was deployed with, or correct the address.",
        )
