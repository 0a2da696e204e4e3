"""The demo's world: tokens, feeds, a principal token's market and a registry on an embedded chain.

It is what `config/three-funds.yaml` describes. Account 0 deploys and does everything that is not the keeper's; account
1 is the poster, account 2 holds RISK, account 3 is the guardian.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from navoracle.abi import encode_call
from navoracle.chain.deploy import NO_ADDRESS, FundOpening, GuardBounds, RegistryRoles, deploy_registry
from navoracle.chain.embedded import EmbeddedChain
from navoracle.chain.reader import MULTICALL3
from navoracle.composition import ChainAccess
from navoracle.domain.errors import ChainError
from navoracle.domain.units import WAD, Rounding, Timestamp, Wad, divide, mul_div, to_wad
from navoracle.ports import Address
from navoracle.publishers.nav_registry import NavRegistryPublisher

OPERATOR: Final = 0
POSTER: Final = 1
RISK: Final = 2
GUARDIAN: Final = 3

CHAIN: Final = "home"
GROUPS: Final = ("chainlink", "redstone", "chronicle")
FUNDS: Final[Mapping[str, int]] = {"stable": 1, "levered-pt": 2, "multi": 3}
"""The funds' ids on the registry."""

PRICES: Final[Mapping[str, Wad]] = {
    "USDC": to_wad("1"),
    "USDT": to_wad("1"),
    "USDe": to_wad("1"),
    "WBTC": to_wad("60000"),
    "ETH": to_wad("3000"),
}
"""What the feeds say at the beginning, in whole units of account per token."""

PT_RATE: Final = to_wad("0.95")
"""USDe per PT-USDe at the beginning."""

TOKENS: Final[Mapping[str, tuple[str, int]]] = {
    "USDC": ("USDC", 6),
    "USDT": ("USDT", 6),
    "USDe": ("USDe", 18),
    "PT-USDe": ("PT-USDe", 18),
    "WBTC": ("WBTC", 8),
    "WETH": ("ETH", 18),
}
"""Each token's asset and decimals."""

HOLDINGS: Final[Mapping[str, Mapping[str, Wad]]] = {
    "stable": {"USDC": to_wad("2000000"), "USDT": to_wad("1000000")},
    "levered-pt": {"PT-USDe": to_wad("10000000")},
    "multi": {"WBTC": to_wad("10"), "WETH": to_wad("95"), "USDC": to_wad("100000")},
}
IN_VAULT: Final = to_wad("2000000")
LOAN: Final = to_wad("8000000")
NATIVE: Final = to_wad("5")

OPENING_NAV: Final[Mapping[str, Wad]] = {
    "stable": to_wad("5000000"),
    "levered-pt": to_wad("1500000"),
    "multi": to_wad("1000000"),
}
"""What each fund is worth at the beginning, and its shares: one unit of account a share."""

BOUNDS: Final = GuardBounds(up_bps=1_000, down_bps=1_000, day_bps=2_500, min_interval=60, max_age=7_200)
EXPIRY_AFTER: Final = 180 * 24 * 60 * 60

_FEED_DECIMALS: Final = {"chainlink": 8, "redstone": 8, "chronicle": 18}
_CALL_GAS: Final = 5_000_000


def holder_of(fund: str) -> Address:
    """The account that holds a fund's tokens; nobody has its key."""
    return Address(to_checksum_address(keccak(text=f"holder of {fund}")[12:]))


