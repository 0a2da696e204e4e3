"""A whole Aave 3.0.2 pool from its own artifacts: reserves, e-modes, oracle, data provider, and money to move."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from navoracle.abi import decode_result
from navoracle.ports import Address
from navoracle.positions.aave_v3 import AaveV3Position
from navoracle.positions.aave_v3_account import AaveV3Account
from tests.protocols.chain import NAME, Chain
from tests.protocols.contracts import Contract, artifact

PIN: Final = "@aave/core-v3@1.19.3"
NOBODY: Final = Address("0x" + 40 * "0")
RAY: Final = 10**27
ETH_CORRELATED, STABLECOINS = 1, 2
VARIABLE, STABLE = 2, 1

ACCOUNT_TYPES: Final = ("uint256",) * 6
RESERVE_INPUT: Final = (
    "(address,address,address,uint8,address,address,address,address,string,string,string,string,string,string,bytes)"
)
_POOL_LIBRARIES: Final = ("SupplyLogic", "LiquidationLogic", "EModeLogic", "BridgeLogic", "PoolLogic")


@dataclass(frozen=True)
class Listing:
    """A reserve as it is listed: price in 1e8 dollars, the rest in bps; e-mode 0 is none."""

    symbol: str
    decimals: int
    price: int
    ltv: int
    threshold: int
    bonus: int
    fee: int
    e_mode: int = 0


LISTINGS: Final = (
    Listing("WETH", 18, 3_000_00000000, 8_000, 8_250, 10_500, 1_000, ETH_CORRELATED),
    Listing("wstETH", 18, 3_612_34567890, 7_500, 7_900, 10_700, 1_000, ETH_CORRELATED),
    Listing("USDC", 6, 1_00012345, 7_700, 8_000, 10_500, 0, STABLECOINS),
    Listing("DAI", 18, 99987654, 7_500, 7_800, 10_500, 2_000, STABLECOINS),
    Listing("WBTC", 8, 61_234_56789012, 7_000, 7_500, 10_900, 1_111),
)


@dataclass
class AaveWorld:
    """The deployed pool. Accounts act by address; amounts are raw units of the token."""

    chain: Chain
    provider: Address
    pool: Address
    configurator: Address
    oracle: Address
    data_provider: Address
    tokens: dict[str, Address] = field(default_factory=dict)

    @property
    def treasury(self) -> Address:
        """Gets the protocol's fees, in aTokens."""
        return self.chain.accounts[7]

    def fund(self, account: Address, symbol: str, amount: int) -> None:
        """Mint tokens and let the pool take them."""
        token = self.tokens[symbol]
        self.chain.send(token, "mint(address,uint256)", account, amount)
        self.chain.send(token, "approve(address,uint256)", self.pool, 2**256 - 1, sender=account)

    def supply(self, account: Address, symbol: str, amount: int) -> None:
        """Mint and supply; the pool enables it as collateral where it can be."""
        self.fund(account, symbol, amount)
        signature = "supply(address,uint256,address,uint16)"
        self.chain.send(self.pool, signature, self.tokens[symbol], amount, account, 0, sender=account)

    def borrow(self, account: Address, symbol: str, amount: int, rate: int = VARIABLE) -> None:
        """Borrow at the variable or the stable rate."""
        signature = "borrow(address,uint256,uint256,uint16,address)"
        self.chain.send(self.pool, signature, self.tokens[symbol], amount, rate, 0, account, sender=account)

    def touch(self, symbol: str) -> None:
        """Make the pool store the indices of now: somebody supplies one unit."""
        self.supply(self.chain.accounts[9], symbol, 1)

    def use_as_collateral(self, account: Address, symbol: str, enabled: bool) -> None:
        """Enable or disable a supply as collateral."""
        signature = "setUserUseReserveAsCollateral(address,bool)"
        self.chain.send(self.pool, signature, self.tokens[symbol], enabled, sender=account)

    def enter_e_mode(self, account: Address, category: int) -> None:
        """Put the account into an efficiency mode."""
        self.chain.send(self.pool, "setUserEMode(uint8)", category, sender=account)

    def mark(self, symbol: str, price: int) -> None:
        """Give a reserve another price (1e8 dollars): a feed of its own that says it."""
        self._feed(self.tokens[symbol], price)

    def liquidate(self, liquidator: Address, account: Address, debt: str, collateral: str, amount: int) -> None:
        """Repay an account's debt for its collateral."""
        signature = "liquidationCall(address,address,address,uint256,bool)"
        tokens = (self.tokens[collateral], self.tokens[debt])
        self.chain.send(self.pool, signature, *tokens, account, amount, False, sender=liquidator)

    def last_liquidation(self) -> tuple[int, int]:
        """Debt repaid and collateral seized, by the event of the newest block."""
        topic = "0x" + keccak(text="LiquidationCall(address,address,address,uint256,uint256,address,bool)").hex()
        logs = self.chain.rpc("eth_getLogs", {"fromBlock": "latest", "address": self.pool, "topics": [topic]})
        (log,) = logs
        types = ("uint256", "uint256", "address", "bool")
        repaid, seized, *_ = decode_result(types, bytes.fromhex(log["data"][2:]))
        return repaid, seized

    def set_e_mode_price(self, category: int, price: int) -> None:
        """Give a category a price source of its own."""
        source = self.chain.accounts[8]
        self._feed(source, price)
        self._category(category, source)

    def account_data(self, account: Address) -> tuple[int, ...]:
        """getUserAccountData. Raises NodeError where the pool reverts."""
        return tuple(self.chain.view(self.pool, "getUserAccountData(address)", ACCOUNT_TYPES, account))

    def reserve_tokens(self, symbol: str) -> tuple[str, str, str]:
        """The reserve's aToken, stable and variable debt token, by the data provider (lower case)."""
        signature, types = "getReserveTokensAddresses(address)", ("address",) * 3
        a_token, stable, variable = self.chain.view(self.data_provider, signature, types, self.tokens[symbol])
        return a_token, stable, variable

    def position(self, account: Address, *symbols: str) -> AaveV3Position:
        """The position reader over these reserves."""
        return AaveV3Position.model_validate(
            {
                "kind": "aave_v3",
                "id": "fund.aave",
                "chain": NAME,
                "pool": self.pool,
                "account": account,
                "reserves": [{"asset": symbol, "token": self.tokens[symbol]} for symbol in symbols],
            }
        )

    def account(self, account: Address) -> AaveV3Account:
        """The account reader."""
        fields = {"kind": "aave_v3_account", "id": "fund.aave_account", "chain": NAME}
        return AaveV3Account.model_validate({**fields, "pool": self.pool, "account": account})

    def _feed(self, asset: Address, price: int) -> None:
        feed = self.chain.deploy(_contract("mocks/oracle/CLAggregators/MockAggregator.sol"), price)
        self.chain.send(self.oracle, "setAssetSources(address[],address[])", [asset], [feed])

    def _category(self, category: int, source: Address) -> None:
        signature = "setEModeCategory(uint8,uint16,uint16,uint16,address,string)"
        threshold = {ETH_CORRELATED: 9_300, STABLECOINS: 9_500}[category]
        self.chain.send(
            self.configurator, signature, category, threshold - 300, threshold, 10_100, source, "correlated"
        )


