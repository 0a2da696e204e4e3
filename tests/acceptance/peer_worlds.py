"""Doubles of other vault systems in the demo's world, set up as the files in `config/publishers/` describe them.

Every fund holds what makes a share worth 1.0025 units of account while USDC is worth one; its contract holds 1.0, and
takes the next post.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

from navoracle.abi import encode_call, selector
from navoracle.chain.artifacts import artifact
from navoracle.demo.world import POSTER, PRICES, DemoWorld, holder_of
from navoracle.domain.units import WAD, Timestamp
from navoracle.ports import Address
from tests.acceptance.worlds import Bench
from tests.requirements import PROJECT

FOLDER: Final = PROJECT / "config" / "publishers"
OWNER, SAFE, COUNCIL, RECEIVER = 0, 4, 5, 6
MILLION: Final = 10**12
"""A million of 6 decimals."""

HOUR, DAY, MARGIN = 3_600, 86_400, 30
VEDA_RATE, VEDA_BOUNDS, VEDA_DELAY = 10**6, (10_050, 9_950), HOUR
LAGOON_RATE = 2 * WAD
MELLOW_LIMITS = (10**40, 10**40, WAD // 5, WAD // 50, HOUR, 1, 1)
MIDAS_RANGE, MIDAS_DEVIATION = (10**7, 10**11), 10**8
SUPERSTATE_DELTA = 100_000
ONDO_WINDOW, ENZYME_WAIT = 82_800, 600
POOL, SHARE_CLASS = 281_474_976_710_657, bytes([1]) * 16

Variables = dict[str, str]


def config_of(name: str) -> Path:
    """An example's file."""
    return FOLDER / f"{name}.yaml"


def call_data(contract: str, function: str, *arguments: Any) -> str:
    """A call as a contract's own ABI has it."""
    (entry,) = (each for each in artifact(contract).abi if each["type"] == "function" and each["name"] == function)
    return "0x" + encode_call(f"{function}({','.join(_type(each) for each in entry['inputs'])})", *arguments).hex()


def _type(parameter: Mapping[str, Any]) -> str:
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(each) for each in parameter['components'])}){kind.removeprefix('tuple')}"


