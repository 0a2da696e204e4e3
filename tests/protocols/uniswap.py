"""Uniswap v3 as its packages have it: factory, position manager, router, staker, and its libraries behind a probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_utils.address import to_checksum_address

from navoracle.ports import Address
from tests.protocols.chain import Chain
from tests.protocols.contracts import Contract, artifact, compiled
from tests.protocols.packages import package

CORE: Final = "@uniswap/v3-core@1.0.1"
PERIPHERY: Final = "@uniswap/v3-periphery@1.4.4"
STAKER: Final = "@uniswap/v3-staker@1.0.2"
FEE: Final = 3_000
TICK_SPACING: Final = 60
FOREVER: Final = 2**40
MAX_128: Final = 2**128 - 1

PROBE: Final = """
pragma solidity 0.7.6;
pragma abicoder v2;
import "contracts/libraries/OracleLibrary.sol";
import "contracts/libraries/PositionValue.sol";
import "@openzeppelin/contracts/token/ERC20/ERC20.sol";

contract Token is ERC20 {
    constructor(string memory symbol, uint8 places) ERC20(symbol, symbol) {
        _setupDecimals(places);
        _mint(msg.sender, 2 ** 120);
    }
}

contract Probe {
    function sqrtRatios(int24[] memory ticks) external pure returns (uint160[] memory found) {
        found = new uint160[](ticks.length);
        for (uint256 i = 0; i < ticks.length; i++) found[i] = TickMath.getSqrtRatioAtTick(ticks[i]);
    }

    function consult(address pool, uint32 ago) external view returns (int24, uint128) {
        return OracleLibrary.consult(pool, ago);
    }

    function quote(int24 tick, uint128 amount, address base, address other) external pure returns (uint256) {
        return OracleLibrary.getQuoteAtTick(tick, amount, base, other);
    }

    function principal(INonfungiblePositionManager manager, uint256 id, uint160 ratio)
        external view returns (uint256, uint256)
    {
        return PositionValue.principal(manager, id, ratio);
    }

    function fees(INonfungiblePositionManager manager, uint256 id) external view returns (uint256, uint256) {
        return PositionValue.fees(manager, id);
    }
}
"""


def probes() -> dict[str, Contract]:
    """The libraries behind a contract that asks them, and a token of any scale."""
    return compiled(
        PERIPHERY,
        "solc@0.7.6",
        settings={"optimizer": {"enabled": True, "runs": 200}},
        remappings={
            "@uniswap/v3-core/": package(CORE),
            "@openzeppelin/contracts/": package("@openzeppelin/contracts@3.4.2-solc-0.7"),
        },
        sources={"Probe.sol": PROBE},
    )


@dataclass(frozen=True)
class Uniswap:
    """A deployment with one dollar of 6 decimals, and one ether on either side of it in the order of addresses."""

    chain: Chain
    factory: Address
    manager: Address
    router: Address
    staker: Address
    probe: Address
    usd: Address
    low_eth: Address
    high_eth: Address

    def pool(self, eth: Address) -> Address:
        """The pool of an ether and the dollar; the zero address where there is none."""
        found = self.chain.view(self.factory, "getPool(address,address,uint24)", ("address",), self.usd, eth, FEE)
        return Address(to_checksum_address(found))

    def approve(self, token: Address) -> None:
        """Let manager and router take a token from the owner."""
        for spender in (self.manager, self.router):
            self.chain.send(token, "approve(address,uint256)", spender, 2**256 - 1)

    def another_eth(self) -> Address:
        """An ether without a pool."""
        found = self.chain.deploy(probes()["Token"], "ETH", 18)
        self.approve(found)
        return found

    def tokens(self, eth: Address) -> tuple[Address, Address]:
        """Token 0 and token 1."""
        return (eth, self.usd) if int(eth, 16) < int(self.usd, 16) else (self.usd, eth)

    def create(self, eth: Address, sqrt_ratio: int) -> None:
        """Create and initialize the pool."""
        signature = "createAndInitializePoolIfNecessary(address,address,uint24,uint160)"
        self.chain.send(self.manager, signature, *self.tokens(eth), FEE, sqrt_ratio)

    def mint(self, eth: Address, tick_lower: int, tick_upper: int, amounts: tuple[int, int]) -> int:
        """Add liquidity with up to `amounts` of token 0 and token 1; returns the NFT's id."""
        signature = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
        order = (*self.tokens(eth), FEE, tick_lower, tick_upper, *amounts, 0, 0, self.chain.owner, FOREVER)
        types = ("uint256", "uint128", "uint256", "uint256")
        found: int = self.chain.view(self.manager, signature, types, order)[0]
        self.chain.send(self.manager, signature, order)
        return found

    def swap(self, token_in: Address, token_out: Address, amount: int) -> None:
        """Sell an amount, whatever it brings."""
        signature = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
        self.chain.send(self.router, signature, (token_in, token_out, FEE, self.chain.owner, FOREVER, amount, 0, 0))

    def spot(self, pool: Address) -> tuple[int, int, int]:
        """Square root of the price (Q64.96), tick, cardinality."""
        types = ("uint160", "int24", "uint16", "uint16", "uint16", "uint8", "bool")
        ratio, tick, _, cardinality, *_ = self.chain.view(pool, "slot0()", types)
        return ratio, tick, cardinality

    def managed(self, token_id: int) -> Any:
        """What the manager keeps of an NFT."""
        types = ("uint96", "address", "address", "address", "uint24", "int24", "int24", "uint128")
        return self.chain.view(
            self.manager,
            "positions(uint256)",
            (*types, "uint256", "uint256", "uint128", "uint128"),
            token_id,
        )

    def decrease(self, token_id: int, liquidity: int) -> tuple[int, int]:
        """Take liquidity out into what is owed; returns the amounts."""
        signature = "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))"
        order = (token_id, liquidity, 0, 0, FOREVER)
        found: tuple[int, int] = self.chain.view(self.manager, signature, ("uint256", "uint256"), order)
        self.chain.send(self.manager, signature, order)
        return found

    def collectable(self, token_id: int, owner: Address) -> tuple[int, int]:
        """What collecting would pay now."""
        found: tuple[int, int] = self.chain.view(
            self.manager,
            "collect((uint256,address,uint128,uint128))",
            ("uint256", "uint256"),
            (token_id, owner, MAX_128, MAX_128),
            sender=owner,
        )
        return found


