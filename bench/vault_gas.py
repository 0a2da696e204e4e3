"""Gas of a FundVault, from receipts of a local node: a settlement, by what is in the epoch, and what investors pay.

Steady state: the vault has settled before, with fees, deposits and redemptions, so each account is written from
non-zero to non-zero. A settlement's gas must not depend on how many requests it settles.

The peers' figures were measured in the same way, each at its repository's own compiler settings. They are of other
divisions of labour: a FundVault reads the price that a post of its own (see `bench.gas`) has left in the registry.

    python -m bench.vault_gas [--json]
"""

from __future__ import annotations

import random
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, Final

from web3 import HTTPProvider, Web3
from web3.contract import Contract

from bench.gas import BOUNDS, MAX_POST_AGE, NODE_ARGUMENTS, WAD
from bench.on_node import main_on_node
from navoracle.chain.artifacts import artifact

COUNTS: Final = (1, 10, 100)
KINDS: Final = ("deposits", "redemptions", "both")
REQUESTS: Final = ("requestDeposit", "requestRedeem")
PEERS: Final = {
    "Lagoon v0.6 updateNewTotalAssets, then settleDeposit": 93_697 + 165_810,
    "Lagoon v0.6 the same, with pending deposits": 139_213 + 269_938,
    "Mellow submitReports, one asset, no queue": 125_969,
    "Mellow submitReports, one asset, two queues": 172_843,
    "Veda updateExchangeRate": 60_579,
}
"""Gas of the calls by which peers price and settle; anvil 1.7.1, keeper an ordinary account, steady state."""

