"""The world as the rest of navoracle sees it: small protocols, and the requests that readers make.

A price source or position reader performs no I/O. Its `read` is a generator: it yields tuples of requests, receives the
raw answers in the same order, and returns a domain value or raises a `ReadError`. A request that fails is raised inside
the generator as a typed error, so that a reader which can do without an answer catches it there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, NamedTuple, NewType, Protocol, TypeAlias, TypeVar

from navoracle.domain.errors import OutOfRange
from navoracle.domain.frame import BlockStamp
from navoracle.domain.positions import PositionReading
from navoracle.domain.prices import Quote, check_confidence
from navoracle.domain.risk.lending_account import LendingAccount
from navoracle.domain.risk.margin_account import MarginAccount
from navoracle.domain.units import Bps, Timestamp, Wad
from navoracle.domain.valuation import PriceKey

Address = NewType("Address", str)
"""A checksummed address."""

NO_ADDRESS: Final = Address("0x0000000000000000000000000000000000000000")
"""The address that contracts take for none."""


class Call(NamedTuple):
    """A contract call at the frame's block; a tuple, because every round looks up each of its requests by hash.

    `direct` keeps it out of Multicall3, for contracts that look at their caller; `sender` is then the caller.
    """

    target: Address
    data: bytes
    direct: bool = False
    sender: Address | None = None


@dataclass(frozen=True, slots=True)
class NativeBalance:
    """The native coin balance (wei, 32 bytes big-endian) of an account at the frame's block."""

    account: Address


@dataclass(frozen=True, slots=True)
class RecordedRow:
    """The newest row of a recorded series that is known at the frame's time, as JSON `{"time", "price"}`."""

    series: str


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of a named document, for example a signed attestation."""

    path: str


@dataclass(frozen=True, slots=True)
class HttpGet:
    """The body of a GET request.

    `url` is the whole address and holds no secret; `credential` names a configured one, whose header is added when the
    request is sent and appears nowhere else.
    """

    url: str
    credential: str | None = None


ExchangeMethod = Literal["fetch_ticker", "fetch_balance", "fetch_positions"]


@dataclass(frozen=True, slots=True)
class ExchangeCall:
    """What a configured exchange account answers to a unified ccxt method, as JSON whose numbers are all text.

    `look` tells repeated questions apart: equal requests of a frame are asked once, and two looks are two answers.
    """

    exchange: str
    method: ExchangeMethod
    argument: str = ""
    look: int = 1


ChainRequest: TypeAlias = Call | NativeBalance
OffChainRequest: TypeAlias = RecordedRow | Document | HttpGet | ExchangeCall
Request: TypeAlias = ChainRequest | OffChainRequest


class Answer(NamedTuple):
    """What came back: the data, or why there is none.

    `failure` is an error code, followed by ": " and an explanation where there is one; `data` is then the revert data.
    """

    data: bytes
    failure: str | None = None


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Read: TypeAlias = Generator[tuple[Request, ...], tuple[bytes, ...], T]


@dataclass(frozen=True, slots=True)
class ReadPoint:
    """When and where a reader reads: the valuation time and its chain's block (None off chain)."""

    now: Timestamp
    block: BlockStamp | None


class Reader(Protocol[T_co]):
    """Says what to read and how to understand it."""

    @property
    def id(self) -> str:
        """The name under which its reading and its failure are recorded; unique within a frame."""

    @property
    def chain(self) -> str | None:
        """The configuration's name of its chain; None off chain."""

    def read(self, at: ReadPoint) -> Read[T_co]:
        """Yield requests, receive their answers, return the value."""

    def describe(self) -> Mapping[str, object]:
        """Everything needed to build this reader again, as plain JSON."""


class PriceSource(Reader[Quote], Protocol):
    """Reads one quote of one asset."""

    @property
    def asset(self) -> str:
        """The asset that is quoted."""

    @property
    def quoted_in(self) -> str | None:
        """The asset in which the price is stated; None for the unit of account."""


@dataclass(frozen=True, slots=True)
class ProtocolRate:
    """Units of the base asset per unit of the asset (Wad per whole token), by the protocol's own account.

    An asset takes the `lower` value, a debt the `higher`; they are equal where the protocol has one rate.

    Raises:
        OutOfRange: not 0 < lower <= higher, or a confidence outside 0 to 10_000.
    """

    lower: Wad
    higher: Wad
    confidence: Bps

    def __post_init__(self) -> None:
        if not 0 < self.lower <= self.higher:
            raise OutOfRange(
                f"rates {self.lower} and {self.higher} are not positive and in order",
                advice="Refuse such a rate where it is read, with the source's name.",
            )
        check_confidence(self.confidence, "protocol rate")


