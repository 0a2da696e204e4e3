"""The double of Lagoon's vault: guardrails of a year, valuations that settle with the same number, fees rounded up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.domain.fee_models import LagoonFeeState, lagoon_fees, lagoon_flow_fee
from navoracle.domain.peer_guards import lagoon
from navoracle.domain.units import Timestamp
from tests.contracts.lagoon_world import HIGH_WATER_MARK, LAST_FEE_TIME, MILLION, NEW_TOTAL_ASSETS, NO_VALUATION, Lagoon
from tests.contracts.peers import (
    COUNCIL,
    DAY,
    DIVISION_BY_ZERO,
    HOUR,
    OWNER,
    POSTER,
    RECEIVER,
    SAFE,
    STRANGER,
    USER,
    WAD,
    YEAR,
    on_chain,
)

SUPPLY = 10**6 * WAD
VIOLATION = "GuardrailsViolation"


@pytest.fixture(scope="module")
def shared() -> Lagoon:
    return Lagoon()


@pytest.fixture
def chain(shared: Lagoon) -> Iterator[Lagoon]:
    with shared.rewound():
        yield shared


def test_vault__once_deployed__shows_what_the_peer_shows(chain: Lagoon) -> None:
    assert chain.view(chain.vault, "version") == "v0.6.0"
    assert (chain.view(chain.vault, "decimals"), chain.view(chain.vault, "totalSupply")) == (18, SUPPLY)
    assert chain.view(chain.vault, "totalAssets") == MILLION
    roles = chain.view(chain.vault, "getRolesStorage")
    assert (roles[1], roles[2]) == (chain.accounts[RECEIVER], chain.accounts[SAFE])
    assert (roles[4], roles[5]) == (chain.accounts[POSTER], chain.accounts[COUNCIL])
    assert chain.slot(NEW_TOTAL_ASSETS) == NO_VALUATION
    assert chain.slot(HIGH_WATER_MARK) == 10**6
    assert chain.pps() == 10**6


def test_calls__by_others_than_the_role__name_the_role_that_may(chain: Lagoon) -> None:
    now, vault = chain.start + HOUR, chain.vault
    assert chain.refusal(now, STRANGER, vault, "updateNewTotalAssets", 1) == "OnlyValuationManager"
    assert chain.refusal(now, POSTER, vault, "settleDeposit", 1) == "OnlySafe"
    assert chain.refusal(now, POSTER, vault, "settleRedeem", 1) == "OnlySafe"
    assert chain.refusal(now, POSTER, vault, "expireTotalAssets") == "OnlySafe"
    assert chain.refusal(now, POSTER, vault, "updateGuardrails", (1, 0)) == "OnlySecurityCouncil"
    assert chain.refusal(now, POSTER, vault, "updateActivated", False) == "OnlySecurityCouncil"
    assert chain.refusal(now, POSTER, vault, "securityCouncilUpdateTotalAssets", 1) == "OnlySecurityCouncil"
    assert chain.refusal(now, POSTER, vault, "pause") == "OwnableUnauthorizedAccount"


def test_settlement__with_another_number_or_none__is_refused(chain: Lagoon) -> None:
    now = chain.start + HOUR
    assert chain.settle_refusal(now, MILLION) == "NewTotalAssetsMissing"
    receipt = chain.post(now, MILLION + 1)
    assert chain.events(chain.vault, receipt) == [("NewTotalAssetsUpdated", {"totalAssets": MILLION + 1})]
    assert (chain.slot(NEW_TOTAL_ASSETS), chain.view(chain.vault, "totalAssets")) == (MILLION + 1, MILLION)
    assert chain.settle_refusal(now + 1, MILLION) == "WrongNewTotalAssets"
    receipt = chain.settle(now + 1, MILLION + 1)
    assert ("TotalAssetsUpdated", {"totalAssets": MILLION + 1}) in chain.events(chain.vault, receipt)
    assert (chain.slot(NEW_TOTAL_ASSETS), chain.view(chain.vault, "totalAssets")) == (NO_VALUATION, MILLION + 1)
    assert chain.settle_refusal(now + 2, MILLION + 1) == "NewTotalAssetsMissing"


def test_post__while_the_last_valuation_lives__waits_until_it_ends_or_the_safe_ends_it(chain: Lagoon) -> None:
    now = chain.start + HOUR
    chain.send(now, SAFE, chain.vault, "updateTotalAssetsLifespan", DAY)
    chain.post(now + 1, MILLION)
    chain.settle(now + 2, MILLION)
    assert chain.view(chain.vault, "isTotalAssetsValid")
    assert chain.post_refusal(now + 3, MILLION) == "ValuationUpdateNotAllowed"
    refused = chain.refusal(now + 3, COUNCIL, chain.vault, "securityCouncilUpdateTotalAssets", MILLION)
    assert refused == "ValuationUpdateNotAllowed"
    with chain.rewound():
        chain.send(now + 4, SAFE, chain.vault, "expireTotalAssets")
        assert chain.post_refusal(now + 5, MILLION) == ""
    assert chain.post_refusal(now + 2 + DAY - 1, MILLION) == "ValuationUpdateNotAllowed"
    assert chain.post_refusal(now + 2 + DAY, MILLION) == ""


def test_post__while_paused_or_closed__is_refused(chain: Lagoon) -> None:
    now = chain.start + HOUR
    chain.send(now, OWNER, chain.vault, "pause")
    assert chain.post_refusal(now + 1, MILLION) == "EnforcedPause"
    chain.send(now + 2, OWNER, chain.vault, "unpause")
    chain.post(now + 3, MILLION)
    chain.send(now + 4, OWNER, chain.vault, "setState", 1)
    assert chain.post_refusal(now + 5, MILLION) == ""
    assert chain.settle_refusal(now + 5, MILLION) == "NotOpen"
    chain.send(now + 6, OWNER, chain.vault, "setState", 2)
    assert chain.post_refusal(now + 7, MILLION) == "Closed"


def test_guardrails__in_units_of_one_per_year__let_70_percent_pass_in_30_days_under_1000_percent(chain: Lagoon) -> None:
    chain.guard(chain.start + HOUR, 10 * WAD, -WAD)
    late = chain.start + 30 * DAY
    assert chain.post_refusal(late, 1_700_000 * 10**6) == ""
    assert chain.post_refusal(late, 1_900_000 * 10**6) == VIOLATION


def test_guardrails__after_200_days__count_one_period_a_year(chain: Lagoon) -> None:
    chain.guard(chain.start + HOUR, WAD, -WAD)
    late = chain.start + 200 * DAY
    # Twice the price in 200 days is 183 % a year, which the bound of 100 % lets through.
    assert chain.post_refusal(late, 2 * MILLION) == ""
    assert chain.post_refusal(late, 2 * MILLION + 2 * 10**6) == VIOLATION


def test_guardrails__after_more_than_a_year__let_anything_pass(chain: Lagoon) -> None:
    chain.guard(chain.start + HOUR, WAD // 10, -WAD // 10)
    assert chain.post_refusal(chain.start + 365 * DAY, 100 * MILLION) == VIOLATION
    assert chain.post_refusal(chain.start + 370 * DAY, 100 * MILLION) == ""
    assert chain.post_refusal(chain.start + 370 * DAY, 0) == ""


def test_guardrails__in_the_second_of_a_settlement__panic(chain: Lagoon) -> None:
    chain.guard(chain.start + HOUR, WAD, -WAD)
    now = chain.start + 2 * HOUR
    chain.post(now, MILLION)
    # Two transactions in one block: the settlement and the next valuation.
    chain.wait_until(now + 1)
    chain.tester.disable_auto_mine_transactions()
    calls = [
        chain.vault.functions.settleDeposit(MILLION).transact({"from": chain.accounts[SAFE], "gas": 2_000_000}),
        chain.vault.functions.updateNewTotalAssets(MILLION).transact(
            {"from": chain.accounts[POSTER], "gas": 2_000_000}
        ),
    ]
    chain.tester.enable_auto_mine_transactions()
    receipts = [chain.web3.eth.get_transaction_receipt(call) for call in calls]
    assert [receipt["status"] for receipt in receipts] == [1, 0]
    assert receipts[0]["blockNumber"] == receipts[1]["blockNumber"]
    assert chain.slot(LAST_FEE_TIME) == now + 1
    assert chain.refusal(now + 2, STRANGER, chain.vault, "isCompliant", 1, 1, 0) == DIVISION_BY_ZERO
    assert chain.post_refusal(now + 2, MILLION) == ""


def test_guardrails__measured_since_the_last_settlement__ignore_valuations_between(chain: Lagoon) -> None:
    chain.guard(chain.start + HOUR, WAD, -WAD)
    late = chain.start + 100 * DAY
    chain.post(late, MILLION)
    assert chain.slot(LAST_FEE_TIME) == chain.start
    # One second after that valuation the clock still counts from the settlement, 100 days ago.
    assert chain.post_refusal(late + 1, MILLION + MILLION // 3) == ""
    chain.settle(late + 1, MILLION)
    assert chain.slot(LAST_FEE_TIME) == late + 1
    assert chain.post_refusal(late + 2, MILLION + 1) == ""
    assert chain.post_refusal(late + 2, MILLION + MILLION // 3) == VIOLATION


def test_guardrails__of_the_council__do_not_bind_the_council(chain: Lagoon) -> None:
    chain.guard(chain.start + HOUR, 0, 0)
    now = chain.start + 2 * HOUR
    assert chain.post_refusal(now, 50 * MILLION) == VIOLATION
    chain.send(now, COUNCIL, chain.vault, "securityCouncilUpdateTotalAssets", 50 * MILLION)
    chain.settle(now + 1, 50 * MILLION)
    # A hair under 50, for the virtual shares.
    assert chain.pps() == 50 * 10**6 - 1
    chain.send(now + 2, COUNCIL, chain.vault, "updateActivated", False)
    assert chain.post_refusal(now + 3, MILLION) == ""
    lowest = chain.refusal(now + 3, COUNCIL, chain.vault, "updateGuardrails", (0, -(2**255)))
    assert lowest == "LowerRateCannotBeInt256Min"


@on_chain
@given(
    current=st.integers(1, 10**9),
    rates=st.tuples(st.integers(0, 20 * WAD), st.integers(-20 * WAD, 20 * WAD)),
    seconds=st.one_of(st.integers(1, 2 * lagoon.ONE_YEAR), st.sampled_from((1, lagoon.ONE_YEAR, lagoon.ONE_YEAR + 1))),
    change=st.one_of(st.integers(-(10**9), 10**9), st.sampled_from(("upper", "lower"))),
    off=st.integers(-1, 1),
)
def test_is_compliant__of_any_step__is_what_the_model_says(
    shared: Lagoon, current: int, rates: tuple[int, int], seconds: int, change: int | str, off: int
) -> None:
    periods = lagoon.ONE_YEAR // seconds
    if isinstance(change, str):
        rate = rates[0] if change == "upper" else rates[1]
        change = 0 if periods == 0 else rate * current // (periods * WAD)
    following = max(0, current + change + off)
    with shared.rewound():
        shared.guard(shared.start + HOUR, *rates)
        found = shared.view(shared.vault, "isCompliant", current, following, seconds)
    rails = lagoon.Guardrails(lower_rate=rates[1], upper_rate=rates[0])
    assert found == all(guard.passes for guard in lagoon.guards(rails, current, following, seconds))


def test_settlement__of_a_queued_deposit__prices_it_at_the_new_assets_without_it(chain: Lagoon) -> None:
    now = chain.start + HOUR
    chain.request_deposit(now, 2_000_000)
    assert chain.view(chain.asset, "balanceOf", chain.silo()) == 2_000_000
    chain.post(now + 1, 2 * MILLION)
    receipt = chain.settle(now + 2, 2 * MILLION)
    settled = dict(chain.events(chain.vault, receipt))["SettleDeposit"]
    shares = 2_000_000 * (SUPPLY + 10**12) // (2 * MILLION + 1)
    assert (settled["assetsDeposited"], settled["sharesMinted"]) == (2_000_000, shares)
    assert (settled["totalAssets"], settled["totalSupply"]) == (2 * MILLION + 2_000_000, SUPPLY + shares)
    assert chain.view(chain.vault, "totalAssets") == 2 * MILLION + 2_000_000
    assert chain.view(chain.asset, "balanceOf", chain.silo()) == 0
    chain.send(now + 3, USER, chain.vault, "deposit", 2_000_000, chain.accounts[USER])
    assert chain.view(chain.vault, "balanceOf", chain.accounts[USER]) == shares


def test_settlement__of_a_deposit_made_after_the_valuation__leaves_it_queued(chain: Lagoon) -> None:
    now = chain.start + HOUR
    chain.post(now, MILLION)
    chain.request_deposit(now + 10, 5_000_000)
    receipt = chain.settle(now + 11, MILLION)
    assert "SettleDeposit" not in dict(chain.events(chain.vault, receipt))
    assert chain.view(chain.asset, "balanceOf", chain.silo()) == 5_000_000
    claim = chain.refusal(now + 12, USER, chain.vault, "deposit", 5_000_000, chain.accounts[USER])
    assert claim == "RequestIdNotClaimable"


def test_settlement__of_redemptions__pays_what_the_safe_has_or_nothing_without_a_word(chain: Lagoon) -> None:
    now, safe, user = chain.start + HOUR, chain.accounts[SAFE], chain.accounts[USER]
    chain.send(now, SAFE, chain.vault, "transfer", user, SUPPLY // 2)
    chain.send(now + 1, USER, chain.vault, "requestRedeem", SUPPLY // 2, user, user)
    chain.send(now + 2, OWNER, chain.asset, "burn", safe, MILLION // 2 + 1)
    chain.post(now + 3, MILLION)
    receipt = chain.settle(now + 4, MILLION, "settleRedeem")
    assert "SettleRedeem" not in dict(chain.events(chain.vault, receipt))
    chain.send(now + 5, OWNER, chain.asset, "mint", safe, 1)
    chain.post(now + 6, MILLION)
    receipt = chain.settle(now + 7, MILLION)
    settled = dict(chain.events(chain.vault, receipt))["SettleRedeem"]
    assert (settled["assetsWithdrawed"], settled["sharesBurned"]) == (MILLION // 2, SUPPLY // 2)
    assert chain.view(chain.vault, "totalSupply") == SUPPLY // 2
    chain.send(now + 8, USER, chain.vault, "redeem", SUPPLY // 2, user, user)
    assert chain.view(chain.asset, "balanceOf", user) == MILLION // 2


def test_requests__of_a_second_epoch_before_the_first_is_settled__are_refused(chain: Lagoon) -> None:
    now, user = chain.start + HOUR, chain.accounts[USER]
    chain.request_deposit(now, 5_000_000)
    chain.post(now + 1, MILLION)
    chain.send(now + 2, OWNER, chain.asset, "mint", user, 1)
    chain.send(now + 3, USER, chain.asset, "approve", chain.vault.address, 1)
    assert chain.refusal(now + 4, USER, chain.vault, "requestDeposit", 1, user, user) == "OnlyOneRequestAllowed"
    refused = chain.refusal(now + 4, STRANGER, chain.vault, "requestDeposit", 1, user, user)
    assert refused == "ERC7540InvalidOperator"


@on_chain
@given(
    rates=st.tuples(st.integers(0, 1_000), st.integers(0, 5_000)),
    protocol=st.integers(0, 3_500),
    first=st.integers(10**4, 10**15),
    moves=st.lists(st.tuples(st.integers(-5_000, 20_000), st.integers(2, 400 * DAY)), min_size=1, max_size=2),
)
def test_fees__of_any_settlements__are_what_the_model_says_to_the_share(
    shared: Lagoon, rates: tuple[int, int], protocol: int, first: int, moves: list[tuple[int, int]]
) -> None:
    chain, vault = shared, shared.vault
    with chain.rewound():
        chain.post(chain.start + HOUR, first)
        chain.settle(chain.start + HOUR + 1, first)
        chain.send(chain.next_time(), OWNER, vault, "updateRates", (*rates, 0, 0, 0))
        chain.send(chain.next_time(), OWNER, vault, "setProtocolFee", protocol, chain.accounts[STRANGER])
        for move, seconds in moves:
            now = chain.next_time() + seconds
            state = LagoonFeeState(
                total_assets=chain.view(vault, "totalAssets"),
                total_supply=chain.view(vault, "totalSupply"),
                high_water_mark=chain.slot(HIGH_WATER_MARK),
                last_fee_time=Timestamp(chain.slot(LAST_FEE_TIME)),
                management_bps=rates[0],
                performance_bps=rates[1],
                protocol_bps=protocol,
                share_decimals=18,
                decimals_offset=12,
            )
            assets = state.total_assets + state.total_assets * move // 10_000
            before = [chain.view(vault, "balanceOf", chain.accounts[who]) for who in (RECEIVER, STRANGER)]
            expected = lagoon_fees(state, new_total_assets=assets, now=Timestamp(now))
            chain.post(now - 1, assets)
            chain.settle(now, assets)
            after = [chain.view(vault, "balanceOf", chain.accounts[who]) for who in (RECEIVER, STRANGER)]
            assert after[0] - before[0] == expected.manager_shares
            assert after[1] - before[1] == expected.protocol_shares
            assert chain.view(vault, "totalSupply") == state.total_supply + expected.minted
            assert chain.slot(HIGH_WATER_MARK) == expected.high_water_mark
            assert chain.slot(LAST_FEE_TIME) == now


def test_fees__of_a_year_at_two_percent__are_the_mean_of_the_assets(chain: Lagoon) -> None:
    vault = chain.make(rates=(200, 0, 0, 0, 0))
    now = chain.slot(LAST_FEE_TIME) + YEAR
    chain.post(now - 1, 2 * MILLION)
    receipt = chain.settle(now, 2 * MILLION)
    taken = dict(chain.events(vault, receipt))["FeeTaken"]
    # 2 % of 1.5 million, as shares at 1.97 million for a million shares, rounded up.
    fee, virtual = 30_000 * 10**6, SUPPLY + 10**12
    assert taken["shares"] == -(-fee * virtual // (2 * MILLION - fee + 1))
    assert (taken["feeType"], taken["rate"], taken["protocolShares"]) == (0, 200, 0)


def test_fees__on_a_mean_with_a_half__cut_it_off(chain: Lagoon) -> None:
    vault = chain.make(rates=(10_000, 0, 0, 0, 0))
    now = chain.slot(LAST_FEE_TIME) + YEAR
    chain.post(now - 1, MILLION + 1)
    taken = dict(chain.events(vault, chain.settle(now, MILLION + 1)))["FeeTaken"]
    # All of the mean, a million, leaves one unit beside the virtual one: a half more would leave none.
    assert taken["shares"] == MILLION * (SUPPLY + 10**12) // 2


def test_fees__of_entry_and_exit__are_rounded_up_and_minted(chain: Lagoon) -> None:
    vault = chain.make(rates=(0, 0, 33, 77, 0))
    now = chain.slot(LAST_FEE_TIME) + HOUR
    chain.request_deposit(now, 1_234_567)
    chain.post(now + 1, MILLION)
    settled = dict(chain.events(vault, chain.settle(now + 2, MILLION)))
    shares = settled["SettleDeposit"]["sharesMinted"]
    entry = lagoon_flow_fee(shares, 33)
    assert (settled["FeeTaken"]["feeType"], settled["FeeTaken"]["shares"]) == (2, entry)
    user = chain.accounts[USER]
    chain.send(now + 3, USER, vault, "deposit", 1_234_567, user)
    held = chain.view(vault, "balanceOf", user)
    assert held == shares - entry
    chain.send(now + 4, USER, vault, "requestRedeem", held, user, user)
    assets = chain.view(vault, "totalAssets")
    chain.post(now + 5, assets)
    settled = dict(chain.events(vault, chain.settle(now + 6, assets)))
    leaving = lagoon_flow_fee(held, 77)
    assert (settled["FeeTaken"]["feeType"], settled["FeeTaken"]["shares"]) == (3, leaving)
    chain.send(now + 7, USER, vault, "redeem", held, user, user)
    assert chain.view(chain.asset, "balanceOf", user) == settled["SettleRedeem"]["assetsWithdrawed"]


def test_high_water_mark__reset_by_the_safe__needs_a_vault_made_for_it(chain: Lagoon) -> None:
    now = chain.start + HOUR
    chain.post(now, MILLION // 2)
    chain.settle(now + 1, MILLION // 2)
    assert chain.slot(HIGH_WATER_MARK) == 10**6
    chain.send(now + 2, SAFE, chain.vault, "resetHighWaterMark")
    assert chain.slot(HIGH_WATER_MARK) == 500_000
    strict = chain.make(reset=False)
    refused = chain.refusal(chain.next_time(), SAFE, strict, "resetHighWaterMark")
    assert refused == "HighWaterMarkResetNotAllowed"