def deploy_aave(chain: Chain) -> AaveWorld:
    """Deploy the pool, list the reserves, set up the e-modes, and give the pool liquidity from a whale."""
    owner = chain.owner
    provider = chain.deploy(_contract("protocol/configuration/PoolAddressesProvider.sol"), "test", owner)
    chain.send(provider, "setACLAdmin(address)", owner)
    manager = chain.deploy(_contract("protocol/configuration/ACLManager.sol"), provider)
    chain.send(provider, "setACLManager(address)", manager)
    chain.send(manager, "addPoolAdmin(address)", owner)
    libraries = {name: chain.deploy(_logic(name)) for name in (*_POOL_LIBRARIES, "BorrowLogic", "ConfiguratorLogic")}
    libraries["FlashLoanLogic"] = chain.deploy(_logic("FlashLoanLogic"), libraries=libraries)
    pool = _proxied(chain, provider, "Pool", "protocol/pool/Pool.sol", libraries)
    configurator = _proxied(chain, provider, "PoolConfigurator", "protocol/pool/PoolConfigurator.sol", libraries)
    oracle = chain.deploy(_contract("misc/AaveOracle.sol"), provider, [], [], NOBODY, NOBODY, 10**8)
    chain.send(provider, "setPriceOracle(address)", oracle)
    data_provider = chain.deploy(_contract("misc/AaveProtocolDataProvider.sol"), provider)
    chain.send(provider, "setPoolDataProvider(address)", data_provider)
    world = AaveWorld(chain, provider, pool, configurator, oracle, data_provider)
    _list(world)
    for listing in LISTINGS:
        world.supply(chain.accounts[9], listing.symbol, 100_000_000 * 10**listing.decimals)
    return world


