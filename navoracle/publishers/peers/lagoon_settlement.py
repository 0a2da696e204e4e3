"""The settlement that follows a proposal to a Lagoon v0.6 vault: what its Safe calls, and what that would do.

Source: `settleDeposit`, `settleRedeem` and `close` of `src/v0.6.0`. A settlement names the number that was proposed
last, uses it up, and takes the requests that waited when it was proposed. Redemptions that the Safe cannot pay are left
out without a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from navoracle.abi import decode_uint256, encode_call
from navoracle.domain.peer_guards.answers import at_most
from navoracle.domain.units import Rounding, mul_div
from navoracle.ports import Address, Call
from navoracle.publisher_port import Preview
from navoracle.publishers.peers.base import PAUSED, PeerModel, PeerRead
from navoracle.publishers.peers.lagoon_rules import OWNER, SAFE, VALUATION_MANAGER
from navoracle.publishers.peers.lagoon_state import (
    LagoonState,
    VaultState,
    pending_assets_word,
    pending_shares_word,
    read_state,
)
from navoracle.publishers.peers.simulation import Remedy, refused, simulate

Settlement: TypeAlias = Literal["deposit", "redeem", "close"]

MISSING: Final = "new_total_assets_missing"
WRONG: Final = "wrong_new_total_assets"
WRONG_STATE: Final = "wrong_state"
NOTHING_PENDING: Final = "nothing_pending"
UNFUNDED: Final = "redemptions_unfunded"

_SIGNATURES: Final[dict[Settlement, str]] = {
    "deposit": "settleDeposit(uint256)",
    "redeem": "settleRedeem(uint256)",
    "close": "close(uint256)",
}
_ERRORS: Final = (
    "OnlySafe(address)",
    "NewTotalAssetsMissing()",
    "WrongNewTotalAssets()",
    "NotOpen(uint8)",
    "NotClosing(uint8)",
    "EnforcedPause()",
    "ERC20InsufficientAllowance(address,uint256,uint256)",
)
_REMEDIES: Final = {
    "ERC20InsufficientAllowance": Remedy(
        SAFE, "approve(vault, ...) on the asset: redemptions are paid out of the Safe."
    ),
    "EnforcedPause": Remedy(OWNER, "unpause() once the cause is known."),
}


@dataclass(frozen=True, slots=True)
class SettlementCall:
    """The call that settles a proposal. `value` is its number (raw units of the asset), `role` who sends it."""

    to: Address
    data: bytes
    value: int
    settlement: Settlement
    role: str = SAFE


def settlement_call(vault: Address, value: int, settlement: Settlement) -> SettlementCall:
    """The call that settles a proposal of this number."""
    return SettlementCall(vault, encode_call(_SIGNATURES[settlement], value), value, settlement)


def preview_settlement(
    peer: PeerModel, fund: str, call: SettlementCall, token: Address, virtual_shares: int, *, even_if_idle: bool
) -> PeerRead[Preview]:
    """What the vault would do with a settlement.

    Args:
        peer: the vault.
        fund: whose settlement.
        call: the settlement.
        token: the vault's asset.
        virtual_shares: what the vault adds to its supply (10 ** offset).
        even_if_idle: settle also where no request waits, for the fees and the clock of the guardrails.
    """
    state = yield from read_state(call.to)
    refusal = _refusal(fund, call, state)
    if refusal is not None:
        return refusal
    answers = yield (
        pending_assets_word(call.to, state.deposit_settlement),
        pending_shares_word(call.to, state.redeem_settlement),
        Call(token, encode_call("balanceOf(address)", state.safe)),
    )
    deposits, redemptions, balance = (decode_uint256(answer) for answer in answers)
    taken = 0 if call.settlement == "redeem" else deposits
    if not taken and not redemptions and not even_if_idle and call.settlement != "close":
        advice = "No request waits for this settlement; the valuation stays proposed."
        return Preview(fund, NOTHING_PENDING, send=False, advice=advice)
    # Before exit fees and before the fees of the settlement, which only lower it.
    due = mul_div(redemptions, call.value + 1, state.total_supply + virtual_shares, Rounding.DOWN)
    funding = at_most("redemptions", due, balance + taken, "raw")
    if not funding.passes:
        advice = (
            f"The vault would settle without the redemptions, and use the valuation up: bring {due - balance - taken} "
            f"more raw units of {token} into {state.safe} first."
        )
        return Preview(fund, UNFUNDED, send=False, guards=(funding,), role=SAFE, advice=advice)
    name = yield from simulate(peer.model_copy(update={"sender": state.safe}), call.data, _ERRORS)
    if name is not None:
        return refused(fund, name, _REMEDIES, (funding,), SAFE)
    return Preview(fund, None, send=True, guards=(funding,), role=SAFE)


def _refusal(fund: str, call: SettlementCall, state: LagoonState) -> Preview | None:
    if state.paused:
        return Preview(fund, PAUSED, send=False, role=OWNER, advice="unpause() once the cause is known.")
    needed = VaultState.CLOSING if call.settlement == "close" else VaultState.OPEN
    if state.state is not needed:
        advice = (
            f"The vault is {state.state.name.lower()}: {_SIGNATURES[call.settlement]} needs it {needed.name.lower()}."
        )
        return Preview(fund, WRONG_STATE, send=False, role=OWNER, advice=advice)
    if state.new_total_assets is None:
        advice = "No valuation is proposed, or it was settled already: post it first."
        return Preview(fund, MISSING, send=False, role=VALUATION_MANAGER, advice=advice)
    if state.new_total_assets != call.value:
        advice = f"The valuation proposed last is {state.new_total_assets}: settle with that number."
        return Preview(fund, WRONG, send=False, role=SAFE, advice=advice)
    return None
