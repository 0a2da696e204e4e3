"""What a user declares of a setter: its arguments, its bounds, its interval, and where its value is found again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from navoracle.domain.conversions import integer_type
from navoracle.domain.errors import OutOfRange
from navoracle.domain.units import BPS, SCALES, Rounding, mul_div
from navoracle.publishers.peers.generic_views import (
    Declaration,
    LiteralValue,
    Result,
    View,
    check_integer,
    is_integer,
    literal,
)
from navoracle.readers import Decimals

RoundingName = Literal["down", "up", "nearest"]
ArgumentValue = Literal["price_per_share", "nav", "nav_before", "valuation_time", "confidence", "literal"]
AMOUNTS: Final = ("price_per_share", "nav", "nav_before")

Moment = Literal["before_block", "not_after_block", "not_before_block"]


class Argument(Declaration, frozen=True):
    """An argument of the setter, as the post fills it.

    A time is the valuation time plus an offset, never the clock's: a post that is encoded again is the same post.

    Attributes:
        value: what it is. Amounts are in the base asset; `confidence` is in bps; `valuation_time` in Unix seconds.
        scale: decimals of an amount.
        rounding: of an amount.
        offset: seconds added to a time.
        must_be: where a time must lie when the post is mined: strictly before the block's time, not after it, or not
            before it; a post waits for the first two, and is not sent when the third is too close.
        literal: the fixed value.
    """

    value: ArgumentValue
    scale: Decimals | None = None
    rounding: RoundingName = "down"
    offset: int = 0
    must_be: Moment | None = None
    literal: LiteralValue | None = None

    @model_validator(mode="after")
    def _check_argument(self) -> Self:
        if (self.scale is not None) != self.is_amount:
            raise ValueError(f"{self.value}: `scale` (decimals) belongs to an amount, and an amount needs it")
        if self.rounding != "down" and not self.is_amount:
            raise ValueError(f"{self.value}: `rounding` belongs to an amount")
        if (self.offset != 0 or self.must_be is not None) and self.value != "valuation_time":
            raise ValueError(f"{self.value}: `offset` and `must_be` belong to valuation_time")
        if (self.literal is not None) != (self.value == "literal"):
            raise ValueError(f"{self.value}: `literal` belongs to `value: literal`, and that needs it")
        return self

    @property
    def is_amount(self) -> bool:
        """Whether it is money or a price."""
        return self.value in AMOUNTS


class HeldView(View, frozen=True):
    """Where the contract says what it holds, and since when.

    Attributes:
        index: the place of the value in the answer (0 is the first).
        argument: which argument of the setter the value is; the only amount where it is not given.
        time_view: what answers the time, where that is another view.
        time_index: the place of the time in its answer.
        time: what that time is: of the block that the post was mined in, or a time argument of the post.
        time_argument: which argument of the setter the time is.
    """

    index: int = Field(default=0, ge=0)
    argument: int | None = Field(default=None, ge=0)
    time_view: View | None = None
    time_index: int = Field(ge=0)
    time: Literal["block", "argument"] = "block"
    time_argument: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _check_places(self) -> Self:
        check_integer(self.returns, self.index, f"the answer of {self.signature}")
        timed = self if self.time_view is None else self.time_view
        check_integer(timed.returns, self.time_index, f"the answer of {timed.signature}")
        if self.time_view is None and self.time_index == self.index:
            raise ValueError(f"{self.signature}: value and time are both at place {self.index}")
        if (self.time_argument is not None) != (self.time == "argument"):
            raise ValueError(f"{self.signature}: `time_argument` belongs to `time: argument`, and that needs it")
        return self


class Bounds(Declaration, frozen=True):
    """How far a value may lie from the one that the contract holds, and between which values; all inclusive.

    Attributes:
        up_bps, down_bps: the largest rise and fall in bps of the held value.
        rounding: how the contract rounds the size of the change in bps.
        delta: the largest change in the contract's units; `delta_view` is where the contract says it.
        minimum, maximum: the lowest and highest value, in the contract's units.
        delta_view: where the contract says `delta`.
    """

    up_bps: int | None = Field(default=None, ge=0)
    down_bps: int | None = Field(default=None, ge=0)
    rounding: RoundingName = "down"
    delta: int | None = Field(default=None, ge=0)
    delta_view: Result | None = None
    minimum: int | None = None
    maximum: int | None = None

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if self.delta is not None and self.delta_view is not None:
            raise ValueError("bounds: give `delta` or `delta_view`")
        if self.delta_view is not None and self.delta_view.view.places:
            raise ValueError("bounds: `delta_view` cannot ask for what is posted")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"bounds: minimum {self.minimum} is above maximum {self.maximum}")
        if self.rounding != "down" and self.up_bps is None and self.down_bps is None:
            raise ValueError("bounds: `rounding` is of a change in bps: give `up_bps` or `down_bps`")
        return self

    @property
    def are_relative(self) -> bool:
        """Whether a bound is measured in bps of the held value."""
        return self.up_bps is not None or self.down_bps is not None


class Interval(Declaration, frozen=True):
    """How long after the held value's time the contract takes the next.

    Attributes:
        seconds: how many must have passed.
        strict: whether they must be exceeded.
    """

    seconds: int = Field(gt=0)
    strict: bool = False

    @property
    def least(self) -> int:
        """The seconds at which a post is first taken."""
        return self.seconds + (1 if self.strict else 0)


def check_argument(argument: Argument, type_: str, place: int) -> None:
    """Raises ValueError: the argument is none of that type, or one whole unit at its scale does not fit it."""
    if argument.literal is not None:
        literal(type_, argument.literal)
        return
    if not is_integer(type_):
        raise ValueError(f"argument {place} is of type {type_}: {argument.value} needs an integer; else give a literal")
    if argument.scale is not None:
        try:
            integer_type(type_).check(SCALES[argument.scale], f"argument {place}: 1.0 at {argument.scale} decimals")
        except OutOfRange as error:
            raise ValueError(f"{error.message}. {error.advice}") from error


def check_held(held: HeldView, signature: str, arguments: Sequence[Argument]) -> None:
    """Raises ValueError: a view of the held value that does not say which of the setter's arguments it answers."""
    amounts = [place for place, argument in enumerate(arguments) if argument.is_amount]
    if not amounts:
        raise ValueError(f"{signature}: no argument is a price or a NAV")
    if held.argument is None and len(amounts) > 1:
        raise ValueError(f"{held.signature}: arguments {amounts} are amounts: say by `argument` which one it answers")
    if held.argument is not None and held.argument not in amounts:
        raise ValueError(f"{held.signature}: argument {held.argument} is no amount; those are {amounts}")
    time = held.time_argument
    if time is not None and (time >= len(arguments) or arguments[time].value != "valuation_time"):
        raise ValueError(f"{held.signature}: argument {time} is no valuation_time")


def check_places(view: View, types: Sequence[str]) -> None:
    """Raises ValueError: a view asks for an argument that the setter has not, or has of another type."""
    for place, wanted in view.places:
        if place >= len(types):
            raise ValueError(f"{view.signature}: the setter has no argument {place} (0 is the first)")
        if types[place] != wanted:
            raise ValueError(f"{view.signature} takes a {wanted}, the setter's argument {place} is a {types[place]}")


def scaled(a: int, b: int, denominator: int, rounding: RoundingName) -> int:
    """Return a x b / denominator with the named rounding; `nearest` rounds a half up.

    Raises:
        DomainError: the denominator is not positive.
    """
    if rounding == "nearest":
        return mul_div(2 * a * b + denominator, 1, 2 * denominator, Rounding.DOWN)
    return mul_div(a, b, denominator, Rounding.UP if rounding == "up" else Rounding.DOWN)


def change_bps(held: int, value: int, rounding: RoundingName) -> int:
    """Return the change from the held value in bps of it, signed, its size rounded as named.

    Raises:
        DomainError: the held value is not positive.
    """
    size = scaled(abs(value - held), BPS, held, rounding)
    return size if value >= held else -size
