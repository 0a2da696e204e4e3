"""A double of a Compound v3 market, whose own contracts were not found on npm.

It keeps what the reader depends on: a signed principal per account, indices that grow by the second and are stored only
at a touch, balances that the views accrue and round down, collateral by account and token, and rewards that only a
call which writes can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from navoracle.ports import Address
from navoracle.positions.compound_v3 import CompoundV3Position
from tests.protocols.chain import NAME, Chain
from tests.protocols.contracts import Contract, compiled

SOLC: Final = "solc@0.8.28"
WAD: Final = 10**18
USDC: Final = 10**6

_SOURCE: Final = {
    "test/Comet.sol": """
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

contract Token {
    uint8 public immutable decimals;
    mapping(address => uint256) public balanceOf;
    constructor(uint8 places) { decimals = places; }
    function mint(address to, uint256 amount) external { balanceOf[to] += amount; }
}

contract Comet {
    struct Collateral { uint128 balance; uint128 unused; }
    struct Info {
        uint8 offset; address asset; address priceFeed; uint64 scale;
        uint64 borrowFactor; uint64 liquidateFactor; uint64 liquidationFactor; uint128 supplyCap;
    }

    uint256 constant SCALE = 1e15;
    uint256 constant SUPPLY_RATE = 951293759;   // 3 % a year, per second, 1e18
    uint256 constant BORROW_RATE = 1585489599;  // 5 %
    uint256 constant TRACKING = 1e6;            // rewards per second and account, 1e6

    address public immutable baseToken;
    address[] internal assets;
    mapping(address => uint256) internal prices;  // 1e8; every token is its own feed
    mapping(address => int104) public principal;
    mapping(address => mapping(address => Collateral)) public userCollateral;
    mapping(address => uint256) public tracked;
    mapping(address => uint256) public trackedAt;
    uint256 public supplyIndex = SCALE;
    uint256 public borrowIndex = SCALE;
    uint256 public lastAccrual = block.timestamp;

    constructor(address base) { baseToken = base; }

    function list(address asset) external { assets.push(asset); }
    function numAssets() external view returns (uint8) { return uint8(assets.length); }
    function getAssetInfo(uint8 i) public view returns (Info memory) {
        require(i < assets.length, "BadAsset");
        uint64 scale = uint64(10 ** Token(assets[i]).decimals());
        return Info(i, assets[i], assets[i], scale, 8e17, 85e16, 9e17, type(uint128).max);
    }
    function getAssetInfoByAddress(address asset) external view returns (Info memory) {
        for (uint8 i = 0; i < assets.length; i++) if (assets[i] == asset) return getAssetInfo(i);
        revert("BadAsset");
    }
    function baseTokenPriceFeed() external view returns (address) { return baseToken; }
    function setPrice(address feed, uint256 price) external { prices[feed] = price; }
    function getPrice(address feed) external view returns (uint256) {
        require(prices[feed] > 0, "BadPrice");
        return prices[feed];
    }

    function indices() public view returns (uint256 supply, uint256 borrow) {
        uint256 elapsed = block.timestamp - lastAccrual;
        supply = supplyIndex + supplyIndex * SUPPLY_RATE * elapsed / 1e18;
        borrow = borrowIndex + borrowIndex * BORROW_RATE * elapsed / 1e18;
    }
    function accrueAccount(address account) public {
        (supplyIndex, borrowIndex) = indices();
        lastAccrual = block.timestamp;
        if (principal[account] != 0) tracked[account] += (block.timestamp - trackedAt[account]) * TRACKING;
        trackedAt[account] = block.timestamp;
    }
    function balanceOf(address account) public view returns (uint256) {
        (uint256 index,) = indices();
        return principal[account] > 0 ? uint256(uint104(principal[account])) * index / SCALE : 0;
    }
    function borrowBalanceOf(address account) public view returns (uint256) {
        (, uint256 index) = indices();
        return principal[account] < 0 ? uint256(uint104(-principal[account])) * index / SCALE : 0;
    }
    function setBase(address account, int256 present) external {
        accrueAccount(account);
        principal[account] = present >= 0
            ? int104(present * int256(SCALE) / int256(supplyIndex))
            : -int104((-present * int256(SCALE) + int256(borrowIndex) - 1) / int256(borrowIndex));
    }
    function setCollateral(address account, address asset, uint128 amount) external {
        userCollateral[account][asset].balance = amount;
    }
}

contract CometRewards {
    struct RewardOwed { address token; uint256 owed; }
    address public immutable token;
    mapping(address => mapping(address => uint256)) public claimed;
    constructor(address reward) { token = reward; }
    function getRewardOwed(address comet, address account) external returns (RewardOwed memory) {
        Comet(comet).accrueAccount(account);
        uint256 accrued = Comet(comet).tracked(account) * 1e12;
        return RewardOwed(token, accrued - claimed[comet][account]);
    }
}
"""
}


@dataclass(frozen=True)
class CometWorld:
    """The deployed market: USDC as base, WETH and WBTC as collateral, COMP as reward."""

    chain: Chain
    comet: Address
    contract: Address
    tokens: dict[str, Address]

    def set_base(self, account: Address, present: int) -> None:
        """Give the account a base balance, or below zero a debt."""
        self.chain.send(self.comet, "setBase(address,int256)", account, present)

    def pledge(self, account: Address, symbol: str, amount: int) -> None:
        """Give the account collateral."""
        self.chain.send(self.comet, "setCollateral(address,address,uint128)", account, self.tokens[symbol], amount)

    def view(self, function: str, account: Address) -> int:
        """A number that the market says of an account."""
        found: int = self.chain.view(self.comet, f"{function}(address)", ("uint256",), account)
        return found

    def reader(self, account: Address, **changes: Any) -> CompoundV3Position:
        """The position reader."""
        fields = {
            "kind": "compound_v3",
            "id": "fund.comet",
            "chain": NAME,
            "comet": self.comet,
            "account": account,
            "base": {"asset": "USDC", "token": self.tokens["USDC"], "component": "cash"},
            "collateral": [{"asset": "WETH", "token": self.tokens["WETH"]}],
        }
        return CompoundV3Position.model_validate({**fields, **changes})

    @property
    def rewards(self) -> dict[str, str]:
        """The configuration of the rewards."""
        return {"asset": "COMP", "token": self.tokens["COMP"], "contract": self.contract}


def deploy_comet(chain: Chain, base: str = "USDC") -> CometWorld:
    """Deploy tokens, market and rewards."""
    made = _contracts()
    decimals = {"USDC": 6, "WETH": 18, "WBTC": 8, "COMP": 18}
    tokens = {symbol: chain.deploy(made["Token"], places) for symbol, places in decimals.items()}
    comet = chain.deploy(made["Comet"], tokens[base])
    for symbol in ("WETH", "WBTC"):
        chain.send(comet, "list(address)", tokens[symbol])
    for symbol, price in {"USDC": 1, "WETH": 2_000, "WBTC": 50_000}.items():
        chain.send(comet, "setPrice(address,uint256)", tokens[symbol], price * 10**8)
    return CometWorld(chain, comet, chain.deploy(made["CometRewards"], tokens["COMP"]), tokens)


def _contracts() -> dict[str, Contract]:
    return compiled(SOLC, SOLC, sources=_SOURCE)
