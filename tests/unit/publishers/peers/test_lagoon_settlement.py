"""The settlement after a proposal: the same number, the Safe, and what would be left out without a word."""

from __future__ import annotations

import pytest

from navoracle.abi import encode_call
from navoracle.domain.errors import ConfigurationError
from navoracle.publishers.peers.lagoon_settlement import Settlement
from navoracle.testing.fakes import read_point
from tests.unit.publishers.peers.fake_lagoon import MILLION, NOW, SAFE, VAULT, FakeLagoon, call
from tests.unit.publishers.peers.test_lagoon import unresolved

RAW = MILLION * 10**6


def test_follow_up__any_settlement__carries_the_number_of_the_proposal() -> None:
    names: dict[Settlement, str] = {"deposit": "settleDeposit", "redeem": "settleRedeem", "close": "close"}
    for settlement, name in names.items():
        found = FakeLagoon().peer.follow_up(call(MILLION), settlement)
        assert found.data == encode_call(f"{name}(uint256)", RAW)
        assert (found.to, found.role, found.value) == (VAULT, "safe", RAW)


async def test_settlement__deposits_wait__is_for_the_safe_to_send() -> None:
    found = await FakeLagoon(waiting=MILLION, taken_assets=10).settlement(MILLION)
    assert (found.reason, found.send, found.role) == (None, True, "safe")


@pytest.mark.parametrize("waiting", [None, MILLION + 1])
async def test_settlement__no_valuation_or_another_one__avoids_the_vault_s_revert(waiting: int | None) -> None:
    found = await FakeLagoon(waiting=waiting, taken_assets=10).settlement(MILLION)
    assert not found.send
    if waiting is None:
        assert (found.reason, found.role) == ("new_total_assets_missing", "valuation_manager")
    else:
        assert (found.reason, found.role) == ("wrong_new_total_assets", "safe")
        assert str(waiting * 10**6) in found.advice


async def test_settlement__nothing_pending__only_when_asked() -> None:
    idle = FakeLagoon(waiting=MILLION)
    assert (await idle.settlement(MILLION)).reason == "nothing_pending"
    assert (await idle.settlement(MILLION, even_if_idle=True)).send
    # Requests that came after the proposal are no part of its settlement.
    assert (await FakeLagoon(waiting=MILLION, silo_assets=5).settlement(MILLION)).reason == "nothing_pending"


async def test_settlement__redemptions_alone__leave_deposits_out() -> None:
    here = FakeLagoon(waiting=MILLION, taken_assets=10)
    assert (await here.settlement(MILLION, "redeem")).reason == "nothing_pending"
    here.taken_shares = 1
    assert (await here.settlement(MILLION, "redeem")).send


@pytest.mark.parametrize(("cash", "send"), [(89, False), (90, True)])
async def test_settlement__safe_that_cannot_pay__would_leave_redemptions_out_without_a_word(
    cash: int, send: bool
) -> None:
    here = FakeLagoon(waiting=MILLION, taken_assets=10, taken_shares=100, safe_assets=cash)
    found = await here.settlement(MILLION)
    assert found.send is send
    (funding,) = found.guards
    assert (funding.value, funding.limit) == (100 * 10**6, (cash + 10) * 10**6)
    if not send:
        assert (found.reason, found.role) == ("redemptions_unfunded", "safe")
        assert f"{10**6} more" in found.advice
    # Deposits come in only where they are settled too.
    assert (await here.settlement(MILLION, "redeem")).reason == "redemptions_unfunded"


async def test_settlement__state_of_the_vault__decides_which_call_there_is() -> None:
    here = FakeLagoon(waiting=MILLION, taken_assets=1, state=1)
    assert (await here.settlement(MILLION)).reason == "wrong_state"
    assert (await here.settlement(MILLION, "close")).send
    here.state = 0
    assert (await here.settlement(MILLION, "close")).reason == "wrong_state"
    here.paused = True
    assert (await here.settlement(MILLION)).reason == "paused"


async def test_settlement__allowance_missing__is_found_by_trying_as_the_safe() -> None:
    settle = encode_call("settleDeposit(uint256)", RAW)
    revert = encode_call("ERC20InsufficientAllowance(address,uint256,uint256)", SAFE, 0, 1)
    found = await FakeLagoon(waiting=MILLION, taken_shares=1, reverts={settle: revert}).settlement(MILLION)
    assert (found.reason, found.send, found.role) == ("peer_refuses", False, "safe")
    assert "approve" in found.advice


def test_settlement__not_resolved__says_so() -> None:
    with pytest.raises(ConfigurationError):
        unresolved().preview_follow_up("fund1", call(1), read_point(NOW))
