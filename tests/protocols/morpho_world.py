"""Morpho Blue 1.0.0 compiled from its sources, with its own mocks, and one market of USDC against WETH."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from eth_utils.crypto import keccak

from navoracle.abi import decode_result, encode_arguments
from navoracle.ports import Address
from navoracle.positions.morpho_blue import MorphoBluePosition
from navoracle.positions.morpho_blue_account import MorphoBlueAccount
from navoracle.positions.morpho_market import PARAMS_TYPE
from tests.protocols.chain import NAME, Chain
from tests.protocols.contracts import Contract, compiled

PIN: Final = "@morpho-org/morpho-blue@1.0.0"
SOLC: Final = "solc@0.8.19"
NOBODY: Final = Address("0x" + 40 * "0")
WAD: Final = 10**18
LLTV: Final = 86 * 10**16
PRICE: Final = 3_000 * 10**24
"""USDC per WETH, scaled by 10**(36 + 6 - 18)."""

_OURS: Final = {
    "test/Ours.sol": """
// SPDX-License-Identifier: GPL-2.0-or-later
pragma solidity ^0.8.0;
import {ERC20Mock} from "src/mocks/ERC20Mock.sol";
import {IMorpho, MarketParams} from "src/interfaces/IMorpho.sol";
import {MorphoBalancesLib} from "src/libraries/periphery/MorphoBalancesLib.sol";

contract Token is ERC20Mock {
    uint8 public immutable decimals;
    constructor(uint8 places) { decimals = places; }
}

