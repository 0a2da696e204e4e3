"""A small world with real readers: three funds over one chain and two recorded markets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import TypeAdapter

from navoracle.domain.cadence import Cadence
from navoracle.domain.fees import FeeTerms
from navoracle.domain.frame import NavFrame
from navoracle.domain.guard_policy import GuardPolicy
from navoracle.domain.prices import AggregationPolicy, NativeBandPolicy
from navoracle.domain.prior import Prior
from navoracle.domain.units import Bps, Timestamp, to_wad
from navoracle.keeper.frame import FramePorts, run_frame
from navoracle.keeper.plan import AssetPlan, FramePlan, FundPlan
from navoracle.keeper.planner import Subject
from navoracle.positions import PositionModel, SupplyModel
from navoracle.prices import Rate, Source
from navoracle.testing import FakeChain, FakeOffChain, FixedClock, block_stamp
from tests.unit.addresses import address

NOW: Final = Timestamp(1_700_000_000)
CHAIN: Final = "local"
TOKEN, VAULT, UNDERLYING, HOLDER, FEED = (address(number) for number in range(1, 6))

_SOURCE: TypeAdapter[Any] = TypeAdapter(Source)
_RATE: TypeAdapter[Any] = TypeAdapter(Rate)
_POSITION: TypeAdapter[Any] = TypeAdapter(PositionModel)
_SUPPLY: TypeAdapter[Any] = TypeAdapter(SupplyModel)


def recorded(asset: str, group: str, *, quoted_in: str | None = None, max_age: int = 300) -> Any:
    """A source of the series "asset.group"."""
    name = f"{asset}.{group}"
    return _SOURCE.validate_python(
        {
            "kind": "recorded",
            "id": name,
            "asset": asset,
            "group": group,
            "series": name,
            "max_age": max_age,
            "quoted_in": quoted_in,
        }
    )


def chainlink(asset: str) -> Any:
    """A resolved feed of 8 decimals."""
    return _SOURCE.validate_python(
        {
            "kind": "chainlink",
            "id": f"{asset}.chainlink",
            "asset": asset,
            "group": "chainlink",
            "chain": CHAIN,
            "feed": FEED,
            "heartbeat": 3_600,
            "decimals": 8,
        }
    )


def vault_rate(name: str, base: str) -> Any:
    """The resolved rate of an ERC-4626 vault of 18 decimals over a token of 6."""
    return _RATE.validate_python(
        {
            "kind": "erc4626",
            "id": name,
            "chain": CHAIN,
            "base": base,
            "vault": VAULT,
            "underlying": UNDERLYING,
            "decimals": 18,
            "underlying_decimals": 6,
        }
    )


def position(kind: str, name: str, asset: str, **fields: Any) -> Any:
    """A position reader."""
    return _POSITION.validate_python({"kind": kind, "id": name, "asset": asset, **fields})


def declared(name: str, asset: str, component: str, amount: str, **fields: Any) -> Any:
    """A declared position of 18 decimals."""
    return position("declared", name, asset, component=component, amount=amount, **fields)


def supply(name: str, shares: str) -> Any:
    """A fixed number of shares."""
    return _SUPPLY.validate_python({"kind": "fixed", "id": f"{name}.supply", "shares": shares})


def fund(name: str, number: int, *positions: Any, shares: str = "1000", guards: GuardPolicy | None = None) -> FundPlan:
    """A fund on the home chain's registry."""
    return FundPlan(name, number, CHAIN, positions, supply(name, shares), FeeTerms(), guards or GuardPolicy())


def assets() -> dict[str, AssetPlan]:
    """USDC by a feed and two markets, ETH by one market in USD and one in USDC, sUSD by its vault's rate."""
    policy = AggregationPolicy()
    return {
        "USDC": AssetPlan("USDC", policy, (chainlink("USDC"), recorded("USDC", "one"), recorded("USDC", "two"))),
        "ETH": AssetPlan("ETH", policy, (recorded("ETH", "one"), recorded("ETH", "two", quoted_in="USDC"))),
        "sUSD": AssetPlan("sUSD", policy, derived=vault_rate("sUSD.derived", "USDC")),
        "mUSD": AssetPlan(
            "mUSD",
            policy,
            (recorded("mUSD", "one"), recorded("mUSD", "two")),
            native=vault_rate("mUSD.native", "USDC"),
            native_band=NativeBandPolicy(100, 1_000),
        ),
    }


