"""Everything off chain behind one port: recorded series and documents, HTTP services, exchanges."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from navoracle.config.models import Config
from navoracle.config.services import ExchangeSection
from navoracle.domain.units import Timestamp
from navoracle.ports import Answer, ExchangeCall, HttpGet, OffChainRequest
from navoracle.recorded.reader import RecordedReader
from navoracle.recorded.series import Series, load_series
from navoracle.web.exchanges import ExchangeAccount, ExchangeReader
from navoracle.web.http import Credential, HttpLimits, HttpReader


class OffChainServices:
    """Sends each request to the adapter of its kind, all at once. Implements `ports.OffChainReader`.

    Args:
        http, exchanges: the adapters of live services; None where only what is recorded may answer.
    """

    def __init__(
        self, recorded: RecordedReader, http: HttpReader | None = None, exchanges: ExchangeReader | None = None
    ) -> None:
        self._recorded = recorded
        self._http = http
        self._exchanges = exchanges

    async def read(self, requests: Sequence[OffChainRequest], now: Timestamp) -> tuple[Answer, ...]:
        """Answer all requests, in order; a live service that is not there answers that nothing is recorded of it.

        Raises:
            ConfigurationError: a request names a recorded series that is not configured, or a document outside the
                folder.
        """
        return tuple(await asyncio.gather(*(self._answer(request, now) for request in requests)))

    async def close(self) -> None:
        """Give up connections."""
        for adapter in (self._http, self._exchanges):
            if adapter is not None:
                await adapter.close()

    async def _answer(self, request: OffChainRequest, now: Timestamp) -> Answer:
        match request:
            case HttpGet() if self._http is not None:
                return await self._http.answer(request)
            case ExchangeCall() if self._exchanges is not None:
                return await self._exchanges.answer(request)
            case _:
                return self._recorded.answer(request, now)


def load_recorded(config: Config) -> dict[str, Series]:
    """The recorded series of a configuration, by name. Raises UsageError for a file that cannot be read."""
    return {
        name: load_series(section.file, step=section.step, column=section.column, places=section.places)
        for name, section in config.recorded.items()
    }


def off_chain_services(config: Config, recorded: RecordedReader, *, live: bool = True) -> OffChainServices:
    """The services that a configuration names; with `live` off only what is recorded answers.

    Raises:
        ConfigurationError: an exchange is configured that cannot be reached through ccxt, or ccxt is not installed.
    """
    if not live:
        return OffChainServices(recorded)
    credentials = {
        name: Credential(section.header, section.value.get_secret_value())
        for name, section in config.credentials.items()
    }
    limits = HttpLimits(
        deadline=config.http.deadline, concurrency=config.http.concurrency, per_second=config.http.per_second
    )
    accounts = {name: _account(section) for name, section in config.exchanges.items()}
    return OffChainServices(recorded, HttpReader(credentials, limits), ExchangeReader(accounts) if accounts else None)


def _account(section: ExchangeSection) -> ExchangeAccount:
    return ExchangeAccount(
        id=section.id,
        secrets={name: secret.get_secret_value() for name, secret in section.credentials.items()},
        options=section.options,
        sandbox=section.sandbox,
        deadline=section.deadline,
    )
