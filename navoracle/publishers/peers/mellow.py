"""Mellow's oracle, and the submitter that stands before it where a vault has one.

Source: `src/oracles/Oracle.sol` and `OracleSubmitter.sol` of mellow-finance/flexible-vaults.
"""

from __future__ import annotations

from typing import Literal

from eth_utils.address import to_checksum_address

from navoracle.abi import decode_result, encode_call
from navoracle.ports import Address, Call, Read
from navoracle.publishers.peers.mellow_reporter import MellowReporter


class MellowPeer(MellowReporter, frozen=True):
    """An oracle of a Mellow vault."""

    kind: Literal["mellow"] = "mellow"

    @property
    def acceptance(self) -> str:
        """The oracle's own call."""
        return "with acceptReport(asset, price, timestamp)"

    def oracle(self) -> Read[Address]:
        """The contract itself."""
        yield from ()
        return self.contract


class MellowSubmitterPeer(MellowReporter, frozen=True):
    """A submitter in front of a Mellow oracle: it passes reports on, refuses another order, and serves a rate."""

    kind: Literal["mellow_submitter"] = "mellow_submitter"

    @property
    def acceptance(self) -> str:
        """The submitter's call, without which its own rate stays behind the oracle's."""
        return "with the submitter's acceptReports(assets, prices, timestamps), the base asset first"

    def oracle(self) -> Read[Address]:
        """The oracle behind the submitter."""
        (answer,) = yield (Call(self.contract, encode_call("oracle()")),)
        return Address(to_checksum_address(decode_result(("address",), answer)[0]))
