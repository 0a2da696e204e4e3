"""What the benches of reading read: tokens, vaults, feeds and funds on a local node.

1,000 accounts hold 10 of 200 tokens each. Every fund holds nine of its account's tokens and shares of one of 20 vaults.
Code and balances are put in place directly, so that setting up takes seconds; the reads are ordinary calls.
"""

from __future__ import annotations

import json
import random
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from navoracle.abi import encode_call
from navoracle.chain.artifacts import artifact
from navoracle.chain.reader import MULTICALL3
from navoracle.ports import Address
from tests.protocols.contracts import multicall3_code

NODE_ARGUMENTS: Final = (
    "--gas-limit",
    "300000000",
    "--hardfork",
    "prague",
    "--chain-id",
    "1",
    "--no-request-size-limit",
)
CHAIN: Final = "local"
CHAIN_ID: Final = 1

FUNDS: Final = 1_000
POSITIONS: Final = 10
TOKENS: Final = 200
VAULTS: Final = 20
GROUPS: Final = ("one", "two")
FEED_DECIMALS: Final = 8

_BATCH: Final = 500
_DECIMALS_SLOT, _SUPPLY_SLOT, _BALANCES_SLOT = 2, 3, 4
"""Where the compiler puts the fields of the Token and Vault4626 doubles."""


@dataclass(frozen=True, slots=True)
class Balance:
    """`account` holds `amount` raw units of the token of this number."""

    account: Address
    token: int
    amount: int


@dataclass(frozen=True, slots=True)
class Deployed:
    """Where everything stands.

    Attributes:
        decimals: of each token.
        vaults: the vault over the token of the same number, for the first `VAULTS` tokens.
        feeds: the feed of each token, by group.
        shares: the share token of each fund.
        balances: token balances, `POSITIONS` for each fund in turn: the reads that all clients are measured by.
        in_vault: raw shares of each fund's account in the vault number `fund % VAULTS`.
    """

    url: str
    tokens: tuple[Address, ...]
    decimals: tuple[int, ...]
    vaults: tuple[Address, ...]
    feeds: dict[str, tuple[Address, ...]]
    shares: tuple[Address, ...]
    balances: tuple[Balance, ...]
    in_vault: tuple[int, ...]


def deploy(url: str, *, seed: int = 1) -> Deployed:
    """Put the world onto a node and mine the block that holds it."""
    dice = random.Random(seed)
    decimals = tuple(dice.choice((6, 8, 18)) for _ in range(TOKENS))
    balances = tuple(
        Balance(_address("account", fund), (fund * 7 + place * 19) % TOKENS, dice.randrange(1, 10**21))
        for fund in range(FUNDS)
        for place in range(POSITIONS)
    )
    world = Deployed(
        url=url,
        tokens=_addresses("token", TOKENS),
        decimals=decimals,
        vaults=_addresses("vault", VAULTS),
        feeds={group: _addresses(f"feed {group}", TOKENS) for group in GROUPS},
        shares=_addresses("share", FUNDS),
        balances=balances,
        in_vault=tuple(dice.randrange(1, 10**12) for _ in range(FUNDS)),
    )
    _multicall3(url)
    commands = [*_tokens(world, dice), *_vaults(world), *_feeds(world, dice)]
    for start in range(0, len(commands), _BATCH):
        rpc_batch(url, commands[start : start + _BATCH])
    rpc_batch(url, [("evm_setAutomine", [True]), ("evm_mine", [])])
    return world


def rpc_batch(url: str, commands: Sequence[tuple[str, list[Any]]]) -> list[Any]:
    """Send node requests in one batch; the results in order.

    Raises:
        RuntimeError: one of them failed.
    """
    body = [
        {"jsonrpc": "2.0", "id": number, "method": name, "params": of} for number, (name, of) in enumerate(commands)
    ]
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        answers = sorted(json.load(response), key=lambda answer: int(answer["id"]))
    failed = [answer["error"] for answer in answers if "error" in answer]
    if failed or len(answers) != len(commands):
        raise RuntimeError(f"{len(failed)} of {len(commands)} node requests failed: {failed[:1]}")
    return [answer["result"] for answer in answers]


