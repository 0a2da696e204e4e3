"""Sources of one root in several groups: they would vote as often."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from navoracle.prices import Source
from navoracle.prices.roots import root_of, split_roots
from tests.unit.addresses import address

SOURCES: TypeAdapter[Source] = TypeAdapter(Source)
CHAIN: dict[str, Any] = {"chain": "local", "quoted_in": "USDC"}
POOL = {**CHAIN, "pool": address(1), "liquidity": 2, "min_liquidity": 1}
CURVE = {**POOL, "liquidity": "2", "min_liquidity": "1", "coin": address(2), "quote_coin": address(3)}
FIELDS: dict[str, dict[str, Any]] = {
    "chainlink": {"chain": "local", "feed": address(1), "heartbeat": 60},
    "redstone": {"chain": "local", "feed": address(1), "heartbeat": 60},
    "chronicle": {"chain": "local", "oracle": address(1), "heartbeat": 60},
    "api3": {"chain": "local", "proxy": address(1), "heartbeat": 60},
    "pyth": {"chain": "local", "contract": address(1), "price_id": "0x" + "ab" * 32},
    "hermes": {"base_url": "https://hermes.example", "price_id": "0x" + "cd" * 32},
    "curve_ema": CURVE,
    "uniswap_v3_twap": {**POOL, "token": address(2), "quote_token": address(3)},
    "exchange": {"exchange": "okx", "symbol": "ETH/USD"},
    "coingecko": {"coin": "ethereum"},
    "defillama": {"coin": "coingecko:ethereum"},
    "recorded": {"series": "eth", "max_age": 60},
}


def source(kind: str, group: str, **changes: Any) -> Source:
    fields = {"kind": kind, "id": f"{kind}.{group}", "asset": "ETH", "group": group, **FIELDS[kind], **changes}
    return SOURCES.validate_python(fields)


@pytest.mark.parametrize("kind", FIELDS)
def test_split_roots__one_provider_in_two_groups__is_named_and_in_one_group_is_not(kind: str) -> None:
    split = [source(kind, "b"), source(kind, "a")]
    assert split_roots(split) == {root_of(split[0]): ("a", "b")}
    assert split_roots([source(kind, "a", id="one"), source(kind, "a", id="two")]) == {}


@pytest.mark.parametrize(("one", "other"), [("pyth", "hermes"), ("coingecko", "defillama")])
def test_split_roots__the_same_prices_through_two_services__are_one_root(one: str, other: str) -> None:
    assert list(split_roots([source(one, "a"), source(other, "b")]).values()) == [("a", "b")]


def test_split_roots__all_other_kinds__are_roots_of_their_own() -> None:
    kinds = [kind for kind in FIELDS if kind not in ("hermes", "defillama")]
    assert split_roots(source(kind, kind) for kind in kinds) == {}
    assert set(FIELDS) == {
        get_args(model.model_fields["kind"].annotation)[0] for model in get_args(get_args(Source)[0])
    }


def test_split_roots__two_exchanges_or_series_or_feeds_of_chainlinks_shape__are_independent() -> None:
    assert split_roots([source("chainlink", "a"), source("chainlink", "b", feed=address(2))]) == {}
    assert split_roots([source("exchange", "a"), source("exchange", "b", exchange="kraken")]) == {}
    assert split_roots([source("recorded", "a"), source("recorded", "b", series="other")]) == {}
