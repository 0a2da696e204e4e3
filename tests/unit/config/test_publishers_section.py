"""The section of publishers: what it refers to must be there, and each contract takes one fund's NAV."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from navoracle.config.loading import parse_config
from navoracle.domain.errors import ConfigurationError
from tests.unit.addresses import address

FUND = {
    "id": 1,
    "publisher": "veda",
    "supply": {"kind": "fixed", "shares": "1"},
    "positions": [{"kind": "declared", "asset": "USD", "component": "cash", "amount": "1"}],
}
SOURCE = {"kind": "recorded", "group": "one", "series": "usdc", "max_age": 60}
GOOD: dict[str, Any] = {
    "chains": {"home": {"chain_id": 1, "rpc": "https://node.example"}},
    "recorded": {"usdc": {"file": "usdc.csv"}},
    "assets": {"USDC": {"min_sources": 1, "sources": [SOURCE]}},
    "publishers": {
        "veda": {"kind": "veda", "chain": "home", "contract": address(1), "base": "USDC"},
        "feed": {"kind": "midas", "chain": "home", "contract": address(2)},
    },
    "funds": {"one": FUND},
}


def test_publishers__as_they_should_be__are_known_by_their_names() -> None:
    config = parse_config(GOOD, "file")
    assert {name: publisher.id for name, publisher in config.publishers.items()} == {"veda": "veda", "feed": "feed"}
    assert config.funds["one"].publisher == "veda"


def test_publishers__counting_in_the_unit_of_account__need_no_asset_of_that_name() -> None:
    raw = deepcopy(GOOD)
    raw["publishers"]["veda"]["base"] = "USD"
    assert parse_config(raw, "file").publishers["veda"].priced_in == ("USD",)


def test_fund_ids__of_two_publishers__may_be_the_same() -> None:
    raw = deepcopy(GOOD)
    raw["funds"]["two"] = {**FUND, "publisher": "feed"}
    assert set(parse_config(raw, "file").funds) == {"one", "two"}


@pytest.mark.parametrize(
    ("section", "name", "changes", "message"),
    [
        ("publishers", "veda", {"chain": "elsewhere"}, "publishers.veda: chain elsewhere is not among chains"),
        ("publishers", "veda", {"base": "EURC"}, "publishers.veda: EURC is not among assets; add it there"),
        ("publishers", "home", GOOD["publishers"]["feed"], "publishers.home: a chain has that name too; give"),
        ("funds", "one", {"publisher": "vedaa"}, "funds.one.publisher: vedaa is not among publishers; add it there"),
        ("funds", "one", {"chain": "home"}, "funds.one.publisher: the fund also has a chain;"),
        ("funds", "two", {**FUND, "id": 2}, "funds.two.publisher: veda takes the NAV of one; it knows one fund only"),
    ],
)
def test_publishers__that_do_not_fit_together__are_refused_with_place_and_remedy(
    section: str, name: str, changes: dict[str, Any], message: str
) -> None:
    raw = deepcopy(GOOD)
    raw[section][name] = {**raw[section].get(name, {}), **changes}
    with pytest.raises(ConfigurationError) as caught:
        parse_config(raw, "file")
    assert message in caught.value.message
    assert caught.value.advice