def deploy(chain: Chain) -> Uniswap:
    """Deploy everything but the pools; the owner holds all tokens and lets the contracts take them."""
    found = probes()
    factory = chain.deploy(artifact(CORE, "artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json"))
    folder = "artifacts/contracts"
    weth = chain.deploy(found["Token"], "WETH", 18)
    manager = chain.deploy(
        artifact(PERIPHERY, f"{folder}/NonfungiblePositionManager.sol/NonfungiblePositionManager.json"),
        factory,
        weth,
        factory,
    )
    router = chain.deploy(artifact(PERIPHERY, f"{folder}/SwapRouter.sol/SwapRouter.json"), factory, weth)
    staker = chain.deploy(
        artifact(STAKER, f"{folder}/UniswapV3Staker.sol/UniswapV3Staker.json"), factory, manager, 2**30, 2**30
    )
    usd = chain.deploy(found["Token"], "USD", 6)
    low = high = chain.deploy(found["Token"], "ETH", 18)
    while not int(low, 16) < int(usd, 16) < int(high, 16):
        other = chain.deploy(found["Token"], "ETH", 18)
        low, high = (other, high) if int(other, 16) < int(usd, 16) else (low, other)
    here = Uniswap(chain, factory, manager, router, staker, chain.deploy(found["Probe"]), usd, low, high)
    for token in (usd, low, high):
        here.approve(token)
    return here
