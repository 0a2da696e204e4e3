"""The state that a frame starts from (`Prior`): what is not read from the world, with the frame that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from navoracle.domain.breaker import Breaker
from navoracle.domain.bridge import BridgeEnd
from navoracle.domain.fees import FeeState
from navoracle.domain.prices import LastValid
from navoracle.domain.risk.gates import GatePrior
from navoracle.domain.units import Timestamp, Wad


@dataclass(frozen=True, slots=True)
class PriorPrice:
    """The last valid (live, never decayed) price of an asset on one side, and the frame that found it."""

    asset: str
    side: str
    last_valid: LastValid
    frame: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One live price of the sampler, and the frame that found it."""

    asset: str
    time: Timestamp
    price: Wad
    frame: str


@dataclass(frozen=True, slots=True)
class PriorRound:
    """When the answer that an on-chain source gave last was published (Unix seconds), and the frame that read it."""

    source: str
    published_at: Timestamp
    frame: str


@dataclass(frozen=True, slots=True)
class PostBounds:
    """What the contract lets one post, and one day, change the price per share by, in bps of the served value.

    `max_age` is how many seconds after its valuation the contract no longer serves a value; None where it does not say.
    """

    up_bps: int
    down_bps: int
    day_bps: int
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class ConfirmedNav:
    """A NAV as the chain holds it: the only baseline of the change guard.

    `frame` names the frame whose post was confirmed; None when the value was set by somebody else (a registration).
    `bounds` are the contract's own, `day_drift` the signed sum of the steps of its day (tenths of a basis point); None
    where it has none or they were not asked for; so is `nav` of one that keeps a price alone. `live` is False for a
    fund that the contract has closed.
    """

    nav: Wad | None
    price_per_share: Wad
    valuation_time: Timestamp
    held: bool
    block_number: int
    frame: str | None
    bounds: PostBounds | None = None
    day_drift: int | None = None
    live: bool = True


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What the frame found that a second frame now verifies."""

    frame: str
    price_per_share: Wad
    block_number: int


@dataclass(frozen=True, slots=True)
class PriorFrame:
    """The fund's frame before this one: its time, its blocks' numbers by chain, and its price per share (Wad).

    The price is None when the fund could not be valued.
    """

    frame: str
    now: Timestamp
    price_per_share: Wad | None
    blocks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PriorPosition:
    """The last known value (Wad magnitude) of a position, and the frame that found it."""

    position: str
    value: Wad
    frame: str


@dataclass(frozen=True, slots=True)
class FundPrior:
    """A fund's state before the frame.

    `fees_frame` is the frame that started the fee clock and the high-water mark. `distributions_per_share` (Wad) are
    the dividends declared since the confirmed NAV; they are added back to the change of the price per share. `rebase`
    is the request by which the RISK role lets the next post be compared with nothing. `posted` is what the frame of the
    confirmed NAV found, where the fund has a vault of its own; `gate` what its NAV gate starts from, where it has one.
    """

    confirmed: ConfirmedNav | None = None
    fees: FeeState = field(default_factory=FeeState)
    fees_frame: str | None = None
    positions: tuple[PriorPosition, ...] = ()
    distributions_per_share: Wad = Wad(0)
    first_look: FirstLook | None = None
    last_frame: PriorFrame | None = None
    breaker: Breaker = field(default_factory=Breaker)
    rebase: str | None = None
    posted: BridgeEnd | None = None
    posted_unreadable: str | None = None
    gate: GatePrior | None = None


@dataclass(frozen=True, slots=True)
class Prior:
    """The state that a frame starts from. `asset_breakers` has the breakers that are not closed, by asset."""

    prices: tuple[PriorPrice, ...] = ()
    samples: tuple[Sample, ...] = ()
    funds: Mapping[str, FundPrior] = field(default_factory=dict)
    rounds: tuple[PriorRound, ...] = ()
    asset_breakers: Mapping[str, Breaker] = field(default_factory=dict)
