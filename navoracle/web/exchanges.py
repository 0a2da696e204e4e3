"""Exchanges behind the off-chain port, through ccxt: a unified answer as JSON whose numbers are all text.

ccxt is an extra (`pip install "navoracle[exchanges]"`), loaded when an exchange is configured. It would turn numbers
into binary floating point; it is told to keep the exchange's own text, and what it computes itself is written out
exactly as it is. `info`, the exchange's raw answer, is left out: it names the account and repeats the rest.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, Protocol

from navoracle.domain.errors import ConfigurationError, SourceDown, Unauthorized
from navoracle.json_depth import require_shallow
from navoracle.ports import Answer, ExchangeCall
from navoracle.redaction import redact_parts

EXTRA: Final = "navoracle[exchanges]"
_LONGEST_REASON: Final = 200
_LONGEST_READ: Final = 2_000
_MISUNDERSTOOD: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What ccxt's parsers raise when an exchange answers in another shape than they know."""

# At DEBUG it prints requests with their keys and signatures.
logging.getLogger("ccxt.base.exchange").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class ExchangeAccount:
    """A configured exchange.

    Attributes:
        id: ccxt's name of the exchange.
        secrets: ccxt's credential fields ("apiKey", "secret", ...); shown nowhere.
        options: ccxt's `options` of the exchange.
        sandbox: ask the exchange's test system.
        deadline: seconds for one question, the loading of markets at the first one included.
    """

    id: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    sandbox: bool = False
    deadline: float = 30.0


class UnifiedExchange(Protocol):
    """The part of ccxt's unified interface that is asked."""

    async def fetch_ticker(self, symbol: str) -> Any:
        """A market's ticker."""

    async def fetch_balance(self, params: dict[str, Any]) -> Any:
        """An account's balances."""

    async def fetch_positions(self, symbols: None, params: dict[str, Any]) -> Any:
        """An account's open positions."""

    async def close(self) -> None:
        """Give up connections."""


class ExchangeReader:
    """Answers `ExchangeCall`, one deadline for each.

    `argument` is the market of a ticker; of balances and positions it is the account type ("spot", "swap", ...), or
    nothing for the exchange's own default. A wrong key is "unauthorized", everything else "source_down".

    Args:
        accounts: the configured exchanges by name.
        build: makes an exchange; None for ccxt's.

    Raises:
        ConfigurationError: ccxt is not installed, does not know an exchange, or the exchange has no test system.
    """

    def __init__(
        self,
        accounts: Mapping[str, ExchangeAccount],
        build: Callable[[str, ExchangeAccount], UnifiedExchange] | None = None,
    ) -> None:
        self._accounts = dict(accounts)
        self._build = build_exchange if build is None else build
        self._exchanges = {name: self._build(name, account) for name, account in self._accounts.items()}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def read(self, requests: Sequence[ExchangeCall]) -> tuple[Answer, ...]:
        """Answer all requests at once, in order."""
        return tuple(await asyncio.gather(*(self.answer(request) for request in requests)))

    async def answer(self, request: ExchangeCall) -> Answer:
        """Answer one request."""
        account = self._accounts.get(request.exchange)
        if account is None:
            return Answer(b"", f"{SourceDown.code}: exchanges.{request.exchange} is not configured")
        place = f"{request.exchange}: {request.method}"
        errors = _errors()
        try:
            async with asyncio.timeout(account.deadline):
                return Answer(encode_answer(await self._ask(request, account)))
        except TimeoutError:
            return Answer(b"", f"{SourceDown.code}: {place}: no answer within {account.deadline:g} s")
        except asyncio.CancelledError:
            # Questions share one loading of markets: where another one's deadline ended it, this one was not cancelled.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return Answer(b"", f"{SourceDown.code}: {place}: the loading of markets was given up")
        except errors.AuthenticationError as error:
            return Answer(b"", f"{Unauthorized.code}: {place}: {_reason(error, account)}")
        except (errors.BaseError, OSError) as error:
            return Answer(b"", f"{SourceDown.code}: {place}: {_reason(error, account)}")
        except _MISUNDERSTOOD as error:
            return Answer(b"", f"{SourceDown.code}: {place}: ccxt cannot read the answer ({type(error).__name__})")

    async def close(self) -> None:
        """Close all connections; the next question opens new ones."""
        exchanges, self._exchanges = self._exchanges, {}
        await asyncio.gather(*(exchange.close() for exchange in exchanges.values()))

    async def _ask(self, request: ExchangeCall, account: ExchangeAccount) -> Any:
        exchange = self._exchange(request.exchange, account)
        params = {"type": request.argument} if request.argument else {}
        match request.method:
            case "fetch_ticker":
                return await exchange.fetch_ticker(request.argument)
            case "fetch_balance":
                return await exchange.fetch_balance(params)
            case "fetch_positions":
                return await exchange.fetch_positions(None, params)

    def _exchange(self, name: str, account: ExchangeAccount) -> UnifiedExchange:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._loop is not None:
                self._exchanges = {}
            self._loop = loop
        if name not in self._exchanges:
            self._exchanges[name] = self._build(name, account)
        return self._exchanges[name]


