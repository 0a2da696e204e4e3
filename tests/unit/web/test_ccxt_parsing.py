"""What ccxt's own parsers make of answers in the shape that each exchange documents, and what readers make of that."""

from __future__ import annotations

import json
from typing import Any

import ccxt.async_support
import pytest

from navoracle.domain.errors import SourceRefused
from navoracle.domain.units import WAD, Bps
from navoracle.ports import Answer, ExchangeCall
from navoracle.positions.perpetual import check_unrealized, decode_perpetual
from navoracle.prices import ExchangeSource
from navoracle.services import decode_json
from navoracle.testing import drive, read_point
from navoracle.web.exchanges import ExchangeAccount, build_exchange, encode_answer

TICKER = ExchangeCall("venue", "fetch_ticker", "ETH/USDT")

KRAKEN = {
    "a": ["2000.12345678901234567890", "1", "1.000"],
    "b": ["2000.00000", "2", "2.000"],
    "c": ["2000.05000", "0.00080000"],
    "v": ["1920.83610601", "7954.00219674"],
    "p": ["1989.94668", "2022.90683"],
    "t": [23329, 80463],
    "l": ["1513.90000", "1513.90000"],
    "h": ["2219.90000", "2200.00000"],
    "o": "1980.40000",
}
BYBIT = {
    "symbol": "ETHUSDT",
    "bid1Price": "2000.00",
    "bid1Size": "2",
    "ask1Price": "2000.12",
    "ask1Size": "1",
    "lastPrice": "2000.05",
    "prevPrice24h": "1980.40",
    "price24hPcnt": "0.0099",
    "highPrice24h": "2219.9",
    "lowPrice24h": "1513.9",
    "turnover24h": "241390.07",
    "volume24h": "120.35",
    "usdIndexPrice": "2000.10",
}
COINBASE = {
    "product_id": "ETH-USDT",
    "bids": [{"price": "2000.00", "size": "2"}],
    "asks": [{"price": "2000.12", "size": "1"}],
}
COINBASE_PRODUCT = {
    "product_id": "ETH-USDT",
    "price": "2000.05",
    "price_percentage_change_24h": "0.99",
    "volume_24h": "120.35",
}
BINANCE_BOOK = {
    "symbol": "ETHUSDT",
    "bidPrice": "2000.00000000",
    "bidQty": "2.0",
    "askPrice": "2000.12000000",
    "askQty": "1.0",
}
BINANCE_24H = {
    **BINANCE_BOOK,
    "priceChange": "19.65",
    "priceChangePercent": "0.99",
    "weightedAvgPrice": "1990.0",
    "lastPrice": "2000.05",
    "openPrice": "1980.40",
    "highPrice": "2219.90",
    "lowPrice": "1513.90",
    "volume": "120.35",
    "quoteVolume": "241390.07",
    "openTime": 1_699_913_600_000,
    "closeTime": 1_699_999_990_123,
}
OKX = {
    "instType": "SPOT",
    "instId": "ETH-USDT",
    "last": "2000.05",
    "lastSz": "0.1",
    "askPx": "2000.12",
    "askSz": "1",
    "bidPx": "2000.00",
    "bidSz": "2",
    "open24h": "1980.4",
    "high24h": "2219.9",
    "low24h": "1513.9",
    "volCcy24h": "241390.07",
    "vol24h": "120.35",
    "ts": "1699999990123",
}
COINBASE_EXCHANGE = {
    "trade_id": 1,
    "price": "2000.05",
    "size": "0.1",
    "time": "2023-11-14T22:13:10.123Z",
    "bid": "2000.00",
    "ask": "2000.12",
    "volume": "120.35",
}
WITHOUT_TIME = [("kraken", KRAKEN), ("bybit", BYBIT), ("coinbase", COINBASE), ("binance", BINANCE_BOOK)]
WITH_TIME = [("binance", BINANCE_24H), ("okx", OKX), ("coinbaseexchange", COINBASE_EXCHANGE)]


def parsed(exchange_id: str, raw: dict[str, Any]) -> bytes:
    """What `fetch_ticker` makes of a raw answer, as JSON that crossed the wire."""
    exchange: Any = build_exchange("venue", ExchangeAccount(id=exchange_id))
    market = {"id": raw.get("symbol", "ETHUSDT"), "symbol": "ETH/USDT", "base": "ETH", "quote": "USDT", "spot": True}
    ticker = exchange.parse_ticker(exchange.parse_json(json.dumps(raw)), market)
    return encode_answer({**ticker, "symbol": "ETH/USDT"})


def quote_of(data: bytes) -> Any:
    fields = {"kind": "exchange", "id": "v", "asset": "ETH", "group": "v", "exchange": "venue", "symbol": "ETH/USDT"}
    source = ExchangeSource.model_validate({**fields, "quoted_in": "USDT"})
    return drive(source.read(read_point(1_700_000_000, chain=None)), {TICKER: Answer(data)})


@pytest.mark.parametrize(("exchange_id", "raw"), WITHOUT_TIME)
def test_parse__timestamp_is_none__on_exchanges_that_state_none(exchange_id: str, raw: dict[str, Any]) -> None:
    data = parsed(exchange_id, raw)
    assert json.loads(data)["timestamp"] is None
    quote = quote_of(data)
    assert (quote.claimed, quote.observed_at, quote.published_at) == (5_000, 1_699_999_700, None)


