"""The demo's world: everything that `config/three-funds.yaml` names, on an embedded chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from navoracle.abi import encode_call
from navoracle.chain.deploy import FundOpening, RegistryRoles, deploy_registry, register_fund
from navoracle.chain.embedded import EmbeddedChain
from navoracle.composition.system import ChainAccess
from navoracle.demo.world.calls import Sent, send, send_all
from navoracle.demo.world.cast import (
    CHAIN,
    CUSTODIAN,
    FUNDS,
    GUARDIAN,
    MANAGER,
    OPENING_NAV,
    OPERATOR,
    POSTER,
    RISK,
    holder_of,
    variable,
)
from navoracle.demo.world.feeds import GROUPS, PRICES, Feeds
from navoracle.demo.world.lending import LendingMarket
from navoracle.demo.world.principal import PrincipalMarket
from navoracle.demo.world.tokens import HOLDINGS, NATIVE, SAVINGS, TOKENS, Tokens
from navoracle.demo.world.vault import FUND as VAULT_FUND
from navoracle.demo.world.vault import DemoVault
from navoracle.domain.units import WAD, Rounding, Timestamp, Wad, mul_div
from navoracle.ports import Address
from navoracle.publishers.nav_registry import NavRegistryPublisher
from navoracle.registry_port import GuardBounds

SETUP_SECONDS: Final = 5 * 60 * 60
"""What `DemoWorld.build` may take of the chain's time, from a full hour on."""

BOUNDS: Final = GuardBounds(up_bps=1_000, down_bps=1_000, day_bps=2_500, min_interval=60, max_age=7_200)