@dataclass(slots=True)
class DemoWorld:
    """The deployed world. Make it with `DemoWorld.build`.

    Attributes:
        chain: the embedded chain.
        registry: the NavRegistry that serves the three funds.
        tokens: token contracts, by symbol; "SY-USDe", "USDC-vault" and "USDC-debt" among them.
        shares: each fund's share token.
        feeds: feed contracts, by asset and group.
        market, oracle: those of the principal token.
        prices: what `set_prices` last said of each asset in all groups.
    """

    chain: EmbeddedChain
    tokens: dict[str, Address] = field(default_factory=dict)
    shares: dict[str, Address] = field(default_factory=dict)
    feeds: dict[tuple[str, str], Address] = field(default_factory=dict)
    prices: dict[str, Wad] = field(default_factory=dict)
    registry: Address = field(default=NO_ADDRESS)
    market: Address = field(default=NO_ADDRESS)
    oracle: Address = field(default=NO_ADDRESS)

    @classmethod
    async def build(cls, chain: EmbeddedChain) -> DemoWorld:
        """Deploy everything and put it in its opening state: every fund is worth one unit of account a share."""
        world = cls(chain)
        await world._deploy_tokens()
        await world._deploy_market()
        await world._deploy_feeds()
        await world._fill_funds()
        await world._deploy_registry()
        return world

    @property
    def environment(self) -> dict[str, str]:
        """The variables of `config/three-funds.yaml`. Endpoint and key file are names only: see `access`."""
        named = {
            "HOME_RPC": "http://127.0.0.1:8545",
            "KEY_FILE": "poster.key",
            "REGISTRY": self.registry,
            "PT_MARKET": self.market,
            "PT_ORACLE": self.oracle,
        }
        named |= {_variable(symbol): address for symbol, address in self.tokens.items()}
        named |= {f"FEED_{_variable(asset)}_{_variable(group)}": feed for (asset, group), feed in self.feeds.items()}
        named |= {f"{_variable(fund)}_SHARES": token for fund, token in self.shares.items()}
        return named | {f"{_variable(fund)}_HOLDER": holder_of(fund) for fund in FUNDS}

    def access(self, *, live: bool = True) -> dict[str, ChainAccess]:
        """The chain as `open_system(chains=...)` takes it, with the poster's key for a live run."""
        return {CHAIN: ChainAccess(self.chain.reader(CHAIN), self.chain.signers[POSTER] if live else None)}

    async def set_price(
        self, asset: str, price: Wad, *, groups: Sequence[str] | None = None, at: Timestamp | None = None
    ) -> None:
        """As `set_prices`, for one asset."""
        await self.set_prices({asset: price}, groups=groups, at=at)

    async def set_prices(
        self, prices: Mapping[str, Wad], *, groups: Sequence[str] | None = None, at: Timestamp | None = None
    ) -> None:
        """Let feeds answer these prices (Wad per whole token), in one transaction.

        Args:
            groups: whose feeds; all when None.
            at: the time of the answers; the newest block's when None.
        """
        await self.answer(
            {(asset, group): price for asset, price in prices.items() for group in groups or GROUPS}, at=at
        )
        if groups is None:
            self.prices |= prices

    async def answer(self, answers: Mapping[tuple[str, str], Wad], *, at: Timestamp | None = None) -> None:
        """Let feeds, by asset and group, answer these prices (Wad per whole token), in one transaction."""
        time = self.chain.now if at is None else at
        calls = []
        for (asset, group), price in answers.items():
            answer = divide(price, 10 ** (18 - _FEED_DECIMALS[group]), Rounding.DOWN)
            calls.append((self.feeds[asset, group], encode_call("set(int256,uint256)", answer, time)))
        await self._transact_all(calls)

    async def set_failing(self, asset: str, *, failing: bool, groups: Sequence[str] | None = None) -> None:
        """Let an asset's feeds revert, or answer again."""
        data = encode_call("setFailing(bool)", failing)
        await self._transact_all([(self.feeds[asset, group], data) for group in groups or GROUPS])

    async def set_pt_rate(self, spot: Wad, twap: Wad) -> None:
        """Set USDe per PT-USDe: now, and as an average over time."""
        await self._transact(
            self.oracle, encode_call("setRates(address,uint256,uint256)", self.market, int(spot), int(twap))
        )

    async def deposit(self, fund: str, token: str, amount: Wad) -> Wad:
        """Give a fund whole tokens and its depositor the shares that they are worth; returns the shares (Wad).

        Shares are minted at the price that the registry serves, rounded down.
        """
        asset, _ = TOKENS[token]
        value = mul_div(amount, self.prices[asset], WAD, Rounding.DOWN)
        publisher = NavRegistryPublisher(self.chain.reader(CHAIN), chain=CHAIN, registry=self.registry)
        served = (await publisher.confirmed({fund: FUNDS[fund]}))[fund]
        shares = Wad(mul_div(value, WAD, served.price_per_share, Rounding.DOWN))
        await self._transact_all([self._mint(token, holder_of(fund), amount), self._mint_shares(fund, shares)])
        return shares

    async def set_debt(self, amount: Wad) -> None:
        """Let the leveraged fund owe this many USDC (Wad)."""
        token, holder = self.tokens["USDC-debt"], holder_of("levered-pt")
        owed = int.from_bytes(
            await self.chain.reader(CHAIN).call(token, encode_call("balanceOf(address)", holder)), "big"
        )
        wanted = divide(amount, 10**12, Rounding.UP)
        if wanted > owed:
            await self._transact(token, encode_call("mint(address,uint256)", holder, wanted - owed))
        elif wanted < owed:
            await self._transact(token, encode_call("burn(address,uint256)", holder, owed - wanted))

    async def add_yield(self, amount: Wad) -> None:
        """Let the vault of the stablecoin fund earn this many USDC (Wad)."""
        await self._transact_all([self._mint("USDC", self.tokens["USDC-vault"], amount)])

    async def discard(self, fund: str) -> None:
        """Let the RISK role forget the value that the registry holds for a fund."""
        await self.chain.transact(self.registry, encode_call("discard(uint256)", FUNDS[fund]), RISK)

    # ---- building

    async def _deploy_tokens(self) -> None:
        for symbol, (_, decimals) in TOKENS.items():
            self.tokens[symbol] = await self.chain.deploy("Token", symbol, symbol, decimals)
        self.tokens["USDC-debt"] = await self.chain.deploy("Token", "USDC debt", "variableDebtUSDC", 6)
        self.tokens["USDC-vault"] = await self.chain.deploy(
            "Vault4626", self.tokens["USDC"], "USDC vault", "vUSDC", TOKENS["USDC"][1]
        )
        for fund in FUNDS:
            self.shares[fund] = await self.chain.deploy("Token", f"Shares of {fund}", fund, 18)

    async def _deploy_market(self) -> None:
        usde, pt = self.tokens["USDe"], self.tokens["PT-USDe"]
        sy = self.tokens["SY-USDe"] = await self.chain.deploy("Sy", "SY-USDe", 18, usde, usde, 18)
        yt = await self.chain.deploy("Yt", "YT-USDe", 18)
        self.market = await self.chain.deploy("Market", sy, pt, yt, self.chain.now + EXPIRY_AFTER)
        self.oracle = await self.chain.deploy("PtOracle")
        seed = encode_call(
            "seed(int128,int128,uint96,uint256)", 10**7 * WAD, 10**7 * WAD, int(to_wad("0.1")), 10**7 * WAD
        )
        await self._transact(self.market, seed)
        await self.set_pt_rate(PT_RATE, PT_RATE)

    async def _deploy_feeds(self) -> None:
        for asset in PRICES:
            for group in GROUPS:
                self.feeds[asset, group] = await self.chain.deploy("Feed", _FEED_DECIMALS[group], f"{asset} / USD")
        await self.set_prices(PRICES)

    async def _fill_funds(self) -> None:
        calls = [
            self._mint(token, holder_of(fund), amount)
            for fund, holdings in HOLDINGS.items()
            for token, amount in holdings.items()
        ]
        calls += [self._mint_shares(fund, nav) for fund, nav in OPENING_NAV.items()]
        operator, vault = self.chain.accounts[OPERATOR], self.tokens["USDC-vault"]
        await self._transact_all([*calls, self._mint("USDC", operator, IN_VAULT)])
        assets = _raw("USDC", IN_VAULT)
        await self._transact(self.tokens["USDC"], encode_call("approve(address,uint256)", vault, assets))
        await self._transact(vault, encode_call("deposit(uint256,address)", assets, holder_of("stable")))
        await self.set_debt(LOAN)
        await self._transact(holder_of("multi"), value=NATIVE)

    async def _deploy_registry(self) -> None:
        accounts = self.chain.accounts
        deployed = await deploy_registry(
            self.chain.transactor(OPERATOR),
            RegistryRoles(
                admin=accounts[OPERATOR], poster=accounts[POSTER], risk=accounts[RISK], guardian=accounts[GUARDIAN]
            ),
            bounds=BOUNDS,
            funds=[
                FundOpening(fund_id, self.shares[fund], OPENING_NAV[fund], Wad(WAD), self.chain.now)
                for fund, fund_id in FUNDS.items()
            ],
        )
        self.registry = deployed.address

    # ---- transactions

    def _mint(self, token: str, account: Address, amount: Wad) -> tuple[Address, bytes]:
        return self.tokens[token], encode_call("mint(address,uint256)", account, _raw(token, amount))

    def _mint_shares(self, fund: str, shares: Wad) -> tuple[Address, bytes]:
        return self.shares[fund], encode_call("mint(address,uint256)", self.chain.accounts[OPERATOR], int(shares))

    async def _transact(self, to: Address, data: bytes = b"", value: Wad = Wad(0)) -> None:
        """Send a call from the operator's account, without the simulations that a keeper makes first.

        Raises:
            ChainError: it was mined and failed.
        """
        sender, endpoint = self.chain.signers[OPERATOR], self.chain.endpoint
        nonce = str(await endpoint.request("eth_getTransactionCount", [sender.address, "latest"]))
        raw = await sender.sign(
            {
                "type": 2,
                "chainId": self.chain.chain_id,
                "nonce": int(nonce, 16),
                "gas": _CALL_GAS,
                "maxFeePerGas": 10**11,
                "maxPriorityFeePerGas": 10**9,
                "to": bytes.fromhex(to[2:]),
                "value": int(value),
                "data": data,
            }
        )
        sent = str(await endpoint.request("eth_sendRawTransaction", ["0x" + raw.hex()]))
        receipt = await self.chain.transactor(OPERATOR).receipt(sent)
        if receipt is None or not receipt.success:
            raise ChainError(f"call 0x{data[:4].hex()} of {to} failed", advice="Report this as a defect of the demo.")

    async def _transact_all(self, calls: Sequence[tuple[Address, bytes]]) -> None:
        """Make several calls in one transaction; all or none."""
        bundle = [(to, False, data) for to, data in calls]
        await self._transact(MULTICALL3, encode_call("aggregate3((address,bool,bytes)[])", bundle))


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


def _raw(token: str, amount: Wad) -> int:
    return divide(amount, 10 ** (18 - TOKENS[token][1]), Rounding.DOWN)