class PeerWorld:
    """A world, and the variables that an example needs besides the world's own."""

    def __init__(self, world: DemoWorld) -> None:
        self.world = world
        self.chain = world.chain
        self.poster = world.chain.accounts[POSTER]
        self.variables: Variables = {"POSTER": self.poster}

    async def call(self, to: str, signature: str, *arguments: Any, account: int = OWNER) -> None:
        """Send a call as somebody."""
        await self.chain.transact(Address(to), encode_call(signature, *arguments), account)

    async def mint(self, token: str, holder: str, raw: int) -> None:
        """Give somebody raw units of one of the world's tokens."""
        await self.call(self.world.tokens[token], "mint(address,uint256)", holder, raw)

    async def settle_down(self, seconds: int) -> None:
        """Let time pass; then the feeds answer anew."""
        self.chain.mine(Timestamp(self.chain.now + seconds))
        await self.world.set_prices(PRICES)

    async def fund(self, shares: str = "SHARES", holder: str = "HOLDER", *, decimals: int = 18) -> None:
        """A fund of 4,000,000 shares and 4,010,000 USDC, under these variables."""
        name = shares.lower()
        token = await self.chain.deploy("Token", name, name, decimals)
        await self.call(token, "mint(address,uint256)", self.chain.accounts[OWNER], 4 * 10 ** (6 + decimals))
        await self.mint("USDC", holder_of(name), 4_010_000 * 10**6)
        self.variables |= {shares: token, holder: holder_of(name)}

    async def veda(self) -> None:
        """An accountant at 1.0 whose delay is over; the vault holds 3,010,000 USDC and 1,000,000 USDT."""
        vault = await self.chain.deploy("Token", "Vault", "V", 6)
        await self.call(vault, "mint(address,uint256)", self.chain.accounts[OWNER], 4 * MILLION)
        await self.mint("USDC", vault, 3_010_000 * 10**6)
        await self.mint("USDT", vault, MILLION)
        owner, base = self.chain.accounts[OWNER], self.world.tokens["USDC"]
        terms = (VEDA_RATE, base, *VEDA_BOUNDS, VEDA_DELAY, 200, 1_000)
        accountant = await self.chain.deploy("VedaAccountant", owner, vault, owner, *terms)
        update = selector("updateExchangeRate(uint96)")
        await self.call(accountant, "setCanCall(address,bytes4,bool)", self.poster, update, True)
        self.variables |= {"VEDA_ACCOUNTANT": accountant, "VEDA_VAULT": vault}
        await self.settle_down(VEDA_DELAY + MARGIN)

    async def lagoon(self) -> None:
        """A vault of 4,000,000 USDC a day after its settlement, 200 % a year in either direction."""
        accounts = self.chain.accounts
        roles = [accounts[number] for number in (SAFE, POSTER, OWNER, RECEIVER, COUNCIL)]
        terms = (self.world.tokens["USDC"], "Vault", "V", *roles, (0,) * 5, 4 * MILLION, True)
        vault = await self.chain.deploy("LagoonVault", terms)
        await self.mint("USDC", accounts[SAFE], 4_010_000 * 10**6)
        rails = (LAGOON_RATE, -LAGOON_RATE)
        await self.call(vault, "updateGuardrails((uint256,int256))", rails, account=COUNCIL)
        await self.call(vault, "updateActivated(bool)", True, account=COUNCIL)
        self.variables |= {"LAGOON_VAULT": vault, "LAGOON_SAFE": accounts[SAFE]}
        await self.settle_down(DAY)

    async def mellow(self) -> None:
        """An oracle of USDC and WBTC, both reported at 1.0 a share and accepted an hour ago."""
        accounts, tokens = self.chain.accounts, self.world.tokens
        oracle = await self.chain.deploy("MellowOracle", MELLOW_LIMITS, [tokens["WBTC"], tokens["USDC"]])
        vault = await self.chain.deploy("MellowVault", accounts[OWNER], oracle, tokens["USDC"])
        await self.call(oracle, "setVault(address)", vault)
        for role, account in (("SUBMIT_REPORTS_ROLE", POSTER), ("ACCEPT_REPORT_ROLE", OWNER)):
            word = await self.chain.reader().call(Address(oracle), encode_call(f"{role}()"))
            await self.call(vault, "grantRole(bytes32,address)", word, accounts[account])
        first = [(tokens["USDC"], 10**30), (tokens["WBTC"], 60_000 * 10**28)]
        await self.call(oracle, "submitReports((address,uint224)[])", first, account=POSTER)
        reported = self.chain.now
        for token, price in first:
            await self.call(oracle, "acceptReport(address,uint256,uint32)", token, price, reported)
        await self.fund("MELLOW_SHARES", "MELLOW_SUBVAULT")
        self.variables["MELLOW_ORACLE"] = oracle
        await self.settle_down(HOUR + MARGIN)

    async def midas(self) -> None:
        """A feed whose last answer of 1.0 is more than an hour old."""
        who = (self.chain.accounts[OWNER], self.poster)
        feed = await self.chain.deploy("MidasFeed", *who, *MIDAS_RANGE, MIDAS_DEVIATION, "mTBILL/USD")
        await self.call(feed, "setRoundDataSafe(int256)", 10**8, account=POSTER)
        await self.fund("MIDAS_TOKEN", "MIDAS_CUSTODY")
        self.variables["MIDAS_FEED"] = feed
        await self.settle_down(HOUR + 1 + MARGIN)

    async def generic(self) -> None:
        """A feed of one's own whose last answer is 1.0."""
        feed = await self.chain.deploy("Feed", 8, "own fund")
        await self.call(feed, "set(int256,uint256)", 10**8, self.chain.now)
        await self.fund()
        self.variables["OWN_FEED"] = feed
        await self.settle_down(HOUR)

    async def ondo(self) -> None:
        """An oracle at 1.0 whose window is over."""
        oracle = await self.chain.deploy("OndoOracle", self.chain.accounts[OWNER], self.poster, WAD)
        await self.fund()
        self.variables["ONDO_ORACLE"] = oracle
        await self.settle_down(ONDO_WINDOW + MARGIN)

    async def superstate(self) -> None:
        """An oracle with checkpoints of 1.000000 and 1.001000 in effect."""
        owner, other = self.poster, self.chain.accounts[OWNER]
        oracle = await self.chain.deploy("SuperstateOracle", owner, other, SUPERSTATE_DELTA)
        self.chain.mine(Timestamp(self.chain.now + DAY))
        for value in (1_000_000, 1_001_000):
            times = (self.chain.now - 10, self.chain.now + 2)
            signature = "addCheckpoint(uint64,uint64,uint128,bool)"
            await self.call(oracle, signature, *times, value, False, account=POSTER)
            self.chain.mine(Timestamp(self.chain.now + DAY))
        await self.fund()
        self.variables["SUPERSTATE_ORACLE"] = oracle
        await self.settle_down(HOUR)

    async def enzyme(self) -> None:
        """An oracle whose value of 1.0 was set ten minutes ago."""
        who = (self.chain.accounts[OWNER], self.poster)
        oracle = await self.chain.deploy("EnzymeValue", *who, b"value".ljust(32, b"\0"))
        await self.call(oracle, "updateValue(int192)", WAD, account=POSTER)
        await self.fund()
        self.variables["ENZYME_ORACLE"] = oracle
        await self.settle_down(ENZYME_WAIT + MARGIN)

    async def centrifuge(self) -> None:
        """A hub that holds 1.0, computed an hour ago."""
        hub = await self.chain.deploy("CentrifugeHub", self.chain.accounts[OWNER])
        await self.call(hub, "updateManager(uint64,address,bool)", POOL, self.poster, True)
        await self.call(hub, "addShareClass(uint64,bytes16)", POOL, SHARE_CLASS)
        terms = (POOL, SHARE_CLASS, WAD, self.chain.now)
        await self.call(hub, "updateSharePrice(uint64,bytes16,uint128,uint64)", *terms, account=POSTER)
        await self.fund()
        self.variables |= {
            "CENTRIFUGE_HUB": hub,
            "CENTRIFUGE_SHARE_CLASS_MANAGER": hub,
            "CENTRIFUGE_POOL_ID": str(POOL),
            "CENTRIFUGE_SHARE_CLASS": "0x" + SHARE_CLASS.hex(),
        }
        await self.settle_down(HOUR)


PEERS: Final[Mapping[str, Callable[[PeerWorld], Coroutine[Any, Any, None]]]] = {
    "centrifuge": PeerWorld.centrifuge,
    "enzyme": PeerWorld.enzyme,
    "generic": PeerWorld.generic,
    "lagoon": PeerWorld.lagoon,
    "mellow": PeerWorld.mellow,
    "midas": PeerWorld.midas,
    "ondo": PeerWorld.ondo,
    "superstate": PeerWorld.superstate,
    "veda": PeerWorld.veda,
}
"""How each example's contract is set up."""


def with_peer(bench: Bench, name: str) -> PeerWorld:
    """Set an example's contract up in a bench's world, and tell the bench its variables."""
    here = PeerWorld(bench.world)
    bench.do(PEERS[name](here))
    bench.variables |= here.variables
    return here
