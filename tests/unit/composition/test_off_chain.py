"""The dispatcher of everything off chain: each request to the adapter of its kind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from navoracle.composition.off_chain import OffChainServices, off_chain_services
from navoracle.config.loading import parse_config
from navoracle.config.models import Config
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.units import Timestamp, Wad
from navoracle.ports import Answer, ExchangeCall, HttpGet, OffChainReader, OffChainRequest, RecordedRow
from navoracle.recorded.reader import RecordedReader
from navoracle.recorded.series import Series
from navoracle.web.exchanges import ExchangeReader
from navoracle.web.http import HttpReader

NOW = Timestamp(1_700_000_000)
GET = HttpGet("https://api.example/price")
ASK = ExchangeCall("venue", "fetch_ticker", "ETH/USDT")
ROW = RecordedRow("usdc")
NOTHING = Answer(b"", "source_down: nothing is recorded of it")


class Adapter:
    """Answers with its name once all of `together` are waiting; counts how often it was closed."""

    def __init__(self, name: bytes, barrier: asyncio.Barrier) -> None:
        self.name = name
        self.barrier = barrier
        self.closed = 0

    async def answer(self, request: OffChainRequest) -> Answer:
        async with asyncio.timeout(5):
            await self.barrier.wait()
        return Answer(self.name)

    async def close(self) -> None:
        self.closed += 1


def recorded() -> RecordedReader:
    return RecordedReader({"usdc": Series("usdc", 60, (Timestamp(NOW - 60),), (Wad(10**18),))})


def config(**sections: Any) -> Config:
    fund = {
        "id": 1,
        "supply": {"kind": "fixed", "shares": "1"},
        "positions": [{"kind": "declared", "asset": "USD", "component": "cash", "amount": "1"}],
    }
    return parse_config({"assets": {}, "funds": {"one": fund}, **sections}, "test")


async def read(reader: OffChainReader, requests: Sequence[OffChainRequest]) -> tuple[Answer, ...]:
    return await reader.read(requests, NOW)


async def test_read__requests_of_every_kind__go_to_their_adapters_at_once_and_come_back_in_order() -> None:
    barrier = asyncio.Barrier(3)
    http, exchanges = Adapter(b"http", barrier), Adapter(b"exchange", barrier)
    services = OffChainServices(recorded(), cast(HttpReader, http), cast(ExchangeReader, exchanges))
    found = await read(services, [ASK, ROW, GET, HttpGet("https://other.example/")])
    assert [answer.data for answer in found] == [b"exchange", found[1].data, b"http", b"http"]
    assert b'"price":"1.000000000000000000"' in found[1].data
    await services.close()
    assert (http.closed, exchanges.closed) == (1, 1)


async def test_read__replay_without_services__answers_that_nothing_is_recorded() -> None:
    services = off_chain_services(config(), recorded(), live=False)
    found = await read(services, [GET, ASK, ROW])
    assert found[:2] == (NOTHING, NOTHING)
    assert found[2].failure is None
    await services.close()


async def test_read__no_exchange_configured__answers_that_nothing_is_recorded() -> None:
    services = off_chain_services(config(), recorded())
    assert await read(services, [ASK]) == (NOTHING,)
    await services.close()


def test_services__exchange_that_ccxt_does_not_know__is_refused_at_start() -> None:
    with pytest.raises(ConfigurationError, match=r"exchanges\.venue\.id"):
        off_chain_services(config(exchanges={"venue": {"id": "nosuchvenue"}}), recorded())


def test_services__exchange_of_a_replay__is_not_even_loaded() -> None:
    off_chain_services(config(exchanges={"venue": {"id": "nosuchvenue"}}), recorded(), live=False)