@pytest.mark.parametrize(("exchange_id", "raw"), WITH_TIME)
def test_parse__timestamp__is_the_exchanges_own(exchange_id: str, raw: dict[str, Any]) -> None:
    quote = quote_of(parsed(exchange_id, raw))
    assert (quote.confidence, quote.observed_at) == (8_000, 1_699_999_990)


@pytest.mark.parametrize(("exchange_id", "raw"), WITHOUT_TIME + WITH_TIME)
def test_parse__bid_and_ask__are_the_exchanges_own_text(exchange_id: str, raw: dict[str, Any]) -> None:
    found = json.loads(parsed(exchange_id, raw))
    assert all(value is None or isinstance(value, str | bool) for value in found.values())
    assert found["bid"].rstrip("0").rstrip(".") == "2000"
    assert found["ask"].rstrip("0") == ("2000.1234567890123456789" if exchange_id == "kraken" else "2000.12")


@pytest.mark.parametrize(("exchange_id", "raw"), [("okx", {**OKX, "bidPx": ""}), ("coinbase", COINBASE_PRODUCT)])
def test_parse__bid_may_be_none__and_the_source_refuses(exchange_id: str, raw: dict[str, Any]) -> None:
    data = parsed(exchange_id, raw)
    assert json.loads(data)["bid"] is None
    with pytest.raises(SourceRefused, match="has no bid"):
        quote_of(data)


def test_parse__every_exchange_named_here__is_known_to_ccxt() -> None:
    assert {name for name, _ in WITHOUT_TIME + WITH_TIME} <= set(ccxt.async_support.exchanges)


def test_parse__binance_futures_total__is_the_margin_balance_that_holds_the_profits_already() -> None:
    exchange: Any = build_exchange("venue", ExchangeAccount(id="binance"))
    asset = {"asset": "USDT", "walletBalance": "10000.0", "unrealizedProfit": "2000.0", "marginBalance": "12000.0"}
    raw = {"assets": [{**asset, "initialMargin": "1000.0", "availableBalance": "11000.0"}], "positions": []}
    found = json.loads(encode_answer(exchange.parse_balance_custom(raw, "linear")))
    assert found["USDT"]["total"] == "12000.0"


@pytest.mark.parametrize("exchange_id", ["kraken", "bybit", "binance", "okx"])
def test_parse__balance_of_which_only_free_is_known__has_no_total(exchange_id: str) -> None:
    exchange: Any = build_exchange("venue", ExchangeAccount(id=exchange_id))
    stated = {"USDT": {"free": "1.10", "used": None, "total": None}, "ETH": {"free": "1.1", "used": "0.2", "debt": "3"}}
    found = json.loads(encode_answer(exchange.safe_balance({"info": {"uid": 5}, **stated})))
    assert found["USDT"] == {"free": "1.10", "used": None, "total": None}
    assert found["ETH"] == {"free": "1.1", "used": "0.2", "total": "1.3", "debt": "3"}
    assert "info" not in found


BYBIT_INVERSE = {
    "positionIdx": 0,
    "symbol": "BTCUSD",
    "side": "Buy",
    "size": "60000",
    "positionValue": "1.2",
    "avgPrice": "50000",
    "markPrice": "60000.00",
    "liqPrice": "",
    "positionIM": "0.1",
    "positionMM": "0.0060044",
    "unrealisedPnl": "0.2",
    "tradeMode": 0,
    "positionBalance": "0",
    "updatedTime": "1697673600012",
}
OKX_ISOLATED = {
    "instId": "BTC-USDT-SWAP",
    "instType": "SWAP",
    "avgPx": "60000",
    "markPx": "61000",
    "margin": "1000",
    "mgnMode": "isolated",
    "mmr": "500",
    "notionalUsd": "122000",
    "pos": "200",
    "posId": "3",
    "posSide": "long",
    "upl": "2000",
    "imr": "",
    "cTime": "1633",
    "uTime": "1633",
}


@pytest.mark.parametrize(
    ("exchange_id", "symbol", "contract_size", "raw", "unrealized", "mode"),
    [
        ("bybit", "BTC/USD:BTC", "1", BYBIT_INVERSE, WAD // 5, None),
        ("okx", "BTC/USDT:USDT", "0.01", OKX_ISOLATED, 2_000 * WAD, "isolated"),
    ],
)
def test_parse__position__states_a_profit_that_its_own_figures_give(
    exchange_id: str, symbol: str, contract_size: str, raw: dict[str, Any], unrealized: int, mode: str | None
) -> None:
    exchange: Any = build_exchange("venue", ExchangeAccount(id=exchange_id))
    base, _, rest = symbol.partition("/")
    quote, _, settle = rest.partition(":")
    market = exchange.safe_market_structure(
        {
            "id": raw.get("symbol", raw.get("instId")),
            "symbol": symbol,
            "base": base,
            "quote": quote,
            "settle": settle,
            "contract": True,
            "swap": True,
            "type": "swap",
            "inverse": settle == base,
            "linear": settle == quote,
            "contractSize": contract_size,
        }
    )
    exchange.markets, exchange.markets_by_id = {symbol: market}, {market["id"]: [market]}
    (stated,) = decode_json(encode_answer([exchange.parse_position(raw, market)]), "answer")
    position = decode_perpetual("venue", stated)
    assert position is not None
    assert (position.unrealized, position.margin_mode, position.settle) == (unrealized, mode, settle)
    check_unrealized("venue", position, Bps(0))
