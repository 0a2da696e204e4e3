"""Recorded series and documents behind the off-chain port."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from navoracle.domain.errors import ConfigurationError
from navoracle.domain.units import Timestamp
from navoracle.ports import Answer, Document, ExchangeCall, HttpGet, OffChainRequest, RecordedRow
from navoracle.recorded.series import Series

EMPTY = Answer(b"", failure="empty_result")


class RecordedReader:
    """Answers `RecordedRow` from named series and `Document` from files under a folder.

    Implements `ports.OffChainReader`. Before a series' first row, and for a document that is not there, the answer is
    empty. Nothing that was not yet known is answered.

    Args:
        series: the series by the name that readers ask for.
        documents: the folder of the documents; None where there are none.
    """

    def __init__(self, series: Mapping[str, Series], documents: Path | None = None) -> None:
        self._series = dict(series)
        self._documents = None if documents is None else documents.resolve()

    async def read(self, requests: Sequence[OffChainRequest], now: Timestamp) -> tuple[Answer, ...]:
        """Answer all requests, in order.

        Raises:
            ConfigurationError: a series that was not loaded, or a document outside the folder.
        """
        return tuple(self.answer(request, now) for request in requests)

    def answer(self, request: OffChainRequest, now: Timestamp) -> Answer:
        """Answer one request; errors as in `read`."""
        match request:
            case RecordedRow(name):
                return self._row(name, now)
            case Document(path):
                return self._document(path)
            case HttpGet() | ExchangeCall():
                return Answer(b"", "source_down: nothing is recorded of it")

    def _row(self, name: str, now: Timestamp) -> Answer:
        series = self._series.get(name)
        if series is None:
            raise ConfigurationError(
                f"recorded series {name} was not loaded",
                advice=f"Load it, or use one of: {', '.join(sorted(self._series)) or 'none is loaded'}.",
            )
        found = series.latest(now)
        if found is None:
            return EMPTY
        return Answer(encode_row(found.time, decimal_text(found.price, series.places)))

    def _document(self, name: str) -> Answer:
        if self._documents is None:
            raise ConfigurationError(
                f"document {name} is asked for, but no folder of documents is configured",
                advice="Configure the folder that holds attestations.",
            )
        path = (self._documents / name).resolve()
        if not path.is_relative_to(self._documents):
            raise ConfigurationError(
                f"document {name} lies outside {self._documents}", advice="Name a file inside the folder."
            )
        try:
            return Answer(path.read_bytes())
        except FileNotFoundError:
            return EMPTY
        except OSError as error:
            return Answer(b"", failure=f"unreadable: {error.strerror}")


def decimal_text(value: int, places: int) -> str:
    """A positive integer scaled by 10**places as a decimal number with all of its places."""
    if not places:
        return str(value)
    digits = str(value).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}"


def encode_row(time: Timestamp, price: str) -> bytes:
    """A row as price sources expect it; `price` is a decimal number."""
    return json.dumps({"time": time, "price": price}, separators=(",", ":")).encode()