def funds() -> dict[str, FundPlan]:
    """A cash fund, a levered one, and one of many kinds of positions."""
    return {
        "cash": fund(
            "cash",
            1,
            position(
                "erc20", "cash.usdc", "USDC", chain=CHAIN, token=TOKEN, holder=HOLDER, component="cash", decimals=6
            ),
        ),
        "levered": fund(
            "levered",
            2,
            declared("levered.collateral", "sUSD", "collateral", "5000"),
            declared("levered.debt", "USDC", "debt", "4000"),
        ),
        "mixed": fund(
            "mixed",
            3,
            declared("mixed.eth", "ETH", "collateral", "2"),
            declared("mixed.musd", "mUSD", "collateral", "100"),
            declared("mixed.silo", "USDC", "cash", "50", epoch=1),
            position("declared_at_cost", "mixed.cost", "ETH", component="collateral", amount="1", entry_price="2500"),
            position(
                "declared_accrual",
                "mixed.staking",
                "ETH",
                component="accrued_income",
                amount="10",
                annual_rate="0.05",
                since=NOW - 86_400,
            ),
        ),
    }


@dataclass
class World:
    """The chain, the markets and the clock."""

    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW + 5))
    chain: FakeChain = field(default_factory=lambda: FakeChain(block_stamp(NOW, chain=CHAIN, number=100)))
    markets: FakeOffChain = field(default_factory=FakeOffChain)

    def ports(self, **changes: Any) -> FramePorts:
        """Ports to it, without a store."""
        return replace(FramePorts({CHAIN: self.chain}, self.markets, self.clock, None, {}), **changes)

    def quote(self, series: str, price: str, *, age: int = 0) -> None:
        """Put a row into a series."""
        self.markets.rows[series] = (NOW - age, price)

    def set_feed(self, answer: int, *, age: int = 60) -> None:
        """Set what the USDC feed says."""
        round_ = (7, answer, NOW - age, NOW - age, 7)
        self.chain.put(FEED, "latestRoundData()", (), ("uint80", "int256", "uint256", "uint256", "uint80"), *round_)

    async def frame(self, plan: FramePlan, **changes: Any) -> NavFrame:
        """Run a frame."""
        return await run_frame(plan, self.ports(**changes))


def world() -> World:
    """Everything answers: USDC and mUSD at 1, ETH at 2,000, a vault rate of 1.05 (which mUSD follows)."""
    found = World()
    chain = found.chain
    chain.put(TOKEN, "balanceOf(address)", (HOLDER,), ("uint256",), 1_000 * 10**6)
    for contract, decimals in ((TOKEN, 6), (VAULT, 18), (UNDERLYING, 6), (FEED, 8)):
        chain.put(contract, "decimals()", (), ("uint8",), decimals)
    set_vault_rate(found, 1_050_000)
    chain.put(VAULT, "asset()", (), ("address",), UNDERLYING)
    chain.put(VAULT, "totalSupply()", (), ("uint256",), 10**24)
    found.set_feed(100_000_000)
    for series, price in {
        "USDC.one": "1",
        "USDC.two": "1",
        "ETH.one": "2000",
        "ETH.two": "2000",
        "mUSD.one": "1.05",
        "mUSD.two": "1.05",
    }.items():
        found.quote(series, price)
    return found


def set_vault_rate(found: World, assets_per_share: int) -> None:
    """Set the vault's rate in units of its underlying (6 decimals)."""
    found.chain.put(VAULT, "convertToAssets(uint256)", (10**18,), ("uint256",), assets_per_share)


def subject() -> Subject:
    """All assets and funds."""
    return Subject("USD", CHAIN, assets(), funds())


def frame_plan(*names: str, prior: Prior | None = None, **changes: Any) -> FramePlan:
    """A plan of these funds, or of all."""
    chosen = tuple(plan for name, plan in funds().items() if not names or name in names)
    plan = FramePlan(NOW, Cadence.HOURLY, "USD", CHAIN, assets(), chosen, prior or Prior())
    return replace(plan, **changes)


def one_asset_plan(asset: AssetPlan, *others: AssetPlan, prior: Prior | None = None, side: str = "asset") -> FramePlan:
    """A plan of one fund that holds (or owes) one unit of the asset."""
    component = "collateral" if side == "asset" else "debt"
    holder = fund("f", 1, declared("f.position", asset.symbol, component, "1"))
    known = {each.symbol: each for each in (asset, *others)}
    return FramePlan(NOW, Cadence.HOURLY, "USD", None, known, (holder,), prior or Prior())


ONE = to_wad("1")
FULL = Bps(10_000)