contract Lens {
    function expected(IMorpho morpho, MarketParams memory market, address user)
        external view returns (uint256 supplied, uint256 owed)
    {
        supplied = MorphoBalancesLib.expectedSupplyAssets(morpho, market, user);
        owed = MorphoBalancesLib.expectedBorrowAssets(morpho, market, user);
    }
}
"""
}


@dataclass(frozen=True)
class MorphoWorld:
    """The deployed market. Amounts are raw units of the token."""

    chain: Chain
    morpho: Address
    loan: Address
    collateral: Address
    oracle: Address
    irm: Address
    lens: Address

    @property
    def params(self) -> tuple[Any, ...]:
        """The market's parameters, as the contract takes them."""
        return (self.loan, self.collateral, self.oracle, self.irm, LLTV)

    @property
    def id(self) -> str:
        """The market's id."""
        return "0x" + keccak(encode_arguments((PARAMS_TYPE,), (self.params,))).hex()

    def send(self, function: str, types: str, *arguments: Any, sender: Address | None = None) -> None:
        """Call a function of Morpho whose first argument is the market."""
        self.chain.send(self.morpho, f"{function}({PARAMS_TYPE}{types})", self.params, *arguments, sender=sender)

    def fund(self, account: Address, token: Address, amount: int) -> None:
        """Give tokens and let Morpho take them."""
        self.chain.send(token, "setBalance(address,uint256)", account, amount)
        self.chain.send(token, "approve(address,uint256)", self.morpho, 2**256 - 1, sender=account)

    def supply(self, account: Address, amount: int) -> None:
        """Lend."""
        self.fund(account, self.loan, amount)
        self.send("supply", ",uint256,uint256,address,bytes", amount, 0, account, b"", sender=account)

    def pledge(self, account: Address, amount: int) -> None:
        """Supply collateral."""
        self.fund(account, self.collateral, amount)
        self.send("supplyCollateral", ",uint256,address,bytes", amount, account, b"", sender=account)

    def borrow(self, account: Address, amount: int) -> None:
        """Borrow."""
        self.send("borrow", ",uint256,uint256,address,address", amount, 0, account, account, sender=account)

    def mark(self, price: int) -> None:
        """Let the market's oracle say another price."""
        self.chain.send(self.oracle, "setPrice(uint256)", price)

    def liquidate(self, liquidator: Address, account: Address, seized: int, shares: int) -> None:
        """Seize collateral, or repay shares: the other one is zero."""
        self.send("liquidate", ",address,uint256,uint256,bytes", account, seized, shares, b"", sender=liquidator)

    def last_liquidation(self) -> tuple[int, ...]:
        """Repaid assets and shares, seized, bad debt in assets and shares, by the event of the newest block."""
        signature = "Liquidate(bytes32,address,address,uint256,uint256,uint256,uint256,uint256)"
        filters = {"fromBlock": "latest", "address": self.morpho, "topics": ["0x" + keccak(text=signature).hex()]}
        (log,) = self.chain.rpc("eth_getLogs", filters)
        return tuple(decode_result(("uint256",) * 5, bytes.fromhex(log["data"][2:])))

    def accrue(self) -> None:
        """Make the contract store interest up to now."""
        self.send("accrueInterest", "")

    def market(self) -> tuple[int, ...]:
        """The stored totals, last update and fee."""
        return tuple(self.chain.view(self.morpho, "market(bytes32)", ("uint128",) * 6, bytes.fromhex(self.id[2:])))

    def position(self, account: Address) -> tuple[int, int, int]:
        """Stored supply shares, borrow shares and collateral."""
        types = ("uint256", "uint128", "uint128")
        found = self.chain.view(self.morpho, "position(bytes32,address)", types, bytes.fromhex(self.id[2:]), account)
        supply_shares, borrow_shares, pledged = found
        return supply_shares, borrow_shares, pledged

    def expected(self, account: Address) -> tuple[int, int]:
        """What Morpho's own library expects at this block: supplied and owed."""
        signature = f"expected(address,{PARAMS_TYPE},address)"
        found = self.chain.view(self.lens, signature, ("uint256", "uint256"), self.morpho, self.params, account)
        return found[0], found[1]

    def without_irm(self) -> MorphoWorld:
        """The same with a market that has no rate model."""
        other = replace(self, irm=NOBODY)
        self.chain.send(self.morpho, "enableIrm(address)", NOBODY)
        other.send("createMarket", "")
        return other

    def reader(self, account: Address, **changes: Any) -> MorphoBluePosition:
        """The position reader."""
        fields = {
            "kind": "morpho_blue",
            "id": "fund.morpho",
            "chain": NAME,
            "morpho": self.morpho,
            "account": account,
            "market": self.id,
            "loan": {"asset": "USDC", "token": self.loan, "component": "cash"},
            "collateral": {"asset": "WETH", "token": self.collateral},
        }
        return MorphoBluePosition.model_validate({**fields, **changes})

    def account(self, account: Address, **changes: Any) -> MorphoBlueAccount:
        """The account reader."""
        fields = {"kind": "morpho_blue_account", "id": "fund.morpho_account", "chain": NAME, "morpho": self.morpho}
        return MorphoBlueAccount.model_validate({**fields, "market": self.id, "account": account, **changes})


def deploy_morpho(chain: Chain) -> MorphoWorld:
    """Deploy Morpho, its mocks and the market."""
    made = _contracts()
    morpho = chain.deploy(made["Morpho"], chain.owner)
    loan, collateral = chain.deploy(made["Token"], 6), chain.deploy(made["Token"], 18)
    oracle, irm, lens = (chain.deploy(made[name]) for name in ("OracleMock", "IrmMock", "Lens"))
    world = MorphoWorld(chain, morpho, loan, collateral, oracle, irm, lens)
    chain.send(oracle, "setPrice(uint256)", PRICE)
    chain.send(morpho, "enableIrm(address)", irm)
    chain.send(morpho, "enableLltv(uint256)", LLTV)
    world.send("createMarket", "")
    return world


def _contracts() -> dict[str, Contract]:
    return compiled(
        PIN,
        SOLC,
        "src/Morpho.sol",
        "src/mocks/IrmMock.sol",
        "src/mocks/OracleMock.sol",
        settings={"viaIR": True, "optimizer": {"enabled": True, "runs": 999_999}, "evmVersion": "paris"},
        sources=_OURS,
    )
