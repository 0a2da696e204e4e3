"""Requests to asynchronous vaults: pending, claimable, claimed, and nothing lost on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from navoracle.abi import selector
from navoracle.domain.errors import SourceRefused
from navoracle.domain.positions import LIABILITIES, Component, Holding
from navoracle.domain.units import Bps, RawAmount
from navoracle.positions import Erc4626Position, Erc7540Requests
from navoracle.testing import Example, FakeChain, ReaderSpec, block_stamp, drive, read_point
from tests.unit.addresses import address

NOW = 1_700_000_000
AT = read_point(NOW)
VAULT, TOKEN, CONTROLLER = address(1), address(2), address(3)
WAD = 10**18


def reader(**changes: Any) -> Erc7540Requests:
    fields = {
        "kind": "erc7540",
        "id": "queue",
        "asset": "USDC",
        "chain": "local",
        "vault": VAULT,
        "holder": CONTROLLER,
        "underlying": TOKEN,
        "underlying_decimals": 6,
    }
    return Erc7540Requests.model_validate({**fields, **changes})


@dataclass
class Vault:
    """A vault of 18-decimal shares whose `rate` is assets per 1e18 shares; claimable redemptions have a fixed worth."""

    rate: int = 1_200_000
    assets: int = 0
    shares: int = 0
    pending_redeem: int = 0
    claimable_redeem: int = 0
    fixed_assets: int = 0
    pending_deposit: int = 0
    claimable_deposit: int = 0
    fixed_shares: int = 0

    def worth(self, shares: int) -> int:
        return shares * self.rate // WAD

    def world(self, request_id: int = 0) -> FakeChain:
        chain = FakeChain(block_stamp(NOW))
        chain.put(VAULT, "asset()", (), ("address",), TOKEN)
        chain.put(TOKEN, "decimals()", (), ("uint8",), 6)
        for name, amount in (
            ("pendingRedeemRequest", self.pending_redeem),
            ("claimableRedeemRequest", self.claimable_redeem),
            ("pendingDepositRequest", self.pending_deposit),
            ("claimableDepositRequest", self.claimable_deposit),
        ):
            chain.put(VAULT, f"{name}(uint256,address)", (request_id, CONTROLLER), ("uint256",), amount)
        chain.put(VAULT, "maxWithdraw(address)", (CONTROLLER,), ("uint256",), self.fixed_assets)
        chain.put(VAULT, "maxMint(address)", (CONTROLLER,), ("uint256",), self.fixed_shares)
        chain.put(VAULT, "balanceOf(address)", (CONTROLLER,), ("uint256",), self.shares)
        for shares in (self.pending_redeem, self.claimable_redeem, self.fixed_shares, self.shares):
            chain.put(VAULT, "convertToAssets(uint256)", (shares,), ("uint256",), self.worth(shares))
        return chain


def parts(chain: FakeChain, **changes: Any) -> dict[str, int]:
    found = drive(reader(**changes).read(AT), chain.answer)
    return {position.id.removeprefix("queue/"): amount_of(position) for position in found}


def amount_of(position: object) -> int:
    if not isinstance(position, Holding):
        raise TypeError(f"{position!r} is not a holding")
    return position.amount.value


class TestErc7540Spec(ReaderSpec):
    def example(self) -> Example:
        vault = Vault(
            pending_redeem=5 * WAD,
            claimable_redeem=4 * WAD,
            fixed_assets=4_400_000,
            pending_deposit=7_000_000,
            claimable_deposit=3_000_000,
            fixed_shares=2 * WAD,
        )
        expected = tuple(
            Holding(f"queue/{name}", Component.COLLATERAL, "USDC", RawAmount(amount, 6), confidence=Bps(confidence))
            for name, amount, confidence in (
                ("redeem pending", 6_000_000, 9_000),
                ("redeem claimable", 4_400_000, 10_000),
                ("deposit pending", 7_000_000, 10_000),
                ("deposit claimable", 2_400_000, 10_000),
            )
        )
        return Example(reader(), vault.world().good_answers(), AT, expected)


def test_erc7540__shares_that_left_the_balance__are_found_as_pending() -> None:
    vault = Vault(pending_redeem=10 * WAD)
    assert parts(vault.world())["redeem pending"] == 12_000_000


def test_erc7540__vault_loss_after_fulfilment__leaves_claimable_at_its_fixed_amount() -> None:
    vault = Vault(rate=900_000, claimable_redeem=400 * WAD, fixed_assets=440_000_000)
    assert vault.worth(400 * WAD) == 360_000_000
    assert parts(vault.world())["redeem claimable"] == 440_000_000


def test_erc7540__preview_redeem__is_never_asked_because_it_must_revert() -> None:
    asked: list[bytes] = []

    def answer(request: Any) -> Any:
        asked.append(request.data[:4])
        return Vault(pending_redeem=WAD).world().answer(request)

    drive(reader().read(AT), answer)
    assert selector("maxWithdraw(address)") in asked
    assert not {selector("previewRedeem(uint256)"), selector("previewDeposit(uint256)")} & set(asked)


def test_erc7540__request_ids_other_than_zero__are_summed() -> None:
    chain = Vault(pending_redeem=2 * WAD).world(7)
    for number, name in enumerate(("pendingRedeemRequest", "claimableRedeemRequest")):
        chain.put(VAULT, f"{name}(uint256,address)", (9, CONTROLLER), ("uint256",), (3 * WAD, 0)[number])
    chain.put(VAULT, "convertToAssets(uint256)", (5 * WAD,), ("uint256",), 6_000_000)
    assert parts(chain, request_ids=[7, 9], flows="redeem") == {"redeem pending": 6_000_000, "redeem claimable": 0}


@pytest.mark.parametrize(
    ("vault", "message"),
    [
        (Vault(claimable_redeem=WAD), "a redeem worth 1200000 is claimable"),
        (Vault(claimable_deposit=2), "a deposit worth 2 is claimable"),
        (Vault(fixed_assets=2), "no redeem request of .0. is claimable"),
        (Vault(fixed_shares=WAD), "no deposit request of .0. is claimable"),
    ],
)
def test_erc7540__paused_vault_or_unlisted_request__is_refused_not_counted_as_gone(vault: Vault, message: str) -> None:
    with pytest.raises(SourceRefused, match=message):
        parts(vault.world())


def test_erc7540__rest_of_a_claim_in_parts__is_no_contradiction() -> None:
    assert sum(parts(Vault(claimable_redeem=800_000_000_000).world()).values()) == 0
    assert parts(Vault(fixed_assets=1).world())["redeem claimable"] == 1


def test_erc7540__flow_that_the_vault_takes_at_once__is_not_asked() -> None:
    chain = Vault(pending_redeem=WAD).world()
    chain.revert(VAULT, "pendingDepositRequest(uint256,address)", 0, CONTROLLER)
    chain.revert(VAULT, "maxMint(address)", CONTROLLER)
    assert parts(chain, flows="redeem") == {"redeem pending": 1_200_000, "redeem claimable": 0}
    assert [claim.what for claim in reader(flows="deposit").claims] == ["deposit requests"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"request_ids": [0, 3]}, "0 stands for all"),
        ({"request_ids": [3, 3]}, "twice"),
        ({"request_ids": []}, "request_ids"),
        ({"flows": "none"}, "flows"),
        *(({"component": component.value}, "rounds a debt down") for component in LIABILITIES),
    ],
)
def test_configuration__wrong__is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        reader(**changes)


def test_claims__two_flows__are_the_controllers_requests() -> None:
    assert [(claim.contract, claim.account, claim.what) for claim in reader().claims] == [
        (VAULT, CONTROLLER, "redeem requests"),
        (VAULT, CONTROLLER, "deposit requests"),
    ]


def total(vault: Vault) -> int:
    """Everything that the fund has: assets in hand, shares in hand, requests in every state."""
    chain = vault.world()
    shares = Erc4626Position.model_validate(
        {
            "kind": "erc4626",
            "id": "shares",
            "asset": "USDC",
            "component": "collateral",
            "chain": "local",
            "vault": VAULT,
            "holder": CONTROLLER,
            "underlying": TOKEN,
            "underlying_decimals": 6,
        }
    )
    (held,) = drive(shares.read(AT), chain.answer)
    return vault.assets + amount_of(held) + sum(parts(chain).values())


STEPS = st.lists(st.tuples(st.sampled_from(["request", "fulfil", "claim"]), st.integers(0, 100)), max_size=12)


@given(steps=STEPS, rate=st.integers(1, 5_000_000), shares=st.integers(0, 10**24))
def test_erc7540__redeem_life_cycle_at_a_constant_rate__loses_nothing(
    steps: list[tuple[str, int]], rate: int, shares: int
) -> None:
    vault = Vault(rate=rate, shares=shares)
    before = total(vault)
    for step, percent in steps:
        if step == "request":
            moved = vault.shares * percent // 100
            vault.shares -= moved
            vault.pending_redeem += moved
        elif step == "fulfil":
            moved = vault.pending_redeem * percent // 100
            vault.pending_redeem -= moved
            vault.claimable_redeem += moved
            vault.fixed_assets += vault.worth(moved)
        else:
            # Whoever claims everything burns the last share of the request as well.
            vault.assets += vault.fixed_assets * percent // 100
            vault.fixed_assets -= vault.fixed_assets * percent // 100
            vault.claimable_redeem = vault.claimable_redeem * (100 - percent) // 100
            if (vault.claimable_redeem == 0) != (vault.fixed_assets == 0):
                vault.assets += vault.fixed_assets
                vault.claimable_redeem = vault.fixed_assets = 0
        # Each step splits an amount in two, and each part is rounded down by less than one unit.
        assert before - 2 * len(steps) <= total(vault) <= before


@given(steps=STEPS, rate=st.integers(1, 5_000_000), assets=st.integers(0, 10**15))
def test_erc7540__deposit_life_cycle_at_a_constant_rate__loses_nothing(
    steps: list[tuple[str, int]], rate: int, assets: int
) -> None:
    vault = Vault(rate=rate, assets=assets)
    before = total(vault)
    for step, percent in steps:
        if step == "request":
            moved = vault.assets * percent // 100
            vault.assets -= moved
            vault.pending_deposit += moved
        elif step == "fulfil":
            moved = vault.pending_deposit * percent // 100
            vault.pending_deposit -= moved
            vault.claimable_deposit += moved
            vault.fixed_shares += moved * WAD // rate
        else:
            vault.shares += vault.fixed_shares
            vault.fixed_shares = vault.claimable_deposit = 0
        assert before - 3 * len(steps) <= total(vault) <= before
