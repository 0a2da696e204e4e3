"""Nothing is counted twice: whatever the kinds, two readers of one fund may not claim the same thing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from navoracle.composition.claims import check_claims
from navoracle.composition.resolving import resolve
from navoracle.domain.errors import ConfigurationError
from navoracle.domain.fees import FeeTerms
from navoracle.domain.guard_policy import GuardPolicy
from navoracle.domain.units import Timestamp
from navoracle.keeper.plan import FundPlan
from navoracle.keeper.planner import Subject
from navoracle.positions import FixedSupply, PositionModel
from navoracle.positions.base import Claim
from navoracle.positions.erc20 import NATIVE_COINS
from navoracle.testing import FakeChain, FakeOffChain, block_stamp
from tests.unit.addresses import address
from tests.unit.keeper.fakes import Scripted

MODEL: TypeAdapter[Any] = TypeAdapter(PositionModel)
NOW = Timestamp(1_700_000_000)
CHAIN_IDS = {"home": 1, "mainnet": 1, "other": 10}
TOKEN, HOLDER, THIRD = address(0xAA), address(0xBB), address(0xCC)

Make = Callable[[str, str, str, str], Any]
"""A resolved position of an id, chain, contract and holder."""


def erc20(name: str, chain: str, token: str, holder: str) -> Any:
    return _position("erc20", name, chain, holder, component="cash", token=token, decimals=6)


def erc4626(name: str, chain: str, vault: str, holder: str) -> Any:
    options = {"component": "collateral", "underlying": THIRD, "underlying_decimals": 6}
    return _position("erc4626", name, chain, holder, vault=vault, **options)


def native(name: str, chain: str, _: str, holder: str) -> Any:
    return _position("native", name, chain, holder, component="cash")


def erc7540(name: str, chain: str, vault: str, holder: str) -> Any:
    return _position("erc7540", name, chain, holder, vault=vault, underlying=THIRD, underlying_decimals=6)


def cooldown(name: str, chain: str, vault: str, holder: str) -> Any:
    return _position("susde_cooldown", name, chain, holder, vault=vault, underlying=THIRD, underlying_decimals=18)


def lido(name: str, chain: str, queue: str, holder: str) -> Any:
    return _position("lido_withdrawals", name, chain, holder, queue=queue, steth=THIRD)


def weeth(name: str, chain: str, nft: str, holder: str) -> Any:
    return _position("weeth_withdrawals", name, chain, holder, nft=nft, liquidity_pool=THIRD, token_ids=[1])


def merkl(name: str, chain: str, distributor: str, holder: str) -> Any:
    rewards = [{"asset": "A", "token": THIRD}]
    return MODEL.validate_python(
        {"kind": "merkl", "id": name, "chain": chain, "holder": holder, "distributor": distributor, "rewards": rewards}
    )


def aave(name: str, chain: str, controller: str, holder: str) -> Any:
    rewards = [{"asset": "A", "token": THIRD, "strategy": THIRD}]
    fields = {"kind": "aave_rewards", "id": name, "chain": chain, "holder": holder, "controller": controller}
    return MODEL.validate_python({**fields, "earning": [THIRD], "rewards": rewards})


def _position(kind: str, name: str, chain: str, holder: str, **fields: Any) -> Any:
    return MODEL.validate_python({"kind": kind, "id": name, "asset": "A", "chain": chain, "holder": holder, **fields})


BALANCES: tuple[Make, ...] = (erc20, erc4626)
"""Kinds that count a holder's balance of a contract's token."""
KINDS: tuple[Make, ...] = (*BALANCES, native, erc7540, cooldown, lido, weeth, merkl, aave)


def fund(name: str, *positions: Any) -> FundPlan:
    supply = FixedSupply.model_validate({"kind": "fixed", "id": f"{name}.supply", "shares": "1"})
    return FundPlan(name, 1, None, positions, supply, FeeTerms(), GuardPolicy())


@given(
    st.sampled_from(KINDS),
    st.sampled_from(sorted(CHAIN_IDS)),
    st.sampled_from(sorted(CHAIN_IDS)),
    st.lists(st.sampled_from([TOKEN, HOLDER, THIRD]), min_size=4, max_size=4),
)
def test_check_claims__two_readers_of_one_kind__are_refused_exactly_when_they_read_the_same(
    make: Make, chain: str, other_chain: str, places: list[str]
) -> None:
    one = make("f.one", chain, places[0], places[1])
    other = make("f.other", other_chain, places[2], places[3])
    same = CHAIN_IDS[chain] == CHAIN_IDS[other_chain] and places[1] == places[3]
    if same and (make is native or places[0] == places[2]):
        with pytest.raises(ConfigurationError, match=r"fund f: f\.one and f\.other both count"):
            check_claims([fund("f", one, other)], CHAIN_IDS)
    else:
        assert check_claims([fund("f", one, other)], CHAIN_IDS) == ()


@given(st.sampled_from(BALANCES), st.sampled_from(BALANCES), st.sampled_from(["home", "mainnet"]))
def test_check_claims__two_readers_over_one_token_and_holder__are_refused_whatever_their_kinds(
    one: Make, other: Make, chain: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"balance of {HOLDER} in {TOKEN} on {chain}") as refusal:
        check_claims(
            [fund("f", one("f.a", "home", TOKEN, HOLDER), other("f.b", chain, TOKEN, HOLDER))],
            CHAIN_IDS,
        )
    assert "funds.f.positions" in refusal.value.advice


def test_check_claims__every_kind_beside_every_other__is_no_double_count_but_for_balances() -> None:
    """Shares, their requests, their cooldown and their rewards are different things of one contract and holder."""
    for one, other in combinations(KINDS, 2):
        if {one, other} in ({erc20, erc4626}, {lido, weeth}):  # no contract is both queues
            continue
        readers = [one("f.a", "home", TOKEN, HOLDER), other("f.b", "home", TOKEN, HOLDER)]
        assert check_claims([fund("f", *readers)], CHAIN_IDS) == ()


def aave_v3(name: str, account: str) -> Any:
    """One reserve: its aToken is TOKEN, its debt token THIRD."""
    tokens = {"reserve_id": 0, "decimals": 6, "a_token": TOKEN, "variable_debt_token": THIRD, "stable_debt_token": None}
    fields = {"kind": "aave_v3", "id": name, "chain": "home", "pool": TOKEN, "account": account, "tokens": [tokens]}
    return MODEL.validate_python({**fields, "reserves": [{"asset": "A", "token": THIRD}]})


def comet(name: str, account: str) -> Any:
    fields = {"kind": "compound_v3", "id": name, "chain": "home", "comet": TOKEN, "account": account}
    return MODEL.validate_python({**fields, "base": {"asset": "A", "token": THIRD}})


def pendle(kind: str, name: str, holder: str) -> Any:
    own: dict[str, dict[str, Any]] = {
        "pendle_lp": {"market": TOKEN},
        "pendle_sy": {"sy": TOKEN, "base_token": THIRD},
        "pendle_yt": {"yt": TOKEN, "sy": THIRD, "base_token": THIRD, "interest_asset": "A"},
    }
    return _position(kind, name, "home", holder, **own[kind])


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(aave_v3("f.other", HOLDER), id="an aToken beside the lending position"),
        pytest.param(comet("f.other", HOLDER), id="a base balance beside the market"),
        *(pytest.param(pendle(kind, "f.other", HOLDER), id=kind) for kind in ("pendle_lp", "pendle_yt", "pendle_sy")),
    ],
)
def test_check_claims__token_that_a_protocols_reader_counts__is_refused_as_a_balance_too(other: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"f.other both count balance of {HOLDER} in {TOKEN} on home"):
        check_claims([fund("f", erc20("f.balance", "home", TOKEN, HOLDER), other)], CHAIN_IDS)
    assert check_claims([fund("f", erc20("f.balance", "home", TOKEN, THIRD), other)], CHAIN_IDS) == ()


def test_check_claims__debt_token_beside_the_lending_position__is_refused() -> None:
    with pytest.raises(ConfigurationError, match="both count balance"):
        check_claims([fund("f", erc20("f.debt", "home", THIRD, HOLDER), aave_v3("f.aave", HOLDER))], CHAIN_IDS)


def test_check_claims__what_a_vault_lets_withdraw_beside_its_requests__is_refused() -> None:
    requests = erc7540("f.requests", "home", TOKEN, HOLDER)
    shares = erc4626("f.shares", "home", TOKEN, HOLDER)
    assert check_claims([fund("f", shares, requests)], CHAIN_IDS) == ()
    withdrawable = shares.model_copy(update={"realizable": "max_withdraw"})
    with pytest.raises(ConfigurationError, match=r"f\.shares and f\.requests both count redeem requests"):
        check_claims([fund("f", withdrawable, requests)], CHAIN_IDS)
    deposits = requests.model_copy(update={"flows": "deposit"})
    assert check_claims([fund("f", withdrawable, deposits)], CHAIN_IDS) == ()


@pytest.mark.parametrize("token", sorted(NATIVE_COINS))
def test_check_claims__native_coin_that_is_a_token_as_well__is_refused_beside_itself(token: str) -> None:
    as_token = erc20("f.token", "home", to_checksum_address(token), HOLDER)
    with pytest.raises(ConfigurationError, match=f"both count balance of {HOLDER} in native on home"):
        check_claims([fund("f", native("f.coin", "home", TOKEN, HOLDER), as_token)], CHAIN_IDS)


def test_check_claims__gas_reserve__is_no_other_balance() -> None:
    whole = native("f.all", "home", TOKEN, HOLDER)
    reserved = whole.model_copy(update={"id": "f.less", "gas_reserve": "1"})
    with pytest.raises(ConfigurationError, match="both count balance"):
        check_claims([fund("f", whole, reserved)], CHAIN_IDS)


@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_check_claims__addresses_in_other_letters__are_the_same(change: Callable[[str], str]) -> None:
    class Claimant(Scripted):
        @property
        def claims(self) -> tuple[Claim, ...]:
            return (Claim("home", change(TOKEN), change(HOLDER)),)

    with pytest.raises(ConfigurationError, match="both count"):
        check_claims([fund("f", erc20("f.a", "home", TOKEN, HOLDER), Claimant("f.b"))], CHAIN_IDS)


def test_check_claims__chain_name_without_an_id__stands_for_itself() -> None:
    pair = [erc20("f.a", "home", TOKEN, HOLDER), erc20("f.b", "mainnet", TOKEN, HOLDER)]
    assert check_claims([fund("f", *pair)], {}) == ()


def test_check_claims__two_funds_of_one_holder__are_warned_of_and_not_refused() -> None:
    funds = [fund(name, erc20(f"{name}.cash", "home", TOKEN, HOLDER)) for name in ("f", "g", "h")]
    (warning,) = check_claims(funds, CHAIN_IDS)
    assert "f.cash and g.cash and h.cash of different funds" in warning
    assert HOLDER.lower() in warning


def test_check_claims__readers_that_read_no_account__are_not_compared() -> None:
    assert check_claims([fund("f", Scripted("f.a"), Scripted("f.b"))], CHAIN_IDS) == ()


async def test_resolve__fund_that_counts_a_token_twice__is_refused_at_start() -> None:
    positions = (
        erc20("f.a", "home", TOKEN, HOLDER).model_copy(update={"decimals": None}),
        erc20("f.b", "mainnet", TOKEN, HOLDER),
    )
    subject = Subject("USD", None, {}, {"f": fund("f", *positions)})
    chain = FakeChain(block_stamp(NOW, chain="home"))
    chain.put(TOKEN, "decimals()", (), ("uint8",), 6)
    with pytest.raises(ConfigurationError, match=r"fund f: f\.a and f\.b both count"):
        await resolve(subject, {"home": chain}, FakeOffChain(), NOW, CHAIN_IDS)
