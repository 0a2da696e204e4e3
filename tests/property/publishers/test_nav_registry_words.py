"""Laws of the NavRegistry's words: what is encoded is what is decoded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.units import Bps, Timestamp, Wad
from navoracle.publisher_port import FundPost
from navoracle.publishers.nav_registry_codec import (
    FundWord,
    RecordSize,
    Status,
    decode_record,
    decode_word,
    encode_header,
    encode_record,
)

AMOUNTS = st.integers(0, 2**104 - 1).map(Wad)
SIZES = st.sampled_from(RecordSize)


@st.composite
def posts(draw: st.DrawFn) -> FundPost:
    """Any post that fits; its liabilities are what makes the components add up."""
    cash, income = draw(AMOUNTS), draw(AMOUNTS)
    collateral = Wad(draw(st.integers(0, 2**103)))
    nav = Wad(draw(st.integers(0, min(2**104 - 1, cash + collateral + income))))
    owed = cash + collateral + income - nav
    debt = Wad(draw(st.integers(max(0, owed - 2**104 + 1), min(owed, 2**104 - 1))) if owed < 2**105 - 1 else owed // 2)
    return FundPost(
        fund="any",
        fund_id=draw(st.integers(0, 2**16 - 1)),
        nav=nav,
        price_per_share=Wad(draw(st.integers(0, 2**88 - 1))),
        confidence=Bps(draw(st.integers(0, 10_000))),
        estimated=draw(st.booleans()),
        components=(cash, collateral, income, debt, Wad(owed - debt)),
        nav_before=draw(AMOUNTS),
    )


@given(posts().filter(lambda post: max(post.components) < 2**104), SIZES)
def test_record__encoded_and_decoded__is_the_same(post: FundPost, size: RecordSize) -> None:
    data = encode_record(post, size)
    record = decode_record(data)
    assert len(data) == size
    assert (record.fund_id, record.nav, record.price_per_share) == (post.fund_id, post.nav, post.price_per_share)
    assert (record.estimated, record.confidence) == (post.estimated, post.confidence // 100)
    assert record.nav_before == (post.nav_before if size.has_before else None)
    assert record.components == (post.components if size.has_components else None)


@given(st.integers(0, 2**32 - 1), SIZES)
def test_header__any_time_and_size__keeps_both(valuation_time: int, size: RecordSize) -> None:
    header = encode_header(Timestamp(valuation_time), size)
    assert (header >> 16, header >> 8 & 0xFF, header & 0xFF) == (valuation_time, 0, size)


@given(st.integers(0, 2**256 - 1))
def test_word__any_word__is_decoded_without_loss(word: int) -> None:
    assert encode_word(decode_word(word)) == word


@given(
    AMOUNTS, st.integers(0, 2**88 - 1), st.integers(0, 2**32 - 1), st.integers(-(2**15), 2**15 - 1), st.integers(0, 7)
)
def test_word__any_fields__come_back(nav: Wad, pps: int, at: int, drift: int, status: int) -> None:
    fund = FundWord(nav, Wad(pps), Timestamp(at), drift, 95, 3, Status(status))
    assert decode_word(encode_word(fund)) == fund


def encode_word(fund: FundWord) -> int:
    """nav:104 | pps:88 | valuationTs:32 | dayDrift:16 | confidence:7 | profile:6 | status:3."""
    word = 0
    for value, bits in (
        (fund.nav, 104),
        (fund.price_per_share, 88),
        (fund.valuation_time, 32),
        (fund.day_drift % 2**16, 16),
        (fund.confidence, 7),
        (fund.profile, 6),
        (fund.status, 3),
    ):
        word = word << bits | int(value)
    return word
