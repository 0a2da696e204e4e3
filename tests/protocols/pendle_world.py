"""Pendle as its packages have it: SY over an ERC-4626 vault, PT and YT, markets of version 3 and 7, and the oracle.

Factories, markets, PT, YT, oracle, gauge controller and the SY are Pendle's own byte code; the SY with rewards stands
on Pendle's own base. The vault is OpenZeppelin's. The asset, and the holder of votes that version 3 asks, are doubles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_utils.address import to_checksum_address

from navoracle.ports import Address
from tests.protocols.chain import Chain
from tests.protocols.contracts import Contract, artifact, compiled
from tests.protocols.packages import package

NEW: Final = "@pendle/core-v2@6.11.0"
OLD: Final = "@pendle/core-v2@4.0.0"
OPENZEPPELIN: Final = "@openzeppelin/contracts@4.9.3"
UPGRADEABLE: Final = "@openzeppelin/contracts-upgradeable@4.9.3"
SOLC: Final = "solc@0.8.28"

DAY: Final = 86_400
LIFE: Final = 180 * DAY
TWAP: Final = 900
CARDINALITY: Final = 90
WAD: Final = 10**18
SCALAR_ROOT: Final = 75 * WAD
INITIAL_ANCHOR: Final = 105 * WAD // 100
LN_FEE_RATE_ROOT: Final = 10**15
INTEREST_FEE: Final = 3 * 10**16
PENDLE_PER_SECOND: Final = 10**15

# Stores what follows these bytes as a contract's code: how Pendle keeps creation code that is too long for one.
_CODE_DEPLOYER: Final = bytes.fromhex("602038038060206000396000f3").ljust(32, b"\xfe")

DOUBLES: Final = """
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
import "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";

contract Coin is ERC20 {
    uint8 private immutable places;

    constructor(string memory symbol, uint8 places_) ERC20(symbol, symbol) { places = places_; }
    function decimals() public view override returns (uint8) { return places; }
    function mint(address account, uint256 amount) external { _mint(account, amount); }
    function burn(address account, uint256 amount) external { _burn(account, amount); }
}

contract Vault is ERC4626 {
    constructor(IERC20 coin) ERC20("Vault", "vault") ERC4626(coin) {}
}

interface IMarket {
    function swapExactPtForSy(address receiver, uint256 amount, bytes calldata data) external;
}

interface IOracle {
    function getPtToAssetRate(address market, uint32 duration) external view returns (uint256);
    function getLpToAssetRate(address market, uint32 duration) external view returns (uint256);
}

/// Asks the oracle in the middle of a swap.
contract Reenter {
    bool public ptAnswered;
    bool public lpAnswered;

    function swap(IERC20 pt, address market, address oracle, uint256 amount) external {
        pt.transfer(market, amount);
        IMarket(market).swapExactPtForSy(address(this), amount, abi.encode(market, oracle));
    }

    function swapCallback(int256, int256, bytes calldata data) external {
        (address market, address oracle) = abi.decode(data, (address, address));
        try IOracle(oracle).getPtToAssetRate(market, 0) { ptAnswered = true; } catch {}
        try IOracle(oracle).getLpToAssetRate(market, 0) { lpAnswered = true; } catch {}
    }
}

contract NoVotes {
    function totalSupplyAndBalanceCurrent(address) external pure returns (uint128, uint128) { return (0, 0); }
}
"""

SY_DOUBLES: Final = """
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
import "contracts/core/StandardizedYield/SYBaseWithRewards.sol";

interface IMint { function mint(address account, uint256 amount) external; }

