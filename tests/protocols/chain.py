"""A local node for the protocols' own contracts: deploy, send, travel in time, and read as navoracle reads."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from eth_utils.address import to_checksum_address

from navoracle.abi import decode_result, encode_call
from navoracle.chain.deploy import contract_address
from navoracle.chain.http import HttpEndpoint
from navoracle.chain.pool import NodePool
from navoracle.chain.reader import MULTICALL3, Web3ChainReader
from navoracle.keeper.collect import read_all
from navoracle.ports import Address, ReadPoint
from navoracle.readers import ReaderModel
from navoracle.recorded.reader import RecordedReader
from navoracle.testing.fakes import drive
from tests.protocols.contracts import Contract, multicall3_code

NAME: Final = "local"
CHAIN_ID: Final = 31_337
T = TypeVar("T")


class NodeError(Exception):
    """The node answered with an error; `data` is the revert data."""

    def __init__(self, message: str, data: bytes) -> None:
        super().__init__(message)
        self.data = data


class ReaderFailed(Exception):
    """A reader failed as it would in a frame; `code` is the failure's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Chain:
    """A node whose accounts are unlocked. Multicall3 stands at its usual address, with the code that viem carries."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.accounts = tuple(Address(to_checksum_address(account)) for account in self.rpc("eth_accounts"))
        deployed = self.deploy_code(multicall3_code())
        self.rpc("anvil_setCode", MULTICALL3, self.rpc("eth_getCode", deployed, "latest"))

    @property
    def owner(self) -> Address:
        """The account that sends unless another is named."""
        return self.accounts[0]

    @property
    def time(self) -> int:
        """The newest block's timestamp."""
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def rpc(self, method: str, *params: Any) -> Any:
        """Ask the node. Raises NodeError."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            found = json.load(response)
        if "error" in found:
            data = found["error"].get("data")
            raise NodeError(found["error"]["message"], bytes.fromhex(data[2:]) if isinstance(data, str) else b"")
        return found["result"]

    def deploy(self, contract: Contract, *arguments: Any, libraries: Mapping[str, Address] | None = None) -> Address:
        """Create a contract."""
        return self.deploy_code(contract.creation_code(*arguments, libraries=libraries))

    def deploy_code(self, creation_code: bytes, sender: Address | None = None) -> Address:
        """Create a contract from its creation code."""
        sender = sender or self.owner
        nonce = int(self.rpc("eth_getTransactionCount", sender, "latest"), 16)
        self._transact({"from": sender, "data": "0x" + creation_code.hex()})
        return contract_address(sender, nonce)

    def send(self, to: Address, signature: str, *arguments: Any, sender: Address | None = None, value: int = 0) -> None:
        """Call a contract in a transaction that must succeed."""
        data = encode_call(signature, *arguments)
        self._transact({"from": sender or self.owner, "to": to, "data": "0x" + data.hex(), "value": hex(value)})

    def view(
        self, to: Address, signature: str, types: tuple[str, ...], *arguments: Any, sender: Address | None = None
    ) -> Any:
        """Call a contract and decode: one value, or a tuple of several. Raises NodeError."""
        call = {"from": sender or self.owner, "to": to, "data": "0x" + encode_call(signature, *arguments).hex()}
        values = decode_result(types, bytes.fromhex(self.rpc("eth_call", call, "latest")[2:]))
        return values[0] if len(values) == 1 else values

    def impersonate(self, account: Address) -> Address:
        """Let an account send without its key, with coins to pay for it."""
        self.rpc("anvil_impersonateAccount", account)
        self.rpc("anvil_setBalance", account, hex(10**20))
        return account

    def travel(self, seconds: int) -> int:
        """Mine a block that lies `seconds` after the newest one; returns its timestamp."""
        self.rpc("evm_setNextBlockTimestamp", self.time + seconds)
        self.rpc("evm_mine")
        return self.time

    async def resolve(self, reader: ReaderModel) -> Any:
        """The reader with everything that only the chain knows."""
        async with _Reading(self.url) as chain:
            at = await chain.stamp()
            answers: dict[Any, Any] = {}

            def answer(request: Any) -> Any:
                return answers[request]

            # One round is all that resolving may need; deeper ones ask again from the start.
            while True:
                try:
                    return drive(reader.resolve(ReadPoint(at.timestamp, at)), answer)
                except KeyError as missing:
                    (request,) = missing.args
                    (answers[request],) = await chain.read([request], at)

    async def read(self, reader: Any) -> Any:
        """Resolve a reader and read it at the newest block, through Multicall3. Raises ReaderFailed."""
        resolved = await self.resolve(reader)
        return await self.read_resolved(resolved)

    async def read_resolved(self, reader: Any) -> Any:
        """Read a resolved reader at the newest block. Raises ReaderFailed."""
        async with _Reading(self.url) as chain:
            at = await chain.stamp()
            readings = await read_all([reader], [at], at.timestamp, {NAME: chain}, RecordedReader({}))
        failure = readings.failure(reader.id)
        if failure is not None:
            raise ReaderFailed(failure.code, failure.message)
        return readings.values[reader.id]

    def _transact(self, transaction: dict[str, Any]) -> None:
        transaction["gas"] = hex(29_000_000)
        digest = self.rpc("eth_sendTransaction", transaction)
        deadline = time.monotonic() + 30
        while (receipt := self.rpc("eth_getTransactionReceipt", digest)) is None and time.monotonic() < deadline:
            time.sleep(0.002)
        if receipt is None or int(receipt["status"], 16) != 1:
            self.rpc("eth_call", transaction, "latest")  # says why
            raise NodeError(f"transaction {digest} failed", b"")


class _Reading:
    """A chain reader for as long as a block lasts."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Web3ChainReader:
        pool = NodePool.of(HttpEndpoint(self._url), chain=NAME, chain_id=CHAIN_ID, finality=0)
        self._chain = Web3ChainReader(pool)
        return self._chain

    async def __aexit__(self, *_: object) -> None:
        await self._chain.close()
