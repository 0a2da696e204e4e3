"""A Safe made of answers, and a desk that proposes to it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address

from navoracle.abi import encode_call, selector
from navoracle.chain.reverts import describe_revert
from navoracle.chain.signers import EphemeralSigner, sign_checked
from navoracle.domain.frame import BlockStamp
from navoracle.domain.units import Timestamp
from navoracle.ports import Address, Answer, Call, Request
from navoracle.safe import (
    Proposal,
    ProposalDesk,
    ProposalFolder,
    Proposals,
    Purpose,
    SafeCall,
    SafeTransaction,
    SignedProposal,
)
from navoracle.safe.transaction import transaction_of
from navoracle.testing import FakeChain, FixedClock
from navoracle.testing.fakes import block_stamp

NOW: Final = 1_800_000_000
CHAIN_ID: Final = 31_337
SAFE: Final = Address("0x5aFE3855358E112B5647B952709E6165e1c1eEEe")
TARGET: Final = Address("0x00000000000000000000000000000000000000Be")
MULTISEND: Final = Address("0x9641d764fc13c8B624c04430C7356C1C7C8102e2")
KEEPER: Final = EphemeralSigner((0xA1).to_bytes(32, "big"))
OTHER: Final = EphemeralSigner((0xA2).to_bytes(32, "big"))

_HASH_OF = selector("getTransactionHash(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,uint256)")


class FakeSafe(FakeChain):
    """A chain with one Safe, whose targets have code and answer nothing, as setters do."""

    def __init__(self, nonce: int = 3, owners: tuple[Address, ...] = (KEEPER.address, OTHER.address)) -> None:
        super().__init__(block_stamp(NOW - 12, chain_id=CHAIN_ID))
        self.code: dict[Address, bytes] = {TARGET: b"\x60\x00"}
        self.says_hash: bytes | None = None
        self.put(SAFE, "VERSION()", (), ("string",), "1.4.1")
        self.put(SAFE, "getThreshold()", (), ("uint256",), 2)
        self.put(SAFE, "getOwners()", (), ("address[]",), owners)
        separator = SafeTransaction(CHAIN_ID, SAFE, 0, SAFE, 0, b"").domain_hash
        self.put(SAFE, "domainSeparator()", (), ("bytes32",), separator)
        self.at(nonce)

    def at(self, nonce: int) -> None:
        """Set the Safe's nonce."""
        self.put(SAFE, "nonce()", (), ("uint256",), nonce)

    def answer(self, request: Request) -> Answer:
        """As the Safe answers; it hashes what it is asked to hash."""
        if isinstance(request, Call) and request.target == SAFE and request.data[:4] == _HASH_OF:
            return Answer(self.says_hash or hash_asked_for(request.data))
        return super().answer(request)

    async def code_at(self, address: Address, at: BlockStamp) -> bytes:
        """The code that was put there."""
        return self.code.get(address, b"")


def hash_asked_for(data: bytes) -> bytes:
    """What a right Safe answers to `getTransactionHash`."""
    kinds = ("address", "uint256", "bytes", "uint8", "uint256", "uint256", "uint256", "address", "address", "uint256")
    to, value, inner, operation, gas, base, price, token, receiver, nonce = decode(kinds, data[4:])
    target, token, receiver = (Address(to_checksum_address(each)) for each in (to, token, receiver))
    made = SafeTransaction(CHAIN_ID, SAFE, nonce, target, value, inner, operation, gas, base, price, token, receiver)
    return made.digest


def post(value: int = 5, to: Address = TARGET) -> SafeCall:
    """A call that sets a value."""
    return SafeCall(to, encode_call("setValue(uint256,bytes32)", value, bytes(32)))


def purpose(slot: int = NOW, **changes: Any) -> Purpose:
    """The post of one fund, good for a quarter of an hour."""
    fields: dict[str, Any] = {"action": "post", "funds": ("stable",), "slot": Timestamp(slot)}
    fields |= {"valuation_time": Timestamp(NOW), "valid_until": Timestamp(NOW + 900)}
    return Purpose(**{**fields, "sentences": ("Posts 1.05 a share for stable.",), **changes})


def desk(chain: FakeSafe, place: Path | Proposals, now: int = NOW, **options: Any) -> ProposalDesk:
    """A desk that proposes to the Safe as the keeper."""
    return ProposalDesk(
        chain=chain,
        safe=SAFE,
        proposals=ProposalFolder(place) if isinstance(place, Path) else place,
        clock=FixedClock(now),
        proposer=KEEPER.address,
        sign=partial(sign_checked, KEEPER),
        explain=describe_revert,
        **{"multisend": MULTISEND, **options},
    )


async def signed(
    *calls: SafeCall,
    nonce: int = 3,
    what: Purpose | None = None,
    signer: EphemeralSigner = KEEPER,
    multisend: Address = MULTISEND,
) -> SignedProposal:
    """A signed proposal."""
    made = calls or (post(),)
    transaction = transaction_of(made, chain_id=CHAIN_ID, safe=SAFE, nonce=nonce, multisend=multisend)
    proposal = Proposal(transaction, made, what or purpose(), "1.4.1", KEEPER.address)
    return SignedProposal(
        proposal, await signer.sign_payload(transaction.payload), await signer.sign_payload(proposal.payload)
    )


def revert_string(text: str) -> bytes:
    """The revert data of Solidity's `require(false, text)`."""
    return bytes.fromhex("08c379a0") + encode(("string",), (text,))