/// Wraps a token one to one; counts in it at a settable rate, says how it is priced, and earns a reward every second.
contract RewardSy is SYBaseWithRewards {
    uint256 public override exchangeRate = 1e18;
    address public immutable reward;
    uint256 public perSecond;
    uint256 private paidAt;
    bool public strictlyEqual;

    constructor(address token, address reward_, uint256 perSecond_, bool strictlyEqual_)
        SYBaseWithRewards("SY Reward", "SY-R", token)
    {
        (reward, perSecond, paidAt, strictlyEqual) = (reward_, perSecond_, block.timestamp, strictlyEqual_);
    }

    function setExchangeRate(uint256 rate) external { exchangeRate = rate; }
    function pricingInfo() external view returns (address, bool) { return (yieldToken, strictlyEqual); }
    function assetInfo() external view returns (AssetType, address, uint8) {
        return (AssetType.TOKEN, yieldToken, IERC20Metadata(yieldToken).decimals());
    }

    function _redeemExternalReward() internal override {
        IMint(reward).mint(address(this), perSecond * (block.timestamp - paidAt));
        paidAt = block.timestamp;
    }

    function _getRewardTokens() internal view override returns (address[] memory tokens) {
        tokens = new address[](1);
        tokens[0] = reward;
    }

    function _deposit(address, uint256 amount) internal pure override returns (uint256) { return amount; }
    function _redeem(address receiver, address token, uint256 amount) internal override returns (uint256) {
        _transferOut(token, receiver, amount);
        return amount;
    }
    function _previewDeposit(address, uint256 amount) internal pure override returns (uint256) { return amount; }
    function _previewRedeem(address, uint256 amount) internal pure override returns (uint256) { return amount; }
    function getTokensIn() public view override returns (address[] memory found) {
        found = new address[](1);
        found[0] = yieldToken;
    }
    function getTokensOut() public view override returns (address[] memory) { return getTokensIn(); }
    function isValidTokenIn(address token) public view override returns (bool) { return token == yieldToken; }
    function isValidTokenOut(address token) public view override returns (bool) { return token == yieldToken; }
}
"""


def doubles() -> dict[str, Contract]:
    """Coins, vault and proxy."""
    return compiled(
        OPENZEPPELIN,
        SOLC,
        sources={"Doubles.sol": DOUBLES},
        remappings={"@openzeppelin/contracts/": package(OPENZEPPELIN)},
    )


def sy_doubles() -> dict[str, Contract]:
    """The SY with rewards."""
    return compiled(
        OLD,
        SOLC,
        sources={"SyDoubles.sol": SY_DOUBLES},
        remappings={
            "@openzeppelin/contracts/": package(OPENZEPPELIN),
            "@openzeppelin/contracts-upgradeable/": package(UPGRADEABLE),
        },
    )


def pendle(path: str, pin: str = NEW) -> Contract:
    """One of Pendle's own artifacts: `core/Market/PendleMarketV7` of the file and contract of that name."""
    return artifact(pin, f"build/artifacts/contracts/{path}.sol/{path.rsplit('/', 1)[1]}.json")


@dataclass(frozen=True)
class Yield:
    """An SY with the PT and YT of one expiry; `asset` is what it counts in, `token` what it wraps."""

    asset: Address
    token: Address
    sy: Address
    pt: Address
    yt: Address
    expiry: int
    unit: int