ADMIN, POSTER, MANAGER, KEEPER, USER, FEES = range(6)
FUND, LENGTH, DELAY, SCALE = 9, 86_400, 600, 10**12
LIMITS = (10**16, 10**4, 10**16, 7_200, 50, 80)
TERMS = (2 * WAD // 100, 20 * WAD // 100, WAD // 1_000, 100)
ZERO = "0x" + "00" * 20
ASSETS = 1_234_567_891
"""Of one deposit request, in raw units of 6 decimals."""


class VaultBench:
    """A vault on a node, and a clock that only this bench moves; `gross` is the fund's worth before fees (Wad)."""

    def __init__(self, url: str) -> None:
        self.web3 = Web3(HTTPProvider(url))
        self.accounts = self.web3.eth.accounts
        self.random = random.Random(20_261_129)
        self.now = int(self.web3.eth.get_block("latest")["timestamp"])
        self.gross = 0
        who = self.accounts
        self.asset = self._deploy("Token", "USD Coin", "USDC", 6)
        self.registry = self._deploy("NavRegistry", who[ADMIN], who[POSTER], MAX_POST_AGE, (*BOUNDS[:3], 1, LENGTH))
        terms = (self.registry.address, FUND, self.asset.address, who[ADMIN], who[MANAGER], who[FEES], ZERO)
        self.vault = self._deploy("FundVault", "Fund", "F", (*terms, LENGTH, DELAY, LIMITS, TERMS))
        served = (FUND, self.vault.address, self.asset.address, 0, 0, WAD, self.now)
        self._send(self.registry, ADMIN, "registerFund", *served)
        for role, account in (("KEEPER_ROLE", KEEPER), ("MANAGER_ROLE", MANAGER)):
            self._send(self.vault, ADMIN, "grantRole", Web3.keccak(text=role), who[account])
        self._send(self.vault, ADMIN, "open")
        for account in (USER, MANAGER):
            self._send(self.asset, ADMIN, "mint", who[account], 10**18)
            self._send(self.asset, account, "approve", self.vault.address, 2**256 - 1)

    def run(self) -> dict[str, Any]:
        """Gas of settlements by kind and number of requests, of each request and claim, and what peers measured."""
        self._epoch("deposits", 10)
        self._epoch("both", 3)
        result: dict[str, Any] = {"settle": {"empty": self._epoch("empty", 0)["settle"]}}
        for kind in KINDS:
            gas = {count: self._epoch(kind, count) for count in COUNTS}
            result["settle"][kind] = {str(count): found["settle"] for count, found in gas.items()}
            if kind == "both":
                firsts = {f"{name}, the first of its epoch": gas[1][name] for name in gas[1] if name in REQUESTS}
                result["investor"] = firsts | {name: found for name, found in gas[10].items() if name != "settle"}
        result["peers"] = PEERS
        return result

    def _epoch(self, kind: str, requests: int) -> dict[str, int]:
        """One epoch; the gas of its settlement, and of the requests and claims of the user itself."""
        epoch = int(self.vault.functions.settlement().call()[0])
        self._post(0)
        user, gas = self.accounts[USER], {}
        for number in range(requests):
            controller = user if number == requests - 1 else self._address()
            if kind in ("deposits", "both"):
                gas["requestDeposit"] = self._send(self.vault, USER, "requestDeposit", ASSETS, controller, user)
            if kind in ("redemptions", "both"):
                shares = int(self.vault.functions.balanceOf(user).call()) // (2 * requests)
                gas["requestRedeem"] = self._send(self.vault, USER, "requestRedeem", shares, controller, user)
        self.gross += self.gross // 500
        self.now = max(self.now, int(self.vault.functions.settlement().call()[1]) + DELAY)
        _, _, _, _, assets, shares, *_ = self.vault.functions.settlement().call()
        price = self._post(assets * SCALE)
        if shares:
            units = shares * price // WAD // SCALE + 1
            self._send(self.vault, MANAGER, "deliver", epoch, self.asset.address, units)
        nav = int(self.registry.functions.read(FUND).call()[0])
        gas["settle"] = self._send(self.vault, KEEPER, "settle", epoch, [nav, 0, 0, 0, 0])
        if self.vault.functions.settlement().call()[0] != epoch + 1:
            raise RuntimeError("the epoch was not settled: the gas would be that of something else")
        _, paid = self.vault.functions.payoutsOf(epoch).call()
        self.gross += (assets - sum(paid)) * SCALE
        if kind in ("deposits", "both"):
            gas["claimDeposit"] = self._send(self.vault, USER, "claimDeposit", epoch, user, user)
        if kind in ("redemptions", "both"):
            gas["claimRedemption"] = self._send(self.vault, USER, "claimRedemption", epoch, user, user)
        return gas

    def _post(self, queued: int) -> int:
        """Post what the fund is worth, net of the fees that are due, and return the price per share."""
        self.now += 60
        supply = int(self.vault.functions.totalSupply().call())
        mark, clock = self.vault.functions.feeState().call()
        year = 365 * 86_400
        charged = self.gross - self.gross * TERMS[0] * (self.now - clock) // (year * WAD)
        gain = max(0, charged - mark * supply // WAD)
        net = charged - gain * TERMS[1] // WAD - 10**6
        price = net * WAD // supply if supply else WAD
        nav = (net if supply else 0) + queued
        record = FUND.to_bytes(2) + nav.to_bytes(13) + price.to_bytes(11) + (95).to_bytes(1)
        self._send(self.registry, POSTER, "post", self.now << 16 | len(record), self._bytes(32), record)
        if self.registry.functions.read(FUND).call()[:3] != [nav, price, self.now - 1]:
            raise RuntimeError("the registry does not serve what was posted")
        return price

    def _address(self) -> str:
        return Web3.to_checksum_address(self._bytes(20))

    def _bytes(self, count: int) -> bytes:
        return bytes(self.random.randrange(1, 256) for _ in range(count))

    def _deploy(self, name: str, *arguments: Any) -> Contract:
        carried = artifact(name)
        factory = self.web3.eth.contract(abi=carried.abi, bytecode=carried.bytecode)
        sent = factory.constructor(*arguments).transact({"from": self.accounts[ADMIN], "gas": 16_000_000})
        return factory(Web3.to_checksum_address(str(self._receipt(sent)["contractAddress"])))

    def _send(self, contract: Contract, account: int, function: str, *arguments: Any) -> int:
        """Call in a block of the clock's time, which goes on by a second; the gas used."""
        self.web3.provider.make_request("evm_setNextBlockTimestamp", [self.now])  # type: ignore[arg-type]
        call = contract.functions[function](*arguments)
        used = int(self._receipt(call.transact({"from": self.accounts[account], "gas": 3_000_000}))["gasUsed"])
        self.now += 1
        return used

    def _receipt(self, sent: Any) -> Any:
        receipt = self.web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.005)
        if receipt["status"] != 1:
            raise RuntimeError(f"transaction {sent.hex()} failed")
        return receipt


def table(result: dict[str, Any]) -> str:
    """The figures in lines."""
    lines = [f"{'settle, by requests':<56}" + "".join(f"{count:>12}" for count in COUNTS)]
    lines.append(f"{'  empty epoch':<56}{result['settle']['empty']:>12,}")
    for kind in KINDS:
        lines.append(f"{'  ' + kind:<56}" + "".join(f"{result['settle'][kind][str(n)]:>12,}" for n in COUNTS))
    lines += ["", "an investor"] + [f"{'  ' + name:<56}{gas:>12,}" for name, gas in result["investor"].items()]
    lines += ["", "peers"] + [f"{'  ' + name:<56}{gas:>12,}" for name, gas in result["peers"].items()]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; 5 when no node can be had."""
    parser = ArgumentParser(prog="python -m bench.vault_gas", description="Gas of a FundVault.")
    return main_on_node(
        parser, arguments, node_arguments=NODE_ARGUMENTS, measure=lambda url, _: VaultBench(url).run(), table=table
    )


if __name__ == "__main__":
    sys.exit(main())
