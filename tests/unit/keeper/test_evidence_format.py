"""The format of evidence is the shape of its records: one that gains or loses a field makes old ones seem forged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from navoracle.domain.frame import EVIDENCE_FORMAT, FundFrame, ReadRecord
from navoracle.domain.prices import AggregationPolicy, PriceEstimate, Quote
from navoracle.domain.prior import Prior
from navoracle.keeper.evidence import canonical, evidence_hash
from navoracle.keeper.plan import FundPlan

ROOTS: Final = (FundFrame, Prior, Quote, PriceEstimate, AggregationPolicy, ReadRecord)
OF_THE_PLAN: Final = ("fees", "guards", "publisher", "gate", "reporting")
"""Parts of a fund's plan that are records; readers describe themselves."""

SHAPES: Final = {5: "5b4cb7ebfb70948f"}


def field_names(kind: type) -> tuple[str, ...]:
    """The fields of a record, of either kind that a document holds; none of any other type."""
    if is_dataclass(kind):
        return tuple(field.name for field in fields(kind))
    return tuple(getattr(kind, "_fields", ()))


def records_in(hint: Any) -> Iterator[type]:
    """The records that a type names, inside unions, mappings and sequences too."""
    if isinstance(hint, type) and field_names(hint):
        yield hint
    elif get_origin(hint) is not None or isinstance(hint, UnionType):
        for inner in get_args(hint):
            yield from records_in(inner)


def shape() -> list[tuple[str, ...]]:
    """Every record that a document can hold: its name and its fields. Where a record is defined is no part of it."""
    hints = get_type_hints(FundPlan)
    reached = [*ROOTS, *(each for name in OF_THE_PLAN for each in records_in(hints[name]))]
    seen = set[type]()
    while reached:
        record = reached.pop()
        if record not in seen:
            seen.add(record)
            reached += [each for hint in get_type_hints(record).values() for each in records_in(hint)]
    return sorted((each.__qualname__, *field_names(each)) for each in seen)


def test_format__fields_of_the_records__are_those_that_it_was_given_for() -> None:
    found = evidence_hash(canonical(shape())).hex()[:16]
    assert SHAPES.get(EVIDENCE_FORMAT) == found, (
        "the records of evidence changed: raise EVIDENCE_FORMAT, tell in the changelog, pin this"
    )


def test_shape__of_the_documents__reaches_the_bounds_of_posts_and_the_risks() -> None:
    known = shape()
    assert ("PostBounds", "up_bps", "down_bps", "day_bps", "max_age") in known
    assert {name for name, *_ in known} >= {"RiskReport", "GateDecision", "FundPrior", "PriceEstimate", "FundValuation"}