def _multicall3(url: str) -> None:
    """Put the real Multicall3 where it stands on almost every chain."""
    ((sender, *_),) = rpc_batch(url, [("eth_accounts", [])])
    creation = {"from": sender, "data": "0x" + multicall3_code().hex()}
    (digest,) = rpc_batch(url, [("eth_sendTransaction", [creation])])
    rpc_batch(url, [("evm_mine", [])])
    (receipt,) = rpc_batch(url, [("eth_getTransactionReceipt", [digest])])
    (code,) = rpc_batch(url, [("eth_getCode", [receipt["contractAddress"], "latest"])])
    rpc_batch(url, [("anvil_setCode", [MULTICALL3, code])])


def _tokens(world: Deployed, dice: random.Random) -> list[tuple[str, list[Any]]]:
    commands = []
    for token, decimals in zip(world.tokens, world.decimals, strict=True):
        commands += [_code(token, "Token"), _store(token, _DECIMALS_SLOT, decimals)]
    for share in world.shares:
        supply = dice.randrange(10**20, 10**25)
        commands += [_code(share, "Token"), _store(share, _DECIMALS_SLOT, 18), _store(share, _SUPPLY_SLOT, supply)]
    commands += [_store(world.tokens[held.token], _balance_slot(held.account), held.amount) for held in world.balances]
    return commands


def _vaults(world: Deployed) -> list[tuple[str, list[Any]]]:
    commands = []
    for number, vault in enumerate(world.vaults):
        asset = world.tokens[number]
        supply = sum(world.in_vault[number::VAULTS])
        commands += [
            _code(vault, "Vault4626", asset),
            _store(vault, _DECIMALS_SLOT, world.decimals[number]),
            _store(vault, _SUPPLY_SLOT, supply),
            _store(asset, _balance_slot(vault), supply * 11 // 10),
        ]
    for fund, amount in enumerate(world.in_vault):
        account = world.balances[fund * POSITIONS].account
        commands.append(_store(world.vaults[fund % VAULTS], _balance_slot(account), amount))
    return commands


def _feeds(world: Deployed, dice: random.Random) -> list[tuple[str, list[Any]]]:
    (accounts, block) = rpc_batch(world.url, [("eth_accounts", []), ("eth_getBlockByNumber", ["latest", False])])
    (count,) = rpc_batch(world.url, [("eth_getTransactionCount", [accounts[0], "latest"])])
    sent = int(count, 16)
    now = int(block["timestamp"], 16)
    commands: list[tuple[str, list[Any]]] = [("evm_setAutomine", [False])]
    for number in range(TOKENS):
        price = dice.randrange(10**6, 50_000 * 10**FEED_DECIMALS)
        for place, feeds in enumerate(world.feeds.values()):
            data = "0x" + encode_call("set(int256,uint256)", price, now).hex()
            send = {"from": accounts[0], "to": feeds[number], "data": data, "gas": hex(300_000)}
            # A node works on a batch in parallel: it cannot count the sender's transactions itself.
            send["nonce"] = hex(sent + number * len(world.feeds) + place)
            commands += [_code(feeds[number], "Feed"), _store(feeds[number], 0, FEED_DECIMALS)]
            commands.append(("eth_sendTransaction", [send]))
    return commands


def _code(at: Address, name: str, *immutables: Address) -> tuple[str, list[Any]]:
    found = artifact(name)
    code = bytearray(found.deployed_bytecode)
    for places, value in zip(found.immutables.values(), immutables, strict=True):
        for start in places:
            code[start : start + 32] = bytes.fromhex(value[2:]).rjust(32, b"\0")
    return "anvil_setCode", [at, "0x" + code.hex()]


def _store(at: Address, slot: int, value: int) -> tuple[str, list[Any]]:
    return "anvil_setStorageAt", [at, f"0x{slot:064x}", f"0x{value:064x}"]


def _balance_slot(account: Address) -> int:
    key = bytes.fromhex(account[2:]).rjust(32, b"\0") + _BALANCES_SLOT.to_bytes(32, "big")
    return int.from_bytes(keccak(key), "big")


def _addresses(kind: str, count: int) -> tuple[Address, ...]:
    return tuple(_address(kind, number) for number in range(count))


def _address(kind: str, number: int) -> Address:
    return Address(to_checksum_address(keccak(text=f"{kind} {number}")[12:]))