def _proxied(chain: Chain, provider: Address, name: str, path: str, libraries: dict[str, Address]) -> Address:
    contract = _contract(path)
    implementation = (
        chain.deploy(contract, provider, libraries=libraries)
        if name == "Pool"
        else chain.deploy(contract, libraries=libraries)
    )
    chain.send(provider, f"set{name}Impl(address)", implementation)
    return Address(to_checksum_address(chain.view(provider, f"get{name}()", ("address",))))


def _list(world: AaveWorld) -> None:
    chain = world.chain
    tokens = {name: chain.deploy(_contract(f"protocol/tokenization/{name}.sol"), world.pool) for name in _TOKENS}
    rates = (8 * RAY // 10, RAY // 100, 4 * RAY // 100, 60 * RAY // 100, RAY // 100, 60 * RAY // 100, RAY // 100)
    strategy = chain.deploy(
        _contract("protocol/pool/DefaultReserveInterestRateStrategy.sol"),
        world.provider,
        *rates,
        8 * RAY // 100,
        2 * RAY // 10,
    )
    inputs = []
    for listing in LISTINGS:
        token = chain.deploy(
            _contract("mocks/tokens/MintableERC20.sol"), listing.symbol, listing.symbol, listing.decimals
        )
        world.tokens[listing.symbol] = token
        names = (listing.symbol,) * 6
        implementations = (tokens["AToken"], tokens["StableDebtToken"], tokens["VariableDebtToken"])
        inputs.append((*implementations, listing.decimals, strategy, token, world.treasury, NOBODY, *names, b""))
    chain.send(world.configurator, f"initReserves({RESERVE_INPUT}[])", inputs)
    for category in (ETH_CORRELATED, STABLECOINS):
        world._category(category, NOBODY)
    for listing in LISTINGS:
        token = world.tokens[listing.symbol]
        world.mark(listing.symbol, listing.price)
        terms = (listing.ltv, listing.threshold, listing.bonus)
        signature = "configureReserveAsCollateral(address,uint256,uint256,uint256)"
        chain.send(world.configurator, signature, token, *terms)
        chain.send(world.configurator, "setReserveBorrowing(address,bool)", token, True)
        chain.send(world.configurator, "setReserveStableRateBorrowing(address,bool)", token, True)
        chain.send(world.configurator, "setLiquidationProtocolFee(address,uint256)", token, listing.fee)
        chain.send(world.configurator, "setAssetEModeCategory(address,uint8)", token, listing.e_mode)


_TOKENS: Final = ("AToken", "StableDebtToken", "VariableDebtToken")


def _contract(path: str) -> Contract:
    name = path.rpartition("/")[2].removesuffix(".sol")
    return artifact(PIN, f"artifacts/contracts/{path}/{name}.json")


def _logic(name: str) -> Contract:
    return _contract(f"protocol/libraries/logic/{name}.sol")
