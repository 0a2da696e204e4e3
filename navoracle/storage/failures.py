"""From the database's errors to a StoreError with a remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, StatementError

from navoracle.domain.errors import LeaseLost, StoreError
from navoracle.storage.backend import Backend


@contextmanager
def store_errors(backend: Backend) -> Iterator[None]:
    """Raise the database's errors as StoreError; the message names the database."""
    try:
        yield
    except DBAPIError as error:
        message, advice = backend.explain(error)
        raise StoreError(f"{backend.place}: {message}", advice=advice) from error
    except StatementError as error:
        raise StoreError(
            f"{backend.place}: a value cannot be stored: {error.orig}",
            advice="Report this as a defect; nothing was written.",
        ) from error


def outcome_unknown(backend: Backend, error: DBAPIError) -> StoreError:
    """The connection broke while a write was being made final: kept whole or not at all, and nobody knows which."""
    message, _ = backend.explain(error)
    return StoreError(
        f"{backend.place}: it is not known whether the write was kept: {message}",
        advice="The keeper repeats it, which is safe. Look with `navoracle history` before you repeat it by hand.",
    )


def lease_lost(what: str) -> LeaseLost:
    """Another keeper has the slot or the lane."""
    return LeaseLost(
        f"{what} is no longer this keeper's: its lease ran out and another one took over, or it was given up",
        advice="Nothing was written. The keeper that has it goes on; if this happens often, this one is too slow for "
        "its lease: look at its machine, or make the lease longer.",
    )


def defect(message: str) -> StoreError:
    """The keeper asked for what cannot be."""
    return StoreError(message, advice="Report this as a defect of the keeper; nothing was written.")
