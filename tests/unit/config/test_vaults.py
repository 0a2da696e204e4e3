"""A fund with a vault of its own: what contradicts the vault is refused, and named with both places."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from navoracle.composition.plans import subject_of
from navoracle.config.models import Config
from navoracle.positions import FundVaultState
from tests.unit.addresses import address

VAULT, OTHER, TOKEN, FEED, REGISTRY = (address(number) for number in range(1, 6))


def configuration(**changes: Any) -> dict[str, Any]:
    """One fund with a vault; `changes` replace fields of the fund, those that are None are left out."""
    fund: dict[str, Any] = {
        "id": 1,
        "chain": "home",
        "vault": {"chain": "home", "contract": VAULT},
        "supply": {"kind": "erc20", "chain": "home", "token": VAULT},
        "positions": [position()],
    }
    home = changes.pop("home_chain", "home")
    fund |= changes
    chain = {"chain_id": 1, "rpc": "http://127.0.0.1:8545", "registry": REGISTRY}
    source = {"kind": "chainlink", "group": "a", "chain": "home", "feed": FEED, "heartbeat": 3_600}
    return {
        "home_chain": home,
        "chains": {"home": chain, "away": {**chain, "chain_id": 2}},
        "assets": {"USDC": {"min_sources": 1, "sources": [source]}},
        "funds": {"pool": {name: value for name, value in fund.items() if value is not None}},
    }


def position(vault: str = VAULT, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "fund_vault",
        "id": "vault",
        "chain": "home",
        "asset": "USDC",
        "vault": vault,
        "underlying": TOKEN,
        **changes,
    }


CASH = {
    "kind": "erc20",
    "id": "c",
    "chain": "home",
    "asset": "USDC",
    "component": "cash",
    "token": TOKEN,
    "holder": OTHER,
}


def test_vault__that_fits__is_the_plans_and_named_after_its_fund() -> None:
    subject = subject_of(Config.model_validate(configuration()))
    vault = subject.funds["pool"].vault
    assert isinstance(vault, FundVaultState)
    assert (vault.id, vault.chain, vault.contract, vault.is_resolved) == ("pool.vault.state", "home", VAULT, False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"fees": {"management_rate": "0.02"}},
            r"funds.pool.vault: the vault has the fee terms; leave funds.pool.fees",
        ),
        ({"chain": "away"}, "posted to away, its vault is on home"),
        ({"chain": None}, "posted to no registry, its vault is on home"),
        ({"home_chain": "away"}, "home_chain is away; .* must be home"),
        ({"positions": [CASH]}, "exactly one position of kind fund_vault"),
        ({"positions": [position(OTHER)]}, "exactly one position of kind fund_vault"),
        ({"positions": [position(), position(id="again")]}, "exactly one position of kind fund_vault"),
        ({"supply": {"kind": "erc20", "chain": "home", "token": OTHER}}, "supply must be erc20 of"),
        ({"supply": {"kind": "fixed", "shares": "1"}}, "supply must be erc20 of"),
        ({"vault": None}, "funds.pool.vault: positions read the vault"),
        ({"vault": {"chain": "home", "contract": VAULT, "fees": 1}}, "fees"),
    ],
)
def test_vault__that_contradicts_its_fund__is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Config.model_validate(configuration(**changes))


def test_fees__written_as_the_defaults__are_no_contradiction() -> None:
    assert Config.model_validate(configuration(fees={"management_rate": "0"})).funds["pool"].vault is not None
