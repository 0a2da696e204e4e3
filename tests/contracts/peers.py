"""Doubles of the systems that others run, on eth-tester: what a post meets there, in a block of a chosen second."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.exceptions import TransactionFailed
from hypothesis import HealthCheck, Phase, settings
from web3 import EthereumTesterProvider, Web3
from web3.contract import Contract
from web3.logs import DISCARD

from navoracle.chain.artifacts import artifact

OWNER, POSTER, ACCEPTER, SAFE, COUNCIL, RECEIVER, USER, STRANGER = range(8)
WAD = 10**18
NOON = 4_102_488_000  # 2100-01-01 12:00 UTC: eth-tester does not go behind the machine's clock
HOUR, DAY, YEAR = 3_600, 86_400, 365 * 86_400
PANIC = bytes.fromhex("4e487b71")
DIVISION_BY_ZERO, UNDERFLOW = "panic 0x12", "panic 0x11"

on_chain = settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    # The chain is shared; every example runs in a `rewound` block.
    suppress_health_check=(HealthCheck.function_scoped_fixture,),
)


class PeerChain:
    """A chain without a registry. Time moves only through the arguments of its methods."""

    def __init__(self) -> None:
        self.tester = EthereumTester(PyEVMBackend())
        self.web3 = Web3(EthereumTesterProvider(self.tester))
        self.accounts = self.web3.eth.accounts
        self.errors: dict[bytes, str] = {}
        self.wait_until(NOON)

    def deploy(self, name: str, *arguments: Any) -> Contract:
        """Deploy a carried contract from the first account, in the next block."""
        carried = artifact(name)
        self.errors |= carried.errors()
        factory = self.web3.eth.contract(abi=carried.abi, bytecode=carried.bytecode)
        receipt = self.web3.eth.wait_for_transaction_receipt(factory.constructor(*arguments).transact())
        return factory(Web3.to_checksum_address(str(receipt["contractAddress"])))

    def wait_until(self, timestamp: int) -> None:
        """Give the next block, and calls before it, this time; nothing happens when it is that block's time already."""
        if self.next_time() != timestamp:
            self.tester.time_travel(timestamp)

    def next_time(self) -> int:
        """The time of the block that comes next."""
        return int(self.tester.get_block_by_number("pending")["timestamp"])

    def send(self, timestamp: int, account: int, contract: Contract, function: str, *arguments: Any) -> Any:
        """Mine a call in a block of this time and return its receipt; a refusal raises TransactionFailed."""
        self.wait_until(timestamp)
        call = contract.functions[function](*arguments)
        receipt = self.web3.eth.wait_for_transaction_receipt(
            call.transact({"from": self.accounts[account], "gas": 3_000_000})
        )
        assert self.web3.eth.get_block(receipt["blockNumber"])["timestamp"] == timestamp
        return receipt

    def refusal(self, timestamp: int, account: int, contract: Contract, function: str, *arguments: Any) -> str:
        """Why a call in a block of this time would revert: an error's name, a text or a panic; empty if it would not.

        The time is undone: later calls may be earlier.
        """
        data = contract.encode_abi(function, list(arguments))
        with self.rewound():
            self.wait_until(timestamp)
            try:
                call = {"from": self.accounts[account], "to": contract.address, "data": data}
                self.tester.call(call, block_number="pending")
            except TransactionFailed as refusal:
                return self._reason(str(refusal.args[0]))
        return ""

    def view(self, contract: Contract, function: str, *arguments: Any) -> Any:
        """Read as of the next block's time."""
        return contract.functions[function](*arguments).call(block_identifier="pending")

    def events(self, contract: Contract, receipt: Any) -> list[tuple[str, dict[str, Any]]]:
        """Name and arguments of the events that a contract's own ABI knows, in their order."""
        known = [entry["name"] for entry in contract.abi if entry["type"] == "event"]
        found = [log for name in known for log in contract.events[name]().process_receipt(receipt, errors=DISCARD)]
        own = [log for log in found if log["address"] == contract.address]
        return [(log["event"], dict(log["args"])) for log in sorted(own, key=lambda log: log["logIndex"])]

    @contextmanager
    def rewound(self) -> Iterator[None]:
        """Undo what happens inside, the time included."""
        snapshot = self.tester.take_snapshot()
        try:
            yield
        finally:
            self.tester.revert_to_snapshot(snapshot)

    def _reason(self, text: str) -> str:
        # eth-tester gives revert data that is not a text as the text of a bytes literal
        if not text.startswith(("b'", 'b"')):
            return text
        data: bytes = literal_eval(text)
        if data[:4] == PANIC:
            return f"panic {int.from_bytes(data[4:]):#x}"
        return self.errors[data[:4]].partition("(")[0]
