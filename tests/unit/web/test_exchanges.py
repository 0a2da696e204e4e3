"""Exchanges through ccxt: every number as the exchange's own text, every failure as one of two, no key in sight."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from ccxt.base import errors

from navoracle.domain.errors import ConfigurationError
from navoracle.ports import Answer, ExchangeCall
from navoracle.web.exchanges import ExchangeAccount, ExchangeReader, build_exchange, parse_exactly

SECRET = "s3cret-key-of-the-operator"
ACCOUNT = ExchangeAccount(id="fake", secrets={"apiKey": SECRET, "secret": SECRET[::-1]}, deadline=0.2)
TICKER = ExchangeCall("venue", "fetch_ticker", "ETH/USDT")


class FakeExchange:
    """An exchange that does what it is told, and remembers what it was asked."""

    def __init__(self, act: Callable[[], Awaitable[Any]]) -> None:
        self.act = act
        self.asked: list[tuple[Any, ...]] = []
        self.closed = 0

    async def fetch_ticker(self, symbol: str) -> Any:
        self.asked.append(("fetch_ticker", symbol))
        return await self.act()

    async def fetch_balance(self, params: dict[str, Any]) -> Any:
        self.asked.append(("fetch_balance", params))
        return await self.act()

    async def fetch_positions(self, symbols: None, params: dict[str, Any]) -> Any:
        self.asked.append(("fetch_positions", symbols, params))
        return await self.act()

    async def close(self) -> None:
        self.closed += 1


def answering(value: Any) -> Callable[[], Awaitable[Any]]:
    async def act() -> Any:
        return value

    return act


def raising(error: BaseException) -> Callable[[], Awaitable[Any]]:
    async def act() -> Any:
        raise error

    return act


def reader_of(exchange: FakeExchange) -> ExchangeReader:
    return ExchangeReader({"venue": ACCOUNT}, lambda name, account: exchange)


async def ask(act: Callable[[], Awaitable[Any]], request: ExchangeCall = TICKER) -> Answer:
    return await reader_of(FakeExchange(act)).answer(request)


async def test_answer__unified_result__is_json_of_text_sorted_without_the_raw_answer() -> None:
    result = {"b": 1.1, "a": {"info": {"uid": 5}, "x": None, "y": 10**30, "z": "1.10"}, "c": [True, 1e-7], "info": 1}
    assert await ask(answering(result)) == Answer(
        b'{"a":{"x":null,"y":"1000000000000000000000000000000","z":"1.10"},"b":"1.1","c":[true,"1e-07"]}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), object(), {1: 2}, b"x"])
async def test_answer__no_number_or_no_json__is_down(value: object) -> None:
    answer = await ask(answering({"bid": value}))
    assert answer.data == b""
    assert (answer.failure or "").startswith("source_down: venue: fetch_ticker: ccxt cannot read the answer")


async def test_answer__methods__are_asked_with_their_argument() -> None:
    exchange = FakeExchange(answering({}))
    reader = reader_of(exchange)
    for request in (
        TICKER,
        ExchangeCall("venue", "fetch_balance", "margin", 2),
        ExchangeCall("venue", "fetch_balance"),
        ExchangeCall("venue", "fetch_positions", "swap"),
    ):
        assert (await reader.answer(request)).failure is None
    assert exchange.asked == [
        ("fetch_ticker", "ETH/USDT"),
        ("fetch_balance", {"type": "margin"}),
        ("fetch_balance", {}),
        ("fetch_positions", None, {"type": "swap"}),
    ]


async def test_read__two_looks__are_two_questions() -> None:
    exchange = FakeExchange(answering({}))
    looks = [ExchangeCall("venue", "fetch_balance", "", look) for look in (1, 2)]
    assert await reader_of(exchange).read(looks) == (Answer(b"{}"), Answer(b"{}"))
    assert len(exchange.asked) == 2


@pytest.mark.parametrize("kind", [errors.AuthenticationError, errors.PermissionDenied, errors.AccountSuspended])
async def test_answer__wrong_key__is_unauthorized(kind: type[Exception]) -> None:
    answer = await ask(raising(kind('fake {"code":-2015,"msg":"Invalid API-key"}')))
    assert answer == Answer(
        b"", f'unauthorized: venue: fetch_ticker: {kind.__name__}: fake {{"code":-2015,"msg":"Invalid API-key"}}'
    )


@pytest.mark.parametrize(
    "error",
    [
        errors.RateLimitExceeded("slow down"),
        errors.ExchangeNotAvailable("maintenance"),
        errors.RequestTimeout("fake GET"),
        errors.BadSymbol("fake does not have market symbol ETH/USDT"),
        errors.NotSupported("fake fetchTicker() is not supported yet"),
        errors.ExchangeError("no"),
        OSError("broken pipe"),
        KeyError("bid"),
        TypeError("NoneType"),
        ValueError("invalid literal"),
        AttributeError("get"),
        ZeroDivisionError("division"),
    ],
)
async def test_answer__any_other_failure__is_down(error: Exception) -> None:
    answer = await ask(raising(error))
    assert answer.data == b""
    assert (answer.failure or "").startswith("source_down: venue: fetch_ticker: ")


async def test_answer__failure_that_repeats_keys_and_signed_addresses__hides_them() -> None:
    text = f"fake GET https://api.fake.example/v3/account?signature=0123abcd&k=1 {SECRET} {SECRET[::-1]} " + "x" * 9_999
    failure = (await ask(raising(errors.ExchangeNotAvailable(text)))).failure or ""
    assert "https://api.fake.example/***" in failure
    for hidden in (SECRET, SECRET[::-1], "signature", "0123abcd"):
        assert hidden not in failure
    assert len(failure) < 300
    assert SECRET not in repr(ACCOUNT)


async def test_answer__no_end__is_down_at_the_deadline() -> None:
    answer = await ask(asyncio.Event().wait)
    assert answer == Answer(b"", "source_down: venue: fetch_ticker: no answer within 0.2 s")


async def test_answer__shared_loading_ended_by_another_deadline__is_down_and_not_a_cancellation() -> None:
    answer = await ask(raising(asyncio.CancelledError()))
    assert answer == Answer(b"", "source_down: venue: fetch_ticker: the loading of markets was given up")


async def test_answer__cancelled_from_outside__is_cancelled() -> None:
    task = asyncio.create_task(ask(asyncio.Event().wait))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_answer__exchange_that_is_not_configured__is_down() -> None:
    answer = await ask(answering({}), ExchangeCall("other", "fetch_ticker", "ETH/USDT"))
    assert answer == Answer(b"", "source_down: exchanges.other is not configured")


async def test_close__then_another_question__makes_the_exchange_anew() -> None:
    made: list[FakeExchange] = []

    def make(name: str, account: ExchangeAccount) -> FakeExchange:
        made.append(FakeExchange(answering({})))
        return made[-1]

    reader = ExchangeReader({"venue": ACCOUNT}, make)
    await reader.answer(TICKER)
    await reader.close()
    await reader.answer(TICKER)
    assert [exchange.closed for exchange in made] == [1, 0]
    assert [len(exchange.asked) for exchange in made] == [1, 1]


def test_reader__another_event_loop__makes_the_exchange_anew() -> None:
    made: list[FakeExchange] = []

    def make(name: str, account: ExchangeAccount) -> FakeExchange:
        made.append(FakeExchange(answering({})))
        return made[-1]

    reader = ExchangeReader({"venue": ACCOUNT}, make)
    for _ in range(2):
        assert asyncio.run(reader.answer(TICKER)).failure is None
    assert [len(exchange.asked) for exchange in made] == [1, 1]


def test_build__ccxt_not_installed__is_a_configuration_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(ConfigurationError, match="ccxt is not installed") as refused:
        ExchangeReader({"venue": ExchangeAccount(id="kraken")})
    assert refused.value.advice == 'Run `pip install "navoracle[exchanges]"`.'


def test_build__unknown_exchange__is_refused_with_its_place_and_what_comes_near() -> None:
    with pytest.raises(ConfigurationError, match=r"exchanges\.venue\.id: ccxt .* knows no exchange binanc$") as refused:
        ExchangeReader({"venue": ExchangeAccount(id="binanc")})
    assert "binance" in refused.value.advice


def test_build__test_system_where_there_is_none__is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"exchanges\.venue\.sandbox: kraken has no test system"):
        ExchangeReader({"venue": ExchangeAccount(id="kraken", sandbox=True)})


def test_build__settings__reach_ccxt_with_the_rate_limiter_on() -> None:
    account = ExchangeAccount(
        id="bybit", secrets={"apiKey": "k", "secret": "s"}, options={"defaultSettle": "USDC"}, sandbox=True, deadline=7
    )
    exchange: Any = build_exchange("venue", account)
    assert (exchange.apiKey, exchange.secret, exchange.options["defaultSettle"]) == ("k", "s", "USDC")
    assert (exchange.enableRateLimit, exchange.timeout, exchange.isSandboxModeEnabled) == (True, 7_000, True)


def test_parse_exactly__fractions__stay_text() -> None:
    assert parse_exactly('{"a":0.10000000000000000001,"b":12345678901234567890}') == {
        "a": "0.10000000000000000001",
        "b": 12_345_678_901_234_567_890,
    }