class PendleWorld:
    """Factories of both versions, the oracle, and a treasury; account 0 owns everything."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.owner = chain.owner
        self.holder = chain.accounts[1]
        self.treasury = chain.accounts[9]
        found = doubles()
        self._coin, self._vault, self._proxy = found["Coin"], found["Vault"], found["ERC1967Proxy"]
        self.pendle = self.coin("PENDLE", 18)
        self.gauges = self._behind_proxy(
            chain.deploy(pendle("LiquidityMining/GaugeController/PendleGaugeControllerUpg"), self.pendle),
            "initialize(address)",
            self.owner,
        )
        self.mint(self.pendle, self.gauges, 10**6 * WAD)
        self.oracle = self._behind_proxy(
            chain.deploy(pendle("oracles/PtYtLpOracle/PendlePYLpOracle")),
            "initialize(uint16,address)",
            11_000,
            self.owner,
        )
        self._deploy_yield_factory()
        self._deploy_market_factories()

    def coin(self, symbol: str, decimals: int) -> Address:
        """A token that anyone can mint and burn."""
        return self.chain.deploy(self._coin, symbol, decimals)

    def mint(self, token: Address, account: Address, amount: int) -> None:
        """Create raw units of a coin."""
        self.chain.send(token, "mint(address,uint256)", account, amount)

    def yield_over_vault(self, decimals: int = 18, *, life: int = LIFE) -> Yield:
        """PT and YT over Pendle's ERC-4626 SY over a vault that holds a million units of a coin."""
        unit = 10**decimals
        asset = self.coin("USD", decimals)
        vault = self.chain.deploy(self._vault, asset)
        self.mint(asset, self.owner, 10**9 * unit)
        self.chain.send(asset, "approve(address,uint256)", vault, 2**255)
        self.chain.send(vault, "deposit(uint256,address)", 10**6 * unit, self.owner)
        contract = pendle("core/StandardizedYield/implementations/PendleERC4626SY", OLD)
        return self.split(self.chain.deploy(contract, "SY Vault", "SY-vault", vault), asset, vault, unit, life=life)

    def yield_with_rewards(self, reward: Address, per_second: int, *, strictly_equal: bool = True) -> Yield:
        """PT and YT over an SY that wraps a coin and pays a reward."""
        token = self.coin("RWD-USD", 18)
        self.mint(token, self.owner, 10**9 * WAD)
        sy = self.chain.deploy(sy_doubles()["RewardSy"], token, reward, per_second, strictly_equal)
        return self.split(sy, token, token, WAD)

    def split(self, sy: Address, asset: Address, token: Address, unit: int, *, life: int = LIFE) -> Yield:
        """The PT and YT of an SY, expiring at a full day after `life` seconds."""
        expiry = (self.chain.time + life) // DAY * DAY
        self.chain.send(self.yield_factory, "createYieldContract(address,uint32,bool)", sy, expiry, False)
        pt, yt = (
            self._address(self.yield_factory, f"{name}(address,uint256)", sy, expiry) for name in ("getPT", "getYT")
        )
        return Yield(asset, token, sy, pt, yt, expiry, unit)

    def market(self, of: Yield, *, version: int = 7, scalar_root: int = SCALAR_ROOT) -> Address:
        """A market that nobody has seeded."""
        factory = self.factories[version]
        arguments = (of.pt, scalar_root, INITIAL_ANCHOR, LN_FEE_RATE_ROOT)
        signature = "createNewMarket(address,int256,int256,uint80)"
        market = self._address(factory, signature, *arguments)
        self.chain.send(factory, signature, *arguments)
        return market

    def seed(self, of: Yield, market: Address, amount: int) -> None:
        """Add as many whole PT as whole SY, and let the market keep enough observations for the average."""
        raw = amount * of.unit
        self.make_sy(of, self.owner, 3 * raw)
        self.make_py(of, self.owner, raw)
        self.chain.send(of.sy, "transfer(address,uint256)", market, raw)
        self.chain.send(of.pt, "transfer(address,uint256)", market, raw)
        self.chain.send(market, "mint(address,uint256,uint256)", self.owner, raw, raw)
        self.chain.send(market, "increaseObservationsCardinalityNext(uint16)", CARDINALITY)

    def make_sy(self, of: Yield, receiver: Address, amount: int) -> None:
        """Wrap raw units of what the SY wraps."""
        if of.asset != of.token:
            self.chain.send(of.token, "deposit(uint256,address)", 2 * amount, self.owner)
        self.chain.send(of.token, "approve(address,uint256)", of.sy, 2**255)
        self.chain.send(of.sy, "deposit(address,address,uint256,uint256)", receiver, of.token, amount, 0)

    def make_py(self, of: Yield, receiver: Address, amount: int) -> None:
        """Split raw SY of the owner into PT and YT."""
        self.chain.send(of.sy, "transfer(address,uint256)", of.yt, amount)
        self.chain.send(of.yt, "mintPY(address,address)", receiver, receiver)

    def sell_pt(self, of: Yield, market: Address, amount: int) -> None:
        """Sell raw PT of the owner to the market: its price falls."""
        self.chain.send(of.pt, "transfer(address,uint256)", market, amount)
        self.chain.send(market, "swapExactPtForSy(address,uint256,bytes)", self.owner, amount, b"")

    def buy_pt(self, of: Yield, market: Address, amount: int) -> None:
        """Buy raw PT for as much SY of the owner: its price rises."""
        self.chain.send(of.sy, "transfer(address,uint256)", market, amount)
        self.chain.send(market, "swapSyForExactPt(address,uint256,bytes)", self.owner, amount, b"")
        self.chain.send(market, "skim()")

    def grow(self, of: Yield, bps: int) -> None:
        """Change the assets of the SY's vault by basis points; what a loss takes is gone."""
        held = self.balance(of.asset, of.token)
        if bps > 0:
            self.mint(of.asset, of.token, held * bps // 10_000)
        else:
            self.chain.send(of.asset, "burn(address,uint256)", of.token, held * -bps // 10_000)

    def incentivize(self, market: Address, seconds: int) -> None:
        """Pay the liquidity of a market in PENDLE."""
        self.chain.send(self.gauges, "whitelistMarkets(address[],bool)", [market], True)
        data = ([market], [PENDLE_PER_SECOND], [self.chain.time + seconds])
        self.chain.send(self.gauges, "setRewardDatas(address[],uint128[],uint128[])", *data)

    def balance(self, token: Address, account: Address) -> int:
        """Raw units of a token."""
        return int(self.chain.view(token, "balanceOf(address)", ("uint256",), account))

    def rate(self, name: str, market: Address, duration: int) -> int:
        """What the oracle says, `name` being its function."""
        return int(self.chain.view(self.oracle, f"{name}(address,uint32)", ("uint256",), market, duration))

    def _deploy_yield_factory(self) -> None:
        code = pendle("core/YieldContracts/PendleYieldToken").bytecode
        factory = pendle("core/YieldContracts/PendleYieldContractFactoryUpg")
        self.yield_factory = self._behind_proxy(
            self.chain.deploy(factory, *self._halves(bytes.fromhex(code))),
            "initialize(uint96,uint128,uint128,address,address)",
            DAY,
            INTEREST_FEE,
            INTEREST_FEE,
            self.treasury,
            self.owner,
        )

    def _deploy_market_factories(self) -> None:
        chain = self.chain
        new = self._creation_code(NEW, "core/Market/PendleMarketV7")
        current = chain.deploy(
            pendle("core/Market/PendleMarketFactoryV7Upg"), self.yield_factory, *self._halves(new), self.gauges
        )
        votes = chain.deploy(doubles()["NoVotes"])
        old = self._creation_code(OLD, "core/Market/v3/PendleMarketV3")
        self.factories = {
            7: self._behind_proxy(current, "initialize(address,address,uint8)", self.owner, self.treasury, 80),
            3: chain.deploy(
                pendle("core/Market/v3/PendleMarketFactoryV3", OLD),
                self.yield_factory,
                *self._halves(old),
                self.treasury,
                80,
                votes,
                self.gauges,
            ),
        }

    def _creation_code(self, pin: str, path: str) -> bytes:
        """Creation code of a market without its arguments, which its factory adds."""
        contract = pendle(path, pin)
        library = self.chain.deploy(pendle("core/Market/OracleLib", pin))
        plain = Contract(contract.name, (), contract.bytecode, contract.links)
        return plain.creation_code(libraries={"OracleLib": library})

    def _halves(self, code: bytes) -> tuple[Address, int, Address, int]:
        middle = len(code) // 2
        first, second = (self.chain.deploy_code(_CODE_DEPLOYER + half) for half in (code[:middle], code[middle:]))
        return first, middle, second, len(code) - middle

    def _behind_proxy(self, logic: Address, initialize: str, *arguments: Any) -> Address:
        proxy = self.chain.deploy(self._proxy, logic, b"")
        self.chain.send(proxy, initialize, *arguments)
        return proxy

    def _address(self, to: Address, signature: str, *arguments: Any) -> Address:
        return Address(to_checksum_address(self.chain.view(to, signature, ("address",), *arguments)))
