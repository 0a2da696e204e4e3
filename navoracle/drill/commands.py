"""What is asked of a local node to bring a world about: transactions of its accounts, code and storage put in place."""

from __future__ import annotations

from typing import Any, Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from navoracle.chain.artifacts import artifact
from navoracle.chain.signers import EphemeralSigner
from navoracle.ports import Address

Command = tuple[str, list[Any]]
"""A method of the node and its parameters."""

DECIMALS_SLOT, SUPPLY_SLOT, _BALANCES_SLOT = 2, 3, 4
"""Where the compiler puts the fields of the Token double."""

CALL_GAS: Final = hex(300_000)

# The accounts of anvil's well-known test mnemonic: they hold coins on a local node and nowhere else.
KEYS: Final = tuple(
    bytes.fromhex(key)
    for key in (
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
        "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
    )
)
OPERATOR, POSTER, RISK, GUARDIAN, SECOND_POSTER, STRANGER = range(6)
SIGNERS: Final = tuple(EphemeralSigner(key) for key in KEYS)


def send(account: int, to: Address | None, data: bytes, *, nonce: int, gas: str = CALL_GAS) -> Command:
    """A transaction of an account of the node; a creation without `to`."""
    sent = {"from": SIGNERS[account].address, "data": "0x" + data.hex(), "gas": gas, "nonce": hex(nonce)}
    sent |= {"maxFeePerGas": hex(10**13), "maxPriorityFeePerGas": hex(10**11)}
    return "eth_sendTransaction", [sent if to is None else {**sent, "to": to}]


def code(at: Address, name: str) -> Command:
    """The run-time code of a carried contract, put at an address."""
    return "anvil_setCode", [at, "0x" + artifact(name).deployed_bytecode.hex()]


def store(at: Address, slot: int, value: int) -> Command:
    """A word of storage."""
    return "anvil_setStorageAt", [at, f"0x{slot:064x}", f"0x{int(value):064x}"]


def balance_slot(account: Address) -> int:
    """Where the Token double keeps an account's balance."""
    key = bytes.fromhex(account[2:]).rjust(32, b"\0") + _BALANCES_SLOT.to_bytes(32, "big")
    return int.from_bytes(keccak(key), "big")


def address(kind: str, name: str) -> Address:
    """A made-up address; nobody has its key."""
    return Address(to_checksum_address(keccak(text=f"drill {kind} {name}")[12:]))
