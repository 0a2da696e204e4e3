"""Safes of three releases from their own packages, two of three owners each, and a NavRegistry that they post to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from eth_keys.datatypes import PrivateKey
from eth_utils.address import to_checksum_address

from navoracle.abi import encode_call
from navoracle.chain.artifacts import artifact as carried
from navoracle.chain.http import HttpEndpoint
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import Web3ChainReader
from navoracle.chain.reverts import describe_revert
from navoracle.chain.signers import EphemeralSigner, sign_checked
from navoracle.domain.units import Timestamp
from navoracle.ports import Address
from navoracle.safe import ProposalDesk, ProposalFolder, Proposals, Purpose, SafeCall, SafeTransaction
from navoracle.testing import FixedClock
from tests.protocols.chain import CHAIN_ID, NAME, Chain
from tests.protocols.contracts import artifact

RELEASES: Final = {
    "1.3.0": ("@gnosis.pm/safe-contracts@1.3.0", "GnosisSafe"),
    "1.4.1": ("@safe-global/safe-contracts@1.4.1", "Safe"),
    "1.5.0": ("@safe-global/safe-smart-account@1.5.0", "Safe"),
}
NOBODY: Final = Address("0x" + 40 * "0")
KEYS: Final = tuple(number.to_bytes(32, "big") for number in (0xA1, 0xA2, 0xA3))
STRANGER: Final = EphemeralSigner((0xB1).to_bytes(32, "big"))
KEEPER: Final = EphemeralSigner(KEYS[0])
FUND: Final = 7
WAD: Final = 10**18
NAV: Final = 10**6 * WAD
FRESH: Final = 900

_BUILT: Final = "build/artifacts/contracts"
_SETUP: Final = "setup(address[],uint256,address,bytes,address,address,uint256,address)"
_CREATE: Final = "createProxyWithNonce(address,bytes,uint256)"
_EXECUTE: Final = "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"
_REGISTER: Final = "registerFund(uint256,address,address,uint256,uint256,uint256,uint256)"


class SafeWorld:
    """One release's Safe, its MultiSendCallOnly, and the registry that it posts to."""

    def __init__(self, chain: Chain, version: str) -> None:
        self.chain = chain
        self.version = version
        pin, name = RELEASES[version]
        singleton = chain.deploy(artifact(pin, f"{_BUILT}/{name}.sol/{name}.json"))
        factory = chain.deploy(artifact(pin, f"{_BUILT}/proxies/{name}ProxyFactory.sol/{name}ProxyFactory.json"))
        self.multisend = chain.deploy(artifact(pin, f"{_BUILT}/libraries/MultiSendCallOnly.sol/MultiSendCallOnly.json"))
        owners = [address_of(key) for key in KEYS]
        setup = encode_call(_SETUP, owners, 2, NOBODY, b"", NOBODY, NOBODY, 0, NOBODY)
        self.safe = Address(to_checksum_address(chain.view(factory, _CREATE, ("address",), singleton, setup, 1)))
        chain.send(factory, _CREATE, singleton, setup, 1)
        bounds = (1_000, 1_000, 2_500, 60, 3_600)
        self.registry = chain.deploy_code(carried("NavRegistry").creation_code(chain.owner, self.safe, FRESH, bounds))
        vault = chain.accounts[5]
        chain.send(self.registry, _REGISTER, FUND, vault, vault, 0, NAV, WAD, chain.time - 600)

    def desk(
        self, reader: Web3ChainReader, place: Path | Proposals, signer: EphemeralSigner = KEEPER, **options: Any
    ) -> ProposalDesk:
        """A desk that proposes to this Safe, into a folder or elsewhere."""
        return ProposalDesk(
            chain=reader,
            safe=self.safe,
            proposals=ProposalFolder(place) if isinstance(place, Path) else place,
            clock=FixedClock(self.chain.time),
            proposer=signer.address,
            sign=partial(sign_checked, signer),
            explain=describe_revert,
            **{"multisend": self.multisend, **options},
        )

    def post(self, pps: int = WAD, valued: int | None = None, fund: int = FUND) -> SafeCall:
        """A post of the fund at a price per share, valued now unless it is said."""
        record = fund.to_bytes(2, "big") + NAV.to_bytes(13, "big") + pps.to_bytes(11, "big") + bytes([95])
        header = (self.chain.time if valued is None else valued) << 16 | len(record)
        return SafeCall(self.registry, encode_call("post(uint256,bytes32,bytes)", header, bytes(32), record))

    def purpose(self, slot: int = 1, **changes: Any) -> Purpose:
        """A purpose that is good for a quarter of an hour."""
        now = self.chain.time
        fields: dict[str, Any] = {"action": "post", "funds": ("stable",), "slot": Timestamp(slot)}
        fields |= {"valuation_time": Timestamp(now), "valid_until": Timestamp(now + FRESH)}
        return Purpose(**{**fields, "sentences": ("Posts 1.00 a share for stable.",), **changes})

    def execute(self, transaction: SafeTransaction, signatures: dict[Address, bytes]) -> None:
        """Execute with signatures of its hash, in the order of their owners as the Safe wants them."""
        joined = b"".join(signatures[owner] for owner in sorted(signatures, key=lambda each: int(each, 16)))
        values: Sequence[Any] = tuple(transaction.fields().values())[:-1]
        self.chain.send(self.safe, _EXECUTE, *values, joined)

    def nonce(self) -> int:
        """The Safe's nonce."""
        return int(self.chain.view(self.safe, "nonce()", ("uint256",)))

    def posted(self) -> int:
        """The valuation time that the registry holds for the fund."""
        return int(self.chain.view(self.registry, "readRaw(uint256)", ("uint256",), FUND)) >> 32 & (1 << 32) - 1


def reader_of(chain: Chain) -> Web3ChainReader:
    """A reader of the node; close it after use."""
    return Web3ChainReader(NodePool.of(HttpEndpoint(chain.url), chain=NAME, chain_id=CHAIN_ID, finality=0))


def address_of(key: bytes) -> Address:
    """The address of a private key."""
    return Address(PrivateKey(key).public_key.to_checksum_address())


def owner_signature(key: bytes, transaction: SafeTransaction) -> bytes:
    """What an owner's wallet returns for a transaction's hash: r, s and v."""
    signed = PrivateKey(key).sign_msg_hash(transaction.digest)
    return bytes(signed.r.to_bytes(32, "big") + signed.s.to_bytes(32, "big") + bytes([27 + signed.v]))
