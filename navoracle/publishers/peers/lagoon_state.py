"""What a Lagoon v0.6 vault keeps: its views, and the words of its storage that it has no view of.

Source: `src/v0.6.0` of hopperlabsxyz/lagoon-v0. The vault shows neither the valuation that waits for its settlement,
nor its guardrails, their clock, its state or its silo; they lie in ERC-7201 slots, which are read at the same block.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from navoracle.abi import decode_result, encode_arguments, encode_call
from navoracle.domain.errors import MalformedResult
from navoracle.domain.peer_guards.lagoon import Guardrails
from navoracle.domain.units import Timestamp
from navoracle.ports import Address, Call
from navoracle.publishers.peers.base import PeerRead, StorageWord

NO_VALUATION: Final = (1 << 256) - 1
"""What `newTotalAssets` holds while no valuation waits for its settlement."""

_TOTAL_ASSETS: Final = encode_call("totalAssets()")
_TOTAL_SUPPLY: Final = encode_call("totalSupply()")
_PAUSED: Final = encode_call("paused()")
_ROLES: Final = encode_call("getRolesStorage()")
_ROLES_TYPES: Final = ("address",) * 7

_ID_BITS: Final = 40
_LOW_HALF: Final = (1 << 128) - 1


class VaultState(IntEnum):
    """`State` of `primitives/Enums.sol`."""

    OPEN = 0
    CLOSING = 1
    CLOSED = 2


def namespace(name: str) -> int:
    """The first slot of an ERC-7201 namespace: keccak(keccak(name) - 1) with its last byte cleared."""
    inner = int.from_bytes(keccak(text=name), "big") - 1
    return int.from_bytes(keccak(inner.to_bytes(32, "big")), "big") & ~0xFF


_ACCOUNT: Final = namespace("hopper.storage.ERC7540")
_FEES: Final = namespace("hopper.storage.FeeManager")
_GUARDRAILS: Final = namespace("hopper.storage.GuardrailsManager")
_STATE: Final = namespace("hopper.storage.vault")

NEW_TOTAL_ASSETS: Final = _ACCOUNT + 1
IDS: Final = _ACCOUNT + 2
SETTLEMENTS: Final = _ACCOUNT + 4
PENDING_SILO: Final = _ACCOUNT + 8
EXPIRATION: Final = _ACCOUNT + 10
LAST_FEE_TIME: Final = _FEES + 2
UPPER_RATE: Final = _GUARDRAILS
LOWER_RATE: Final = _GUARDRAILS + 1
ACTIVATED: Final = _GUARDRAILS + 2
STATE: Final = _STATE

_SLOTS: Final = (
    NEW_TOTAL_ASSETS,
    IDS,
    PENDING_SILO,
    EXPIRATION,
    LAST_FEE_TIME,
    UPPER_RATE,
    LOWER_RATE,
    ACTIVATED,
    STATE,
)


@dataclass(frozen=True, slots=True)
class LagoonState:
    """A vault at one block; amounts in raw units of the asset or the share, times in Unix seconds.

    Attributes:
        new_total_assets: the valuation that waits for its settlement; None where there is none.
        expiration: until when the settled valuation counts; the vault takes no other one before.
        last_fee_time: the last settlement, the clock of the guardrails; 0 before the first of a migrated vault.
        guardrails: None where they are switched off.
        deposit_settlement, redeem_settlement: the ids of the settlements that come next.
        safe, valuation_manager, security_council: who settles, who values, and who values beyond the guardrails.
    """

    total_assets: int
    total_supply: int
    paused: bool
    state: VaultState
    new_total_assets: int | None
    expiration: Timestamp
    last_fee_time: Timestamp
    guardrails: Guardrails | None
    deposit_settlement: int
    redeem_settlement: int
    silo: Address
    safe: Address
    valuation_manager: Address
    security_council: Address


def read_state(vault: Address) -> PeerRead[LagoonState]:
    """Read a vault in one round.

    Raises:
        ReadError: the contract does not answer as a vault of this version, or is in a state that is not known.
    """
    views = tuple(Call(vault, data) for data in (_TOTAL_ASSETS, _TOTAL_SUPPLY, _PAUSED, _ROLES))
    answers = yield (*views, *(StorageWord(vault, slot) for slot in _SLOTS))
    total_assets, total_supply = (decode_result(("uint256",), answer)[0] for answer in answers[:2])
    (paused,) = decode_result(("bool",), answers[2])
    roles = decode_result(_ROLES_TYPES, answers[3])
    words = dict(zip(_SLOTS, (int.from_bytes(word, "big") for word in answers[4:]), strict=True))
    waiting = words[NEW_TOTAL_ASSETS]
    rails = Guardrails(lower_rate=_signed(words[LOWER_RATE]), upper_rate=words[UPPER_RATE])
    return LagoonState(
        total_assets=total_assets,
        total_supply=total_supply,
        paused=paused,
        state=_state(vault, words[STATE]),
        new_total_assets=None if waiting == NO_VALUATION else waiting,
        expiration=Timestamp(words[EXPIRATION] & _LOW_HALF),
        last_fee_time=Timestamp(words[LAST_FEE_TIME]),
        guardrails=rails if words[ACTIVATED] & 0xFF else None,
        deposit_settlement=_id(words[IDS], 1),
        redeem_settlement=_id(words[IDS], 4),
        silo=_account(words[PENDING_SILO]),
        safe=Address(to_checksum_address(roles[2])),
        valuation_manager=Address(to_checksum_address(roles[4])),
        security_council=Address(to_checksum_address(roles[5])),
    )


def settlement_slot(settlement: int) -> int:
    """The first slot of `settles[settlement]`: total supply, total assets, pending assets, pending shares."""
    return int.from_bytes(keccak(encode_arguments(("uint256", "uint256"), (settlement, SETTLEMENTS))), "big")


def pending_assets_word(vault: Address, settlement: int) -> StorageWord:
    """The assets (raw) of the deposits that a settlement takes."""
    return StorageWord(vault, settlement_slot(settlement) + 2)


def pending_shares_word(vault: Address, settlement: int) -> StorageWord:
    """The shares (raw) of the redemptions that a settlement takes."""
    return StorageWord(vault, settlement_slot(settlement) + 3)


def _state(vault: Address, word: int) -> VaultState:
    state = word & 0xFF
    if state > max(VaultState):
        raise MalformedResult(f"{vault} is in state {state}", advice="This version of Lagoon's vault is not known.")
    return VaultState(state)


def _id(word: int, place: int) -> int:
    return word >> _ID_BITS * place & (1 << _ID_BITS) - 1


def _signed(word: int) -> int:
    return word - (1 << 256) if word >> 255 else word


def _account(word: int) -> Address:
    return Address(to_checksum_address((word & (1 << 160) - 1).to_bytes(20, "big")))