def build_exchange(name: str, account: ExchangeAccount) -> UnifiedExchange:
    """ccxt's exchange, rate limiter on, told to keep numbers as text; `name` is the one in the configuration.

    Raises:
        ConfigurationError: as `ExchangeReader`.
    """
    ccxt = _module("ccxt.async_support")
    if account.id not in ccxt.exchanges:
        near = get_close_matches(account.id, ccxt.exchanges, n=3)
        raise ConfigurationError(
            f"exchanges.{name}.id: ccxt {ccxt.__version__} knows no exchange {account.id}",
            advice=f"Did you mean {' or '.join(near)}?" if near else "Use the exchange's id in ccxt's list.",
        )
    exchange = getattr(ccxt, account.id)(
        {
            **account.secrets,
            "options": dict(account.options),
            "enableRateLimit": True,
            "timeout": int(account.deadline * 1_000),
        }
    )
    exchange.number = str
    exchange.on_json_response = parse_exactly
    if account.sandbox:
        if exchange.urls.get("test") is None:
            raise ConfigurationError(
                f"exchanges.{name}.sandbox: {account.id} has no test system", advice="Remove `sandbox`."
            )
        exchange.set_sandbox_mode(True)
    unified: UnifiedExchange = exchange
    return unified


def parse_exactly(text: str) -> Any:
    """An exchange's JSON with its fractions as the text that they were written in; ccxt reads both.

    Raises:
        ValueError: it is none, or nested too deep to be read safely.
    """
    require_shallow(text.encode())
    return json.loads(text, parse_float=str)


def encode_answer(value: object) -> bytes:
    """A unified answer as JSON: numbers as text, null as null, names sorted, without `info`.

    Raises:
        ValueError: a number is not finite.
        TypeError: a value that is none of JSON's.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _plain(value: object) -> object:
    match value:
        case None | bool() | str():
            return value
        case int():
            return str(value)
        case float():
            if not math.isfinite(value):
                raise ValueError("a number is not finite")
            return repr(value)
        case dict():
            return {_name(key): _plain(item) for key, item in value.items() if key != "info"}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            raise TypeError(f"{type(value).__name__} is no JSON")


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{type(key).__name__} is no name")
    return key


def _reason(error: Exception, account: ExchangeAccount) -> str:
    """An exchange's own words, without what opens the account."""
    secrets = tuple(sorted((secret for secret in account.secrets.values() if secret), key=len, reverse=True))
    text = " ".join(str(error)[:_LONGEST_READ].split())
    if len(str(error)) > _LONGEST_READ:
        text = text.rpartition(" ")[0]  # half a secret would not be recognized
    words = redact_parts(text, secrets)
    return f"{type(error).__name__}: {words[:_LONGEST_REASON]}" if words else type(error).__name__


def _errors() -> Any:
    return _module("ccxt.base.errors")


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "exchanges are configured, and ccxt is not installed", advice=f'Run `pip install "{EXTRA}"`.'
        ) from error
