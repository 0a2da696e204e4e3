"""ccxt itself over HTTP, against a server that answers as Kraken does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from navoracle.ports import ExchangeCall
from navoracle.web.exchanges import ExchangeAccount, ExchangeReader, build_exchange

pytestmark = pytest.mark.sockets

TICKER = ExchangeCall("venue", "fetch_ticker", "ETH/USD")
BALANCE = ExchangeCall("venue", "fetch_balance")
KEY = "bm90IGEga2V5IG9mIGFueWJvZHk="


class Venue:
    """Kraken's answers by path; `delay` seconds before each."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str]] = {}
        self.delay = 0.0
        self.asked: list[str] = []
        application = web.Application()
        application.router.add_route("*", "/{tail:.*}", self._handle)
        self.server = TestServer(application)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        await asyncio.sleep(self.delay)
        status, text = self.answers.get(request.path.rpartition("/")[2], (404, ""))
        return web.Response(text=text, status=status, content_type="application/json")

    def make(self, name: str, account: ExchangeAccount) -> Any:
        """ccxt's Kraken with its addresses and list of markets replaced."""
        exchange: Any = build_exchange(name, account)
        base = str(self.server.make_url("")).rstrip("/")
        exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], base)
        exchange.has["fetchCurrencies"] = False
        exchange.enableRateLimit = False  # a second between two questions

        async def fetch_markets(params: object = None) -> list[Any]:
            named = {"id": "XETHZUSD", "symbol": "ETH/USD", "base": "ETH", "quote": "USD", "type": "spot", "spot": True}
            return [exchange.safe_market_structure({**named, "baseId": "XETH", "quoteId": "ZUSD", "active": True})]

        exchange.fetch_markets = fetch_markets
        return exchange


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    venue = Venue()
    await venue.server.start_server()
    yield venue
    await venue.server.close()


@pytest.fixture
async def reader(venue: Venue) -> AsyncIterator[ExchangeReader]:
    account = ExchangeAccount(id="kraken", secrets={"apiKey": "key-of-nobody", "secret": KEY}, deadline=5)
    reader = ExchangeReader({"venue": account}, venue.make)
    yield reader
    await reader.close()


async def test_ticker__numbers_beyond_floating_point__arrive_as_they_were_sent(
    venue: Venue, reader: ExchangeReader
) -> None:
    sent = '{"a":[2000.1000000000000000055,"1","1"],"b":["2000.00","1","1"],"c":["2000.05","1"],"o":"1980.4"}'
    venue.answers["Ticker"] = (200, f'{{"error":[],"result":{{"XETHZUSD":{sent}}}}}')
    answer = await reader.answer(TICKER)
    assert answer.failure is None
    found = json.loads(answer.data)
    assert (found["ask"], found["bid"], found["timestamp"]) == ("2000.1000000000000000055", "2000.00", None)


async def test_balance__numbers__arrive_as_they_were_sent(venue: Venue, reader: ExchangeReader) -> None:
    text = '{"error":[],"result":{"XETH":{"balance":"1.10000000000000000001","hold_trade":"0.1"}}}'
    venue.answers["BalanceEx"] = (200, text)
    found = json.loads((await reader.answer(BALANCE)).data)
    assert found["ETH"]["total"] == "1.10000000000000000001"


async def test_balance__key_is_wrong__is_unauthorized(venue: Venue, reader: ExchangeReader) -> None:
    venue.answers["BalanceEx"] = (200, '{"error":["EAPI:Invalid key"],"result":null}')
    failure = (await reader.answer(BALANCE)).failure or ""
    assert failure.startswith("unauthorized: venue: fetch_balance: AuthenticationError: ")
    assert KEY not in failure


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (503, "<html>maintenance</html>"),
        (429, ""),
        (200, "<html>checking your browser</html>"),
        (200, '{"error":["EGeneral:Temporary lockout"],"result":null}'),
        (200, '{"error":[],"result":{"XETHZUSD":{}}}'),
        (200, '{"error":[],"result":'),
        (200, '{"error":[],"result":' + "[" * 300_000),
    ],
)
async def test_ticker__exchange_out_of_order__is_down_or_has_no_book(
    venue: Venue, reader: ExchangeReader, status: int, text: str
) -> None:
    venue.answers["Ticker"] = (status, text)
    answer = await reader.answer(TICKER)
    if answer.failure is None:
        assert json.loads(answer.data)["bid"] is None
    else:
        assert answer.failure.startswith("source_down: venue: fetch_ticker: ")


async def test_ticker__slow_exchange__ends_at_the_deadline_and_answers_again_later(venue: Venue) -> None:
    reader = ExchangeReader({"venue": ExchangeAccount(id="kraken", deadline=0.3)}, venue.make)
    venue.answers["Ticker"] = (200, '{"error":[],"result":{"XETHZUSD":{"a":["2"],"b":["1"],"c":["1"],"o":"1"}}}')
    try:
        venue.delay = 2.0
        assert (await reader.answer(TICKER)).failure == "source_down: venue: fetch_ticker: no answer within 0.3 s"
        venue.delay = 0.0
        await asyncio.sleep(1.1)  # the rate limiter's own pause between two questions
        assert (await reader.answer(TICKER)).failure is None
    finally:
        await reader.close()
