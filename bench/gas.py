"""Gas of posting to NavRegistry, from receipts of a local node, beside a plain contract that does the same.

The gas of reading is measured by a contract that reads, with nothing warm: the call itself is in the figure.

Steady state: every fund was posted before, so each write goes from non-zero to non-zero. Values are like real ones (NAV
of 1 to 51 million, price per share near 1, both scaled by 1e18) and every byte that such a value has carries entropy.

    python -m bench.gas [--json]
"""

from __future__ import annotations

import json
import random
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.types import TxReceipt

from bench.on_node import main_on_node

ABI = Path(__file__).resolve().parent.parent / "contracts" / "abi"
SIZES = (1, 10, 100, 300)
RECORD_SIZES = (27, 92, 105)
NODE_ARGUMENTS = ("--hardfork", "osaka", "--gas-limit", "60000000")
GAS_LIMIT = 16_000_000  # under the per-transaction cap of EIP-7825
ADMIN, POSTER = 0, 1
WAD = 10**18
FEED_READS = {"NavFeed": ("latestRoundData", "getRate", "price", "getQuote"), "NavFeedStrict": ("latestRoundData",)}
"""What is measured of each flavour; the rates of both are the same code."""

MINUTES = 5 * 60
BOUNDS = (1_000, 1_000, 2_500, 60, 3_600)
MAX_POST_AGE = 900