@dataclass(slots=True)
class DemoWorld:
    """The deployed world. Make it with `DemoWorld.build`.

    Attributes:
        chain: the embedded chain.
        tokens: token contracts, by symbol.
        feeds: feed contracts, by asset and group.
        principal: the principal token's market.
        lending: where `levered-pt` has its loan.
        registry: the NavRegistry that serves the three funds.
        vault: that of `stable`.
        shares: each fund's share token.
        prices: what `set_prices` last said of each asset in all groups.
    """

    chain: EmbeddedChain
    tokens: Tokens
    feeds: Feeds
    principal: PrincipalMarket
    lending: LendingMarket
    registry: Address
    vault: DemoVault
    shares: Mapping[str, Address]
    prices: dict[str, Wad] = field(default_factory=dict)

    @classmethod
    async def build(cls, chain: EmbeddedChain) -> DemoWorld:
        """Deploy everything and put it in its opening state: every fund is worth one unit of account a share.

        It takes nearly `SETUP_SECONDS` of the chain's time, so that the vault's first epoch is behind it.
        """
        who = chain.accounts
        tokens, feeds = await Tokens.deploy(chain), await Feeds.deploy(chain)
        principal = await PrincipalMarket.deploy(chain, tokens)
        lending = await LendingMarket.deploy(chain, tokens)
        roles = RegistryRoles(who[OPERATOR], who[POSTER], who[RISK], who[GUARDIAN], who[MANAGER])
        registry = (await deploy_registry(chain.transactor(OPERATOR), roles, bounds=BOUNDS)).address
        vault = await DemoVault.deploy(chain, tokens, registry)
        shares = {fund: await _shares(chain, fund) for fund in FUNDS if fund != VAULT_FUND}
        for fund, token in shares.items():
            opening = FundOpening(FUNDS[fund], token, OPENING_NAV[fund], Wad(WAD), chain.now)
            await send(chain, registry, register_fund(opening))
        given = [
            tokens.mint(token, holder_of(fund), amount)
            for fund, holdings in HOLDINGS.items()
            for token, amount in holdings.items()
        ]
        await send_all(chain, given)
        await send(chain, holder_of("multi"), value=int(NATIVE))
        world = cls(chain, tokens, feeds, principal, lending, registry, vault, {VAULT_FUND: vault.address, **shares})
        await world.set_prices(PRICES)
        return world

    @property
    def environment(self) -> dict[str, str]:
        """The variables of `config/three-funds.yaml`. Endpoint and key files are names only: see `access`."""
        named = {
            "HOME_RPC": "http://127.0.0.1:8545",
            "KEY_FILE": "poster.key",
            "GUARDIAN_KEY_FILE": "guardian.key",
            "REGISTRY": self.registry,
            "STABLE_VAULT": self.vault.address,
            "PT_MARKET": self.principal.market,
            "PT_ORACLE": self.principal.oracle,
            "MORPHO": self.lending.morpho,
            "MORPHO_MARKET": self.lending.id,
            "GOLD_SIGNER": self.chain.accounts[CUSTODIAN],
        }
        named |= {variable(symbol): address for symbol, address in self.tokens.items()}
        named |= {f"FEED_{variable(asset)}_{variable(group)}": feed for (asset, group), feed in self.feeds.items()}
        named |= {f"{variable(fund)}_SHARES": token for fund, token in self.shares.items()}
        return named | {f"{variable(fund)}_HOLDER": holder_of(fund) for fund in FUNDS}

    def access(self, *, live: bool = True) -> dict[str, ChainAccess]:
        """The chain as `open_system(chains=...)` takes it, with the poster's and the guardian's keys for a live run."""
        reader, signers = self.chain.reader(CHAIN), self.chain.signers
        return {CHAIN: ChainAccess(reader, signers[POSTER], signers[GUARDIAN]) if live else ChainAccess(reader)}

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
        await send_all(self.chain, self.feeds.answers(answers, self.chain.now if at is None else at))

    async def set_failing(self, asset: str, *, failing: bool, groups: Sequence[str] | None = None) -> None:
        """Let an asset's feeds revert, or answer again."""
        await send_all(self.chain, self.feeds.fail(asset, tuple(groups or GROUPS), failing=failing))

    async def set_pt_rate(self, spot: Wad, twap: Wad) -> None:
        """Set USDe per PT-USDe: now, and as an average over time; the lending market's own price follows the lower."""
        await send_all(self.chain, [self.principal.rates(spot, twap), self.lending.price(min(spot, twap))])

    async def set_borrow_rate(self, yearly: Wad) -> None:
        """Let the loan cost so much a year (Wad) from now on."""
        await send_all(self.chain, self.lending.cost(yearly))

    async def set_debt(self, amount: Wad) -> None:
        """Let the leveraged fund owe this many USDC (Wad)."""
        await send_all(self.chain, [self.lending.debt(amount)])

    async def deposit(self, fund: str, token: str, amount: Wad) -> Wad:
        """Give a fund that has no vault whole tokens, and its depositor the shares that they are worth (Wad).

        Shares are minted at the price that the registry serves, rounded down.
        """
        asset, _ = TOKENS[token]
        value = mul_div(amount, self.prices[asset], WAD, Rounding.DOWN)
        publisher = NavRegistryPublisher(self.chain.reader(CHAIN), chain=CHAIN, registry=self.registry)
        served = (await publisher.confirmed({fund: FUNDS[fund]}))[fund]
        shares = Wad(mul_div(value, WAD, served.price_per_share, Rounding.DOWN))
        minted = encode_call("mint(address,uint256)", self.chain.accounts[OPERATOR], int(shares))
        await send_all(self.chain, [self.tokens.mint(token, holder_of(fund), amount), (self.shares[fund], minted)])
        return shares

    async def live_on(self, answers: Mapping[tuple[str, str], Wad], *, pt_rate: Wad, earned: Wad) -> None:
        """What goes on all the time, in one transaction.

        Args:
            answers: of the feeds, by asset and group (Wad per whole token).
            pt_rate: USDe per PT-USDe (Wad), now and as an average.
            earned: USDC (Wad) that the vault earns that `stable` saves in.
        """
        calls = [self.principal.rates(pt_rate, pt_rate), self.lending.price(pt_rate), self._earn(earned)]
        await send_all(self.chain, [*calls, *self.feeds.answers(answers, self.chain.now)])

    async def add_yield(self, amount: Wad) -> None:
        """Let the vault that `stable` saves in earn this many USDC (Wad)."""
        await send_all(self.chain, [self._earn(amount)])

    async def discard(self, fund: str) -> None:
        """Let the RISK role forget the value that the registry holds for a fund."""
        await self.chain.transact(self.registry, encode_call("discard(uint256)", FUNDS[fund]), RISK)

    def _earn(self, amount: Wad) -> Sent:
        return self.tokens.mint("USDC", self.tokens[SAVINGS], amount)


async def _shares(chain: EmbeddedChain, fund: str) -> Address:
    """A share token, with a share for each unit of account that the fund is worth at the beginning."""
    token = await chain.deploy("Token", f"Shares of {fund}", fund, 18)
    minted = encode_call("mint(address,uint256)", chain.accounts[OPERATOR], int(OPENING_NAV[fund]))
    await send(chain, token, minted)
    return token
