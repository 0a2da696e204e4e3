"""A chain's nodes in the configuration: one URL or a list of endpoints, and a quorum that can be reached."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from navoracle.cli.config import config_document
from navoracle.config.chains import ChainSection
from navoracle.config.loading import parse_config

KEY = "0123456789abcdef"
ONE, TWO = f"https://one.example/v2/{KEY}", f"wss://two.example/{KEY}"


def section(**fields: Any) -> ChainSection:
    return ChainSection.model_validate({"chain_id": 1, **fields})


def test_nodes__rpc__is_short_for_one_endpoint() -> None:
    (node,) = section(rpc=ONE).nodes
    assert (node.url.get_secret_value(), node.operated_by, node.concurrency) == (ONE, "one.example", 8)
    assert (node.pin, node.requests_per_second) == (None, None)


def test_nodes__endpoints__are_as_they_are_written() -> None:
    written = [
        {"url": ONE},
        {"url": TWO, "operator": "us", "requests_per_second": 25, "concurrency": 2, "pin": "number"},
    ]
    one, two = section(endpoints=written, quorum=2).nodes
    assert (one.operated_by, two.operated_by) == ("one.example", "us")
    assert (two.requests_per_second, two.concurrency, two.pin) == (25, 2, "number")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "give either `rpc`"),
        ({"endpoints": []}, "give either `rpc`"),
        ({"rpc": ONE, "endpoints": [{"url": TWO}]}, "and not both"),
        ({"rpc": ONE, "quorum": 2}, "quorum is 2 and there are 1 operators"),
        ({"endpoints": [{"url": ONE}, {"url": ONE + "2"}], "quorum": 2}, "there are 1 operators"),
        ({"endpoints": [{"url": ONE}, {"url": TWO}], "quorum": 3}, "lower the quorum"),
        (
            {"endpoints": [{"url": ONE, "operator": "us"}, {"url": TWO, "operator": "us"}], "quorum": 2},
            "name their `operator`",
        ),
        ({"endpoints": [{"url": ONE}, {"url": TWO}, {"url": ONE}]}, r"endpoints.2: the same URL is listed before"),
        ({"rpc": ""}, "it is no URL of a node"),
        ({"rpc": f"one.example/{KEY}"}, "it is no URL of a node"),
        ({"rpc": f"https://[{KEY}"}, "it is no URL of a node"),
        ({"endpoints": [{"url": ONE}, {"url": f"ftp://two.example/{KEY}"}]}, "it is no URL of a node"),
        ({"endpoints": [{"url": ONE}, {"url": "https://one.example./x"}], "quorum": 2}, "there are 1 operators"),
        ({"rpc": ONE, "quorum": 0}, "quorum"),
        ({"rpc": ONE, "max_lag": -1}, "max_lag"),
        ({"rpc": ONE, "max_head_age": 0}, "max_head_age"),
        ({"endpoints": [{"url": ONE, "concurrency": 0}]}, "concurrency"),
        ({"endpoints": [{"url": ONE, "requests_per_second": 0}]}, "requests_per_second"),
        ({"endpoints": [{"url": ONE, "speed": 1}]}, "speed"),
    ],
)
def test_section__that_cannot_work__is_refused_with_the_remedy_and_without_the_key(
    fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        section(**fields)
    shown = "; ".join(f"{problem['loc']} {problem['msg']}" for problem in caught.value.errors(include_input=False))
    assert words in shown
    assert KEY not in shown


def test_section__shown__hides_urls() -> None:
    shown = section(endpoints=[{"url": ONE}, {"url": TWO}])
    assert KEY not in repr(shown) + str(shown.model_dump(mode="json"))


def test_config_document__endpoints__are_shown_without_their_secrets() -> None:
    fund = {
        "id": 1,
        "supply": {"kind": "fixed", "shares": "1"},
        "positions": [{"kind": "declared", "asset": "USD", "component": "cash", "amount": "1"}],
    }
    chains = {"short": {"chain_id": 1, "rpc": ONE}, "long": {"chain_id": 2, "endpoints": [{"url": ONE}, {"url": TWO}]}}
    config = parse_config({"assets": {}, "funds": {"one": fund}, "chains": chains}, "test")
    shown = config_document(config, SecretStr("sqlite:///a.db"))["chains"]
    assert shown["short"]["rpc"] == "https://one.example/***"
    assert [endpoint["url"] for endpoint in shown["long"]["endpoints"]] == [
        "https://one.example/***",
        "wss://two.example/***",
    ]
    assert KEY not in str(shown)


def test_section__shown_with_two_urls_of_one_host__can_be_read_again() -> None:
    written = {"chain_id": 1, "endpoints": [{"url": ONE}, {"url": f"{ONE}2"}]}
    raw = {
        "chains": {"home": written},
        "assets": {},
        "funds": {
            "one": {
                "id": 1,
                "supply": {"kind": "fixed", "shares": "1"},
                "positions": [{"kind": "declared", "asset": "USD", "component": "cash", "amount": "1"}],
            }
        },
    }
    shown = config_document(parse_config(raw, "test"), SecretStr("sqlite://"))
    assert [node.operated_by for node in parse_config(shown, "shown").chains["home"].nodes] == ["one.example"] * 2
