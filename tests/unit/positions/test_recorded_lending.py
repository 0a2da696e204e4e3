"""Loans over recorded indexes: exact digits, the pool's own rounding, and no index that does not stand."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example as given_example
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from navoracle.domain.errors import EmptyResult, MalformedResult, SourceRefused
from navoracle.domain.positions import Component, Holding, Position
from navoracle.domain.units import RawAmount, Timestamp
from navoracle.ports import Answer, RecordedRow, Request
from navoracle.positions import PositionModel, RecordedLending
from navoracle.positions.recorded_lending import RAY, ScaledBalance
from navoracle.recorded.reader import RecordedReader, decimal_text
from navoracle.recorded.series import Series
from navoracle.testing import Example, ReaderSpec, drive, read_point

NOW = 1_692_057_600
AT = read_point(NOW, chain=None)
WETH, USDC = RecordedRow("weth"), RecordedRow("usdc")
SUPPLY = {"asset": "WETH", "scaled": "100.5", "decimals": 18, "index": "weth"}
LOAN = {"asset": "USDC", "scaled": "120000.123456", "decimals": 6, "index": "usdc"}
SUPPLIED = 1_005_645_819_576_767_014_923_645_209
BORROWED = 1_037_601_547_227_823_743_676_216_603
MODELS: TypeAdapter[PositionModel] = TypeAdapter(PositionModel)


def lending(**changes: Any) -> RecordedLending:
    fields = {"kind": "recorded_lending", "id": "aave", "max_age": 600, "supplies": [SUPPLY], "debts": [LOAN]}
    return RecordedLending.model_validate({**fields, **changes})


def row(index: int | str, age: int = 60) -> bytes:
    text = index if isinstance(index, str) else decimal_text(index, 27)
    return json.dumps({"time": NOW - age, "price": text}).encode()


def read(supplied: bytes, borrowed: bytes, **changes: Any) -> tuple[Position, ...]:
    answers: dict[Request, Answer] = {WETH: Answer(supplied), USDC: Answer(borrowed)}
    return drive(lending(**changes).read(AT), answers)


def holdings(supplied: int, borrowed: int, epoch: int | None = None) -> tuple[Position, ...]:
    return (
        Holding("aave/WETH-supplied", Component.COLLATERAL, "WETH", RawAmount(supplied, 18), epoch),
        Holding("aave/USDC-borrowed", Component.DEBT, "USDC", RawAmount(borrowed, 6), epoch),
    )


class TestRecordedLendingSpec(ReaderSpec):
    def example(self) -> Example:
        # 100.5e18 x 1.005645819576767014923645209 and 120000123456 x 1.037601547227823743676216603, half up
        expected = holdings(101_067_404_867_465_085_000, 124_512_313_765)
        return Example(lending(), {WETH: row(SUPPLIED), USDC: row(BORROWED)}, AT, expected)


def test_read__index_of_27_places__loses_none_of_them() -> None:
    """A hundred whole billions of 18 decimals show the last place of the index."""
    scaled = "1000000000"
    (found, _) = read(row(RAY + 1), row(RAY), supplies=[{**SUPPLY, "scaled": scaled}])
    assert isinstance(found, Holding)
    assert found.amount.value == 10**27 + 1


@given(scaled=st.integers(0, 10**30), index=st.integers(RAY, 10**30))
@given_example(scaled=1, index=RAY + RAY // 2)
@given_example(scaled=1, index=RAY + RAY // 2 - 1)
def test_balance__any_index__is_the_nearest_unit_and_the_upper_of_two(scaled: int, index: int) -> None:
    balance = ScaledBalance.model_validate(
        {"asset": "WETH", "scaled": decimal_text(scaled, 18), "decimals": 18, "index": "weth"}
    )
    gap = balance.at(index).value - Fraction(scaled * index, RAY)
    assert -Fraction(1, 2) < gap <= Fraction(1, 2)


@given(scaled=st.integers(0, 10**24), index=st.integers(RAY, 10**29), rise=st.integers(0, 10**27))
def test_balance__index_that_rises__never_falls(scaled: int, index: int, rise: int) -> None:
    balance = ScaledBalance.model_validate(
        {"asset": "USDC", "scaled": decimal_text(scaled, 6), "decimals": 6, "index": "usdc"}
    )
    assert balance.at(index).value <= balance.at(index + rise).value


def test_read__row_of_the_present__is_taken_and_one_of_the_future_refused() -> None:
    assert len(read(row(SUPPLIED, 0), row(BORROWED, 0))) == 2
    with pytest.raises(SourceRefused, match="not yet known"):
        read(row(SUPPLIED, -1), row(BORROWED))


def test_read__row_as_old_as_it_may_be__is_taken_and_an_older_one_refused() -> None:
    assert len(read(row(SUPPLIED, 600), row(BORROWED))) == 2
    with pytest.raises(SourceRefused, match=r"newest row of usdc .* 601 s before"):
        read(row(SUPPLIED), row(BORROWED, 601))


def test_read__index_of_one__is_taken_and_one_below_refused() -> None:
    assert read(row(RAY), row(RAY)) == holdings(100_500_000_000_000_000_000, 120_000_123_456)
    with pytest.raises(SourceRefused, match="below one"):
        read(row(RAY - 1), row(RAY))


@pytest.mark.parametrize("text", ["0", "-1.5", "0.999999999999999999999999999"])
def test_read__index_that_cannot_be__is_refused(text: str) -> None:
    with pytest.raises(SourceRefused, match="below one"):
        read(row(SUPPLIED), row(text))


@pytest.mark.parametrize("data", [b"nonsense", b'{"time":1}', row("1." + "0" * 27 + "1"), row("1e3")])
def test_read__row_of_another_shape__is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedResult, match="recorded row is malformed"):
        read(data, row(BORROWED))


def test_read__no_row__is_no_balance_of_zero() -> None:
    with pytest.raises(EmptyResult):
        read(row(SUPPLIED), b"")


def test_read__epoch_and_component__are_those_of_the_configuration() -> None:
    supplies = [{**SUPPLY, "component": "cash"}]
    (supplied, owed) = read(row(RAY), row(RAY), supplies=supplies, epoch=3)
    assert (supplied.component, supplied.epoch, owed.epoch) == (Component.CASH, 3, 3)


def test_assets__two_sides__are_asked_for_prices() -> None:
    assert lending().assets == (("WETH", "asset"), ("USDC", "debt"))


def test_read__series_of_a_file__never_looks_ahead() -> None:
    """The reader behind the series answers what was known, with every place."""
    times, figures = (Timestamp(NOW - 60), Timestamp(NOW + 1)), (SUPPLIED, SUPPLIED + RAY)
    series = Series("x", 60, times, figures, 27)  # type: ignore[arg-type]
    reader = RecordedReader({"weth": series})
    answer = reader.answer(WETH, Timestamp(NOW))
    assert read(answer.data, row(BORROWED))[0] == holdings(101_067_404_867_465_085_000, 0)[0]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"supplies": [], "debts": []}, "neither supplies nor debts"),
        ({"supplies": [SUPPLY, SUPPLY]}, "supplied twice"),
        ({"debts": [LOAN, {**LOAN, "index": "other"}]}, "owed twice"),
        ({"debts": [{**LOAN, "scaled": "1.0000001"}]}, "more places"),
        ({"debts": [{**LOAN, "scaled": 1}]}, "in quotes"),
        ({"supplies": [{**SUPPLY, "component": "debt"}]}, "component"),
        ({"max_age": 0}, "greater than 0"),
    ],
)
def test_model__contradiction__is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        lending(**changes)


def test_model__described__is_itself_again() -> None:
    """Evidence rebuilds the reader from its description, in which integers are decimal strings."""
    reader = lending(epoch=7)
    described = json.loads(json.dumps(reader.describe()), parse_int=str)
    assert MODELS.validate_python(described) == reader
