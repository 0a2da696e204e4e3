"""The NavRegistry's words, bit by bit: headers, records, fund words, reasons. Pure functions over integers and bytes.

    header      valuationTs:32 << 16 | flags:8 << 8 | recordSize:8
    record      fundId:16 | nav:104 | pps:88 | estimated:1 confidence:7 [| navBefore:104] [| 5 x component:104]
    fund word   nav:104 | pps:88 | valuationTs:32 | dayDrift:16 | confidence:7 | profile:6 | status:3

nav, pps and components are Wad; the confidence is in whole percent, rounded down; times are Unix seconds; the day drift
is signed, in tenths of a basis point. The contract's `NavLayout.sol` is the source of every number here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from navoracle.domain.errors import DomainError, MalformedResult, OutOfRange
from navoracle.domain.units import Timestamp, Wad
from navoracle.publisher_port import FundPost

NAV_BITS: Final = 104
PPS_BITS: Final = 88
TIME_BITS: Final = 32
FUND_ID_BITS: Final = 16

_BPS_PER_PERCENT: Final = 100
_FULL_CONFIDENCE: Final = 10_000


class RecordSize(IntEnum):
    """What a record carries beside fund, NAV, price per share and confidence; its value is its size in bytes."""

    PLAIN = 27
    BEFORE = 40
    COMPONENTS = 92
    FULL = 105

    @property
    def has_before(self) -> bool:
        """Whether it carries NAV_before."""
        return self in (RecordSize.BEFORE, RecordSize.FULL)

    @property
    def has_components(self) -> bool:
        """Whether it carries the five components."""
        return self in (RecordSize.COMPONENTS, RecordSize.FULL)


class Status(IntFlag):
    """The state of a fund."""

    LIVE = 1
    HELD = 2
    ESTIMATED = 4


class Reason(IntFlag):
    """Why a record is not stored, or why a fund is held. The first two and ZERO_PPS hold the fund, as GUARDIAN does."""

    STEP = 1
    DAY_DRIFT = 2
    TOO_EARLY = 4
    NOT_LIVE = 8
    GUARDIAN = 16
    ZERO_PPS = 32
    NOT_NEWER = 64
    HELD = 128
    CONFIDENCE = 256


@dataclass(frozen=True, slots=True)
class FundWord:
    """A fund word, decoded. `confidence` is in percent, `day_drift` in tenths of a basis point."""

    nav: Wad
    price_per_share: Wad
    valuation_time: Timestamp
    day_drift: int
    confidence: int
    profile: int
    status: Status


@dataclass(frozen=True, slots=True)
class Record:
    """A record, decoded. `confidence` is in percent."""

    fund_id: int
    nav: Wad
    price_per_share: Wad
    estimated: bool
    confidence: int
    nav_before: Wad | None
    components: tuple[Wad, ...] | None


def encode_header(valuation_time: Timestamp, size: RecordSize) -> int:
    """The header of a batch.

    Raises:
        OutOfRange: the time does not fit 32 bits.
    """
    return _field(valuation_time, TIME_BITS, "the batch", "valuation time") << 16 | size


def encode_record(post: FundPost, size: RecordSize) -> bytes:
    """One fund's record.

    Raises:
        OutOfRange: a value is negative or too large for its field; the message names the fund.
        DomainError: the components do not add up to the NAV.
    """
    name = f"fund {post.fund}"
    if not 0 <= post.confidence <= _FULL_CONFIDENCE:
        raise OutOfRange(
            f"{name}: confidence {post.confidence} bps", advice="A confidence lies between 0 and 10000 bps."
        )
    parts = [
        _field(post.fund_id, FUND_ID_BITS, name, "id").to_bytes(2, "big"),
        _amount(post.nav, name, "NAV"),
        _field(post.price_per_share, PPS_BITS, name, "price per share").to_bytes(11, "big"),
        (post.estimated << 7 | post.confidence // _BPS_PER_PERCENT).to_bytes(1, "big"),
    ]
    if size.has_before:
        parts.append(_amount(post.nav_before, name, "NAV before deposits"))
    if size.has_components:
        cash, collateral, income, debt, liabilities = post.components
        if cash + collateral + income - debt - liabilities != post.nav:
            raise DomainError(
                f"{name}: its components do not add up to its NAV {post.nav}",
                advice="A negative income belongs to the liabilities. Report this with the frame's evidence.",
            )
        parts += [_amount(component, name, "component") for component in post.components]
    return b"".join(parts)


def decode_record(data: bytes) -> Record:
    """Decode one record; its length says what it carries.

    Raises:
        MalformedResult: no record has this length.
    """
    try:
        size = RecordSize(len(data))
    except ValueError as error:
        raise MalformedResult(
            f"a record of {len(data)} bytes", advice="Records are 27, 40, 92 or 105 bytes long."
        ) from error
    before = Wad(int.from_bytes(data[27:40], "big")) if size.has_before else None
    starts = range(size - 65, size, 13)
    return Record(
        fund_id=int.from_bytes(data[0:2], "big"),
        nav=Wad(int.from_bytes(data[2:15], "big")),
        price_per_share=Wad(int.from_bytes(data[15:26], "big")),
        estimated=bool(data[26] >> 7),
        confidence=data[26] & 0x7F,
        nav_before=before,
        components=tuple(Wad(int.from_bytes(data[start : start + 13], "big")) for start in starts)
        if size.has_components
        else None,
    )


def decode_word(word: int) -> FundWord:
    """Decode a fund word."""
    drift = word >> 16 & 0xFFFF
    return FundWord(
        nav=Wad(word >> 152),
        price_per_share=Wad(word >> 64 & (1 << PPS_BITS) - 1),
        valuation_time=Timestamp(word >> 32 & (1 << TIME_BITS) - 1),
        day_drift=drift - (1 << 16) if drift >> 15 else drift,
        confidence=word >> 9 & 0x7F,
        profile=word >> 3 & 0x3F,
        status=Status(word & 0x7),
    )


def reason_names(bits: int) -> str:
    """Reason bits as names joined by "+" ("step+day_drift"); bits without a name are shown as a number."""
    names = [reason.name.lower() for reason in Reason if bits & reason and reason.name]
    rest = bits & ~sum(Reason)
    return "+".join([*names, f"unknown_{rest}"] if rest else names)


def _amount(value: int, name: str, what: str) -> bytes:
    return _field(value, NAV_BITS, name, what).to_bytes(13, "big")


def _field(value: int, bits: int, name: str, what: str) -> int:
    if not 0 <= value < 1 << bits:
        raise OutOfRange(
            f"{name}: {what} {value} does not fit {bits} bits",
            advice="The registry holds amounts from 0 up to 2.0e13 whole units: check the scale of what was valued.",
        )
    return value
