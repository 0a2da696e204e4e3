"""Credentials, exchanges and currencies in the configuration."""

from __future__ import annotations

from typing import Any

import pytest

from navoracle.config.loading import parse_config
from navoracle.config.models import Config
from navoracle.domain.errors import ConfigurationError

SECRET = "s3cret-key-of-the-operator"
GECKO = {"kind": "coingecko", "group": "cg", "coin": "ethereum"}
VENUE = {"kind": "exchange", "group": "venue", "exchange": "venue", "symbol": "ETH/USD"}
BALANCE = {"kind": "exchange_balance", "exchange": "venue", "currencies": [{"currency": "USD", "asset": "USD"}]}
CREDENTIALS = {"gecko": {"header": "x-cg-pro-api-key", "value": SECRET}}
EXCHANGES = {"venue": {"id": "kraken", "credentials": {"apiKey": SECRET, "secret": SECRET}, "options": {"a": 1}}}


def config(*sources: dict[str, Any], positions: list[dict[str, Any]] | None = None, **sections: Any) -> Config:
    assets = {"ETH": {"sources": list(sources), "min_sources": 1}} if sources else {}
    held = (
        [{"kind": "declared", "asset": "USD", "component": "cash", "amount": "1"}] if positions is None else positions
    )
    fund = {"id": 1, "supply": {"kind": "fixed", "shares": "1"}, "positions": held}
    return parse_config(
        {"assets": {**assets, **sections.pop("assets", {})}, "funds": {"one": fund}, **sections}, "test"
    )


def test_config__services_that_are_configured__are_accepted_and_their_secrets_hidden() -> None:
    found = config(
        {**GECKO, "credential": "gecko"}, VENUE, positions=[BALANCE], credentials=CREDENTIALS, exchanges=EXCHANGES
    )
    assert SECRET not in f"{found!r} {found.model_dump_json()}"
    assert found.credentials["gecko"].value.get_secret_value() == SECRET
    assert found.http.deadline == 10


@pytest.mark.parametrize(
    ("sources", "positions", "problem"),
    [
        ([{**GECKO, "credential": "gekco"}], None, "assets.ETH.sources.0.credential: gekco is not among credentials"),
        ([GECKO, VENUE], None, "assets.ETH.sources.1.exchange: venue is not among exchanges"),
        ([], [BALANCE], "funds.one.positions.0.exchange: venue is not among exchanges"),
    ],
)
def test_config__service_that_nobody_configured__is_refused_with_its_place(
    sources: list[dict[str, Any]], positions: list[dict[str, Any]] | None, problem: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        config(*sources, positions=positions, credentials=CREDENTIALS)
    assert problem in refused.value.message


@pytest.mark.parametrize(
    ("source", "currency"),
    [
        ({**VENUE, "symbol": "ETH/USDT"}, "USDT"),
        ({**GECKO, "vs_currency": "eur"}, "EUR"),
        ({"kind": "defillama", "group": "l", "coin": "coingecko:ethereum", "quoted_in": "USDT"}, "USD"),
    ],
)
def test_config__quote_is_usdt_and_not_usd__must_be_named(source: dict[str, Any], currency: str) -> None:
    base = {"USDT": {"sources": [{**GECKO, "coin": "tether"}], "min_sources": 1}}
    with pytest.raises(ConfigurationError, match=f"its price is in {currency}, not in "):
        config(source, assets=base, exchanges=EXCHANGES)


def test_config__quote_in_another_asset__is_converted_by_name() -> None:
    base = {"USDT": {"sources": [{**GECKO, "coin": "tether"}], "min_sources": 1}}
    found = config({**VENUE, "symbol": "ETH/USDT", "quoted_in": "USDT"}, assets=base, exchanges=EXCHANGES)
    assert found.assets["ETH"].sources[0].quoted_in == "USDT"


@pytest.mark.parametrize(
    "sections",
    [
        {"credentials": {"gecko": {"header": "x key", "value": SECRET}}},
        {"credentials": {"gecko": {"header": "x-key"}}},
        {"exchanges": {"venue": {"id": "Kraken"}}},
        {"exchanges": {"venue": {"id": "kraken", "apiKey": SECRET}}},
        {"exchanges": {"venue": {"id": "kraken", "credentials": {"api_key": SECRET}}}},
        {"http": {"deadline": 0}},
        {"exchanges": {"venue": {"id": "kraken", "options": {"apiKey": SECRET}}}},
        {"exchanges": {"venue": {"id": "kraken", "options": {"api_key": SECRET}}}},
        {"credentials": {"gecko": SECRET}},
        {"credentials": {"gecko": {"header": "x-key", "value": ""}}},
        {"credentials": {"gecko": {"header": "x-key", "value": SECRET + "\n"}}},
        {"credentials": {"gecko": {"header": "x-key", "value": SECRET + "\r\nHost: elsewhere"}}},
        {"exchanges": SECRET},
    ],
)
def test_config__section_of_another_form__is_refused_without_its_secret(sections: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        config(**sections)
    assert SECRET not in refused.value.message