@dataclass(frozen=True)
class Fund:
    """One fund's values; nav and components in WAD, confidence in percent."""

    fund_id: int
    nav: int
    pps: int
    confidence: int
    components: tuple[int, ...]

    def record(self, size: int) -> bytes:
        """The packed record of 27, 92 or 105 bytes."""
        head = self.fund_id.to_bytes(2) + self.nav.to_bytes(13) + self.pps.to_bytes(11) + self.confidence.to_bytes(1)
        before = (self.nav - self.nav // 1_000).to_bytes(13)
        components = b"".join(value.to_bytes(13) for value in self.components)
        return {27: head, 92: head + components, 105: head + before + components}[size]


class Bench:
    """Both contracts on one node, a clock that only this bench moves, and funds that drift a little at every post."""

    def __init__(self, url: str) -> None:
        self.web3 = Web3(HTTPProvider(url))
        self.accounts = self.web3.eth.accounts
        self.random = random.Random(20_260_710)
        self.now = int(self.web3.eth.get_block("latest")["timestamp"])
        admin, poster = self.accounts[ADMIN], self.accounts[POSTER]
        self.registry = self._deploy("NavRegistry", admin, poster, MAX_POST_AGE, BOUNDS)
        self.naive = self._deploy("bench/NaiveRegistry", admin, poster)
        self.shares = self._deploy("Token", "Fund", "FND", 18).address
        self.asset = self._deploy("Token", "USD Coin", "USDC", 6).address
        self.funds = [self._fund(fund_id) for fund_id in self._fund_ids(max(SIZES))]
        self._register()

    def run(self) -> dict[str, Any]:
        """Gas by record size and number of funds, of `postOne`, and of the plain contract."""
        # The first round makes the steady state: confidence, drift and evidence are no longer those of a registration.
        self._post(27, max(SIZES))
        self._post_naive(max(SIZES))
        result: dict[str, Any] = {
            str(size): {str(count): self._post(size, count) for count in SIZES} for size in RECORD_SIZES
        }
        result["post_one"] = self._post_one()
        result["naive"] = {str(count): self._post_naive(count) for count in SIZES}
        result["reads"] = self._reads()
        return result

    def _post(self, size: int, count: int) -> int:
        funds = self._step(count)
        header = self.now << 16 | size
        records = b"".join(fund.record(size) for fund in funds)
        receipt = self._send(self.registry, POSTER, "post", header, self._bytes(32), records)
        for fund in funds:
            self._check(fund)
        return int(receipt["gasUsed"])

    def _post_one(self) -> int:
        (fund,) = self._step(1)
        word = int.from_bytes(fund.record(27)) << 32 | self.now
        receipt = self._send(self.registry, POSTER, "postOne", word, self._bytes(32))
        self._check(fund)
        return int(receipt["gasUsed"])

    def _post_naive(self, count: int) -> int:
        funds = self._step(count)
        posts = [(self._key(fund), fund.nav, fund.pps, fund.confidence, False, fund.components) for fund in funds]
        receipt = self._send(self.naive, POSTER, "post", self.now, posts)
        if len(receipt["logs"]) != count or self.naive.functions.navs(self._key(funds[-1])).call()[1] != funds[-1].pps:
            raise RuntimeError("the plain contract did not store what was posted")
        return int(receipt["gasUsed"])

    def _reads(self) -> dict[str, int]:
        """Gas of cold reads of the first fund: from the registry, and through both flavours of its feed."""
        fund_id = self.funds[0].fund_id
        factory = self._deploy("NavFeedFactory", self.registry.address)
        probe = self._deploy("bench/ReadProbe")
        reads = {
            f"NavRegistry {function}": (self.registry.address, self.registry.encode_abi(function, [fund_id]))
            for function in ("readRaw", "read", "ppsOrRevert")
        }
        quote = [WAD, self.shares, self.asset]
        for flavour in ("NavFeed", "NavFeedStrict"):
            kind = (fund_id, 18, flavour == "NavFeedStrict")
            self._send(factory, ADMIN, "createFeed", *kind)
            place, _ = factory.functions.feedOf(*kind).call()
            feed = self.web3.eth.contract(place, abi=_artifact(flavour)["abi"])
            for function in FEED_READS[flavour]:
                data = feed.encode_abi(function, quote if function == "getQuote" else [])
                reads[f"{flavour} {function}"] = (feed.address, data)
        return {name: int(probe.functions.measure(*read).call()) for name, read in reads.items()}

    def _check(self, fund: Fund) -> None:
        nav, pps, valuation_ts, confidence, status = self.registry.functions.read(fund.fund_id).call()
        if (nav, pps, valuation_ts, confidence, status) != (fund.nav, fund.pps, self.now, fund.confidence, 1):
            raise RuntimeError(
                f"fund {fund.fund_id} does not serve what was posted: the gas would be that of a refusal"
            )

    def _step(self, count: int) -> list[Fund]:
        """Move time by five minutes and every fund by up to 0.1 %; return the first `count` funds."""
        self.now += MINUTES
        while 0 in self.now.to_bytes(4):
            self.now += 1
        self.funds = [self._moved(fund) for fund in self.funds]
        return self.funds[:count]

    def _moved(self, fund: Fund) -> Fund:
        pps = fund.pps + fund.pps * self.random.randrange(-1_000, 1_001) // 1_000_000
        return replace(
            self._fund(fund.fund_id),
            pps=pps + sum(1 << 8 * place for place, byte in enumerate(pps.to_bytes(8, "little")) if byte == 0),
        )

    def _fund(self, fund_id: int) -> Fund:
        return Fund(
            fund_id=fund_id,
            nav=self._money(),
            pps=self._dense(999 * 10**15, 1_001 * 10**15),
            confidence=self.random.randrange(80, 101),
            components=tuple(self._money() for _ in range(5)),
        )

    def _money(self) -> int:
        return self._dense(10**24, 51 * 10**24)

    def _dense(self, low: int, high: int) -> int:
        while True:
            value = self.random.randrange(low, high)
            if 0 not in value.to_bytes((value.bit_length() + 7) // 8):
                return value

    def _fund_ids(self, count: int) -> list[int]:
        return self.random.sample([fund_id for fund_id in range(0x101, 0x10000) if fund_id & 0xFF], count)

    def _bytes(self, count: int) -> bytes:
        return bytes(self.random.randrange(1, 256) for _ in range(count))

    def _key(self, fund: Fund) -> bytes:
        return Web3.keccak(fund.fund_id.to_bytes(2))

    def _register(self) -> None:
        for fund in self.funds:
            opening = (fund.nav, fund.pps, self.now)
            self._send(self.registry, ADMIN, "registerFund", fund.fund_id, self.shares, self.asset, 0, *opening)
            self._send(self.naive, ADMIN, "register", self._key(fund), fund.nav, fund.pps, self.now)

    def _deploy(self, artifact: str, *arguments: Any) -> Contract:
        content = _artifact(artifact)
        factory = self.web3.eth.contract(abi=content["abi"], bytecode=content["bytecode"])
        receipt = self._receipt(factory.constructor(*arguments).transact(self._transaction(ADMIN)))
        return factory(Web3.to_checksum_address(str(receipt["contractAddress"])))

    def _send(self, contract: Contract, account: int, function: str, *arguments: Any) -> TxReceipt:
        call = contract.functions[function](*arguments)
        self.web3.provider.make_request("evm_setNextBlockTimestamp", [self.now + 1])  # type: ignore[arg-type]
        return self._receipt(call.transact(self._transaction(account)))

    def _transaction(self, account: int) -> Any:
        return {"from": self.accounts[account], "gas": GAS_LIMIT}

    def _receipt(self, transaction_hash: Any) -> TxReceipt:
        receipt = self.web3.eth.wait_for_transaction_receipt(transaction_hash, poll_latency=0.01)
        if receipt["status"] != 1:
            raise RuntimeError(f"transaction {transaction_hash.hex()} failed")
        return receipt


def _artifact(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ABI / f"{name}.json").read_text(encoding="utf-8"))
    return content


def table(result: dict[str, Any]) -> str:
    """The figures in lines, with the plain contract's gas as a multiple of each record size's."""
    lines = [f"{'gas':<18}" + "".join(f"{count:>12}" for count in SIZES) + f"{'per fund @100':>16}{'naive is':>12}"]
    for name in (*map(str, RECORD_SIZES), "naive"):
        gas = result[name]
        label = f"{name}-byte records" if name.isdigit() else "naive"
        ratio = result["naive"]["100"] / gas["100"]
        counts = "".join(f"{gas[str(count)]:>12,}" for count in SIZES)
        lines.append(f"{label:<18}{counts}{gas['100'] // 100:>16,}{ratio:>11.2f}x")
    lines.append(f"{'postOne':<18}{result['post_one']:>12,}")
    lines += ["", "a cold read"] + [f"{name:<30}{gas:>12,}" for name, gas in result["reads"].items()]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; 5 when no node can be had."""
    parser = ArgumentParser(prog="python -m bench.gas", description="Gas of NavRegistry beside a plain contract.")
    return main_on_node(
        parser, arguments, node_arguments=NODE_ARGUMENTS, measure=lambda url, _: Bench(url).run(), table=table
    )


if __name__ == "__main__":
    sys.exit(main())