class RateSource(Reader[ProtocolRate], Protocol):
    """Reads the rate between an asset and its base."""

    @property
    def base(self) -> str:
        """The asset that the rate counts in."""


class PositionReader(Reader[tuple[PositionReading, ...]], Protocol):
    """Reads what a fund holds or owes in one place."""

    @property
    def assets(self) -> tuple[PriceKey, ...]:
        """The (asset, side) pairs that its positions may need prices for."""


class LendingReader(Reader[LendingAccount], Protocol):
    """Reads the health of an account at a lender; for risk, never for the NAV."""


class MarginReader(Reader[MarginAccount], Protocol):
    """Reads an account at an exchange against what it is exposed to; for risk, never for the NAV."""

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets whose prices its figures are told by: what it settles in, and what it is exposed to."""


class SupplyReader(Reader[Wad], Protocol):
    """Reads a fund's shares outstanding (1e18 scale)."""


class Clock(Protocol):
    """The only source of the present time, and the only way to wait."""

    def now(self) -> Timestamp:
        """Unix seconds, UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait; a test clock moves on instead."""


class Scrutiny(Enum):
    """How far an answer is trusted.

    ONE: one healthy node answers (samples, displays). COMPARED: as many independent nodes as the chain's quorum must
    give the same bytes (everything that may be posted). ANEW: compared, and by other nodes than the last compared
    reading wherever there are enough (a second look).
    """

    ONE = "one"
    COMPARED = "compared"
    ANEW = "anew"


class ChainReader(Protocol):
    """One chain, read at pinned blocks."""

    async def stamp(self, number: int | None = None) -> BlockStamp:
        """The block to value at by the chain's finality rule, or the canonical one of a number. Raises ChainError."""

    async def newest(self) -> BlockStamp:
        """The newest block that a quorum of nodes has, whatever the finality (previews). Raises ChainError."""

    async def is_canonical(self, stamp: BlockStamp) -> bool:
        """Whether the block is still part of the chain."""

    async def read(
        self, requests: Sequence[ChainRequest], at: BlockStamp, scrutiny: Scrutiny = Scrutiny.COMPARED
    ) -> tuple[Answer, ...]:
        """Answer all requests at that block, in order.

        Raises:
            ChainError: the chain cannot be read as a whole; `EndpointsDisagree` and `NoQuorum` say why it may not be.
        """

    async def call(self, to: Address, data: bytes, sender: Address | None = None) -> bytes:
        """Call a contract at the newest block (previews), as `sender` where one is given; compared as in `read`.

        Raises:
            CallReverted: the contract refused; its reason is decoded.
            ChainError: as `read`.
        """


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which logs of a chain are wanted: of these contracts, with one of these topics (32 bytes, hex) in each place.

    None in the place of topics stands for any.
    """

    addresses: tuple[Address, ...]
    topics: tuple[tuple[str, ...] | None, ...]


@dataclass(frozen=True, slots=True)
class Log:
    """A log of a mined transaction; topics and hashes are 32 bytes in lower-case hex."""

    address: Address
    topics: tuple[str, ...]
    data: bytes
    block_number: int
    block_hash: str
    transaction: str
    index: int


class LogSource(Protocol):
    """The logs of one chain as they are mined. One node is believed: what it says moves a valuation, never a NAV."""

    @property
    def chain(self) -> str:
        """The configuration's name of the chain."""

    async def follow(self, filters: Sequence[LogFilter], on_logs: Callable[[tuple[Log, ...]], None]) -> None:
        """Hand over what any of the filters matches from now on, until cancelled.

        What came together is handed over together, and each log once by block hash and index. What a reorganization
        removes is not handed over; where another block brings it again it is another log. Nodes that fail are no error:
        it goes on as soon as one answers.
        """


class OffChainReader(Protocol):
    """Everything that is not on a chain: recorded series, documents, HTTP services, exchanges."""

    async def read(self, requests: Sequence[OffChainRequest], now: Timestamp) -> tuple[Answer, ...]:
        """Answer all requests, in order, with nothing that was not yet known at `now`."""
