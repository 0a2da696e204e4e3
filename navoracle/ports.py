"""The world as the rest of navoracle sees it: small protocols, and the requests that readers make.

A price source or position reader performs no I/O. Its `read` is a generator: it yields tuples of requests, receives the
raw answers in the same order, and returns a domain value or raises a `ReadError`. A request that fails is raised inside
the generator as a typed error, so that a reader which can do without an answer catches it there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, NamedTuple, NewType, Protocol, TypeAlias, TypeVar

from navoracle.domain.errors import OutOfRange
from navoracle.domain.frame import BlockStamp, ConfirmedNav
from navoracle.domain.guard_use import GuardUse
from navoracle.domain.positions import PositionReading
from navoracle.domain.prices import Quote, check_confidence
from navoracle.domain.units import Bps, Timestamp, Wad
from navoracle.domain.valuation import PriceKey

Address = NewType("Address", str)
"""A checksummed address."""


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


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction ready to be sent: raw bytes and hash (hex), with the fields that identify it."""

    raw: str
    hash: str
    nonce: int
    sender: Address
    to: Address


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction."""

    hash: str
    success: bool
    block_number: int
    block_hash: str
    gas_used: int


class Transactor(Protocol):
    """One signer on one chain."""

    @property
    def address(self) -> Address:
        """The sender."""

    async def prepare(self, to: Address, data: bytes) -> SignedTransaction:
        """Simulate, then sign. Raises CallReverted (with the decoded reason) or ChainError; nothing is sent."""

    async def send(self, transaction: SignedTransaction) -> None:
        """Broadcast once. An error is ambiguous until the hash is looked up; it is raised as ChainError."""

    async def receipt(self, transaction_hash: str) -> Receipt | None:
        """The receipt, or None while the transaction is not mined."""


@dataclass(frozen=True, slots=True)
class FundPost:
    """What is posted for one fund: NAV_after, price per share and the components of section 13 (Wad).

    `prices` are those that its contract counts in (Wad per whole token, by asset); they are not stored with the post.
    """

    fund: str
    fund_id: int
    nav: Wad
    price_per_share: Wad
    confidence: Bps
    estimated: bool
    components: tuple[Wad, Wad, Wad, Wad, Wad]
    nav_before: Wad
    prices: Mapping[str, Wad] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """An encoded post of several funds: where it goes, its bytes, and what they say."""

    chain: str
    to: Address
    data: bytes
    valuation_time: Timestamp
    evidence_root: str
    posts: tuple[FundPost, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What the contract would do with one fund's record now: `reason` None means it would accept it.

    Attributes:
        send: whether sending it is right (a held record is evidence for the RISK role; a refused one is noise).
        guards: the contract's guards, and what the post would use of them.
        ready_at: when the contract takes a post again, where waiting is all that is needed.
        role: who must act, where somebody must; `advice` says how.
    """

    fund: str
    reason: str | None
    send: bool
    guards: tuple[GuardUse, ...] = ()
    ready_at: Timestamp | None = None
    role: str | None = None
    advice: str = ""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the contract holds for one fund after a post; `role` and `advice` say who must act, where somebody must."""

    fund: str
    accepted: bool
    reason: str | None
    confirmed: ConfirmedNav
    role: str | None = None
    advice: str = ""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A call without which an accepted post is not served yet, and the role that must make it."""

    to: Address
    data: bytes
    role: str


class Publisher(Protocol):
    """A contract that takes NAVs."""

    @property
    def chain(self) -> str:
        """The configuration's name of the contract's chain."""

    @property
    def one_by_one(self) -> bool:
        """Whether a batch holds one fund only: the contract knows no other."""

    async def confirmed(self, fund_ids: Mapping[str, int]) -> Mapping[str, ConfirmedNav]:
        """The NAVs that the contract serves now."""

    def encode(self, posts: Sequence[FundPost], valuation_time: Timestamp, evidence_root: str) -> Batch:
        """Encode a batch."""

    async def preview(self, batch: Batch) -> tuple[Preview, ...]:
        """Ask the contract what it would do with the batch."""

    async def read_back(self, batch: Batch, receipt: Receipt) -> tuple[ReadBack, ...]:
        """Read the contract's state after the post and classify each fund's outcome."""

    async def follow_up(self, batch: Batch) -> FollowUp | None:
        """The call that an accepted post needs to be served, if it would do anything now. Raises ChainError."""
