"""A NavRegistry on eth-tester with funds 1 to 5 at 1.0 a share, driven through web3."""

from __future__ import annotations

from ast import literal_eval
from typing import Any

from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.exceptions import TransactionFailed
from web3 import EthereumTesterProvider, Web3
from web3.contract import Contract
from web3.logs import DISCARD

from navoracle.chain.artifacts import Artifact, artifact

ADMIN, POSTER, RISK, GUARDIAN, BACKUP, VAULT = range(6)
WAD = 10**18
NAV = 10**6 * WAD
FUNDS = (1, 2, 3, 4, 5)
NOON = 4_102_488_000  # 2100-01-01 12:00 UTC: eth-tester does not go behind the machine's clock
MINUTE, HOUR, DAY = 60, 3_600, 86_400
MAX_POST_AGE = 900
BOUNDS = (1_000, 1_000, 2_500, MINUTE, HOUR)


class Chain:
    """The chain, the registry, and the clock: time moves only through `at`."""

    def __init__(self) -> None:
        self.tester = EthereumTester(PyEVMBackend())
        self.web3 = Web3(EthereumTesterProvider(self.tester))
        self.accounts = self.web3.eth.accounts
        self.artifact: Artifact = artifact("NavRegistry")
        self.constants = self.artifact.constants
        self.registry = self.deploy("NavRegistry", self.accounts[ADMIN], self.accounts[POSTER], MAX_POST_AGE, BOUNDS)
        self.send(ADMIN, "setRole", self.accounts[RISK], self.constants["ROLE_RISK"])
        self.send(ADMIN, "setRole", self.accounts[GUARDIAN], self.constants["ROLE_GUARDIAN"])
        self.at(NOON)
        vault = self.accounts[VAULT]
        for fund in FUNDS:
            self.send(ADMIN, "registerFund", fund, vault, vault, 0, NAV, WAD, NOON)

    def deploy(self, name: str, *arguments: Any) -> Contract:
        """Deploy a carried contract from the first account."""
        factory = self.web3.eth.contract(abi=artifact(name).abi, bytecode=artifact(name).bytecode)
        receipt = self.web3.eth.wait_for_transaction_receipt(factory.constructor(*arguments).transact())
        return factory(Web3.to_checksum_address(str(receipt["contractAddress"])))

    def at(self, timestamp: int) -> int:
        """Mine a block of this time and return the time; the next block is a second later."""
        self.tester.time_travel(timestamp)
        self.tester.mine_block()
        return timestamp

    def send(self, account: int, function: str, *arguments: Any) -> Any:
        """Call and mine as this account; eth-tester raises TransactionFailed for a refusal. Returns the receipt."""
        call = self.registry.functions[function](*arguments)
        transaction = call.transact({"from": self.accounts[account], "gas": 1_000_000})
        return self.web3.eth.wait_for_transaction_receipt(transaction)

    def view(self, function: str, *arguments: Any) -> Any:
        """Read at the newest block."""
        return self.registry.functions[function](*arguments).call()

    def post(self, timestamp: int, *records: bytes) -> list[tuple[str, int, int]]:
        """Post at this time as of this time; returns event, fund and reason of each record that was not stored."""
        self.at(timestamp)
        return self.refusals(
            self.send(POSTER, "post", header(timestamp, len(records[0])), bytes(32), b"".join(records))
        )

    def refusals(self, receipt: Any) -> list[tuple[str, int, int]]:
        """Event, fund and reason of the records that a transaction did not store."""
        held = self.registry.events.NavHeld().process_receipt(receipt, errors=DISCARD)
        rejected = self.registry.events.NavRejected().process_receipt(receipt, errors=DISCARD)
        found = sorted([*held, *rejected], key=lambda event: event["logIndex"])
        return [(event["event"], event["args"]["fundId"], event["args"]["reason"]) for event in found]

    def error(self, account: int, function: str, *arguments: Any) -> str:
        """The name of the custom error that a call is refused with; an empty string when it is not refused."""
        data = self.registry.encode_abi(function, list(arguments))
        try:
            self.tester.call({"from": self.accounts[account], "to": self.registry.address, "data": data})
        except TransactionFailed as refusal:
            # eth-tester gives the revert data as the text of a bytes literal
            return self.artifact.errors()[literal_eval(refusal.args[0])[:4]].partition("(")[0]
        return ""


def header(timestamp: int, size: int = 27) -> int:
    """A batch's header."""
    return timestamp << 16 | size


def record(fund: int, pps: int, *, nav: int = NAV, confidence: int = 95, estimated: bool = False) -> bytes:
    """A record of 27 bytes."""
    last = (0x80 if estimated else 0) | confidence
    return fund.to_bytes(2) + nav.to_bytes(13) + pps.to_bytes(11) + last.to_bytes(1)


def word(content: bytes, timestamp: int) -> int:
    """What `postOne` takes for a record."""
    return int.from_bytes(content) << 32 | timestamp
