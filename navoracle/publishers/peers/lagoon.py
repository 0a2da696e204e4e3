"""Lagoon v0.6: total assets proposed to a vault, which its Safe then settles with the same number.

Source: `updateNewTotalAssets` of `src/v0.6.0/vault/Vault-v0.6.0.sol` (hopperlabsxyz/lagoon-v0). A proposal is served
only once it is settled, so "mined", "stored" and "settled" are three things here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, Literal, Self

from eth_utils.address import to_checksum_address

from navoracle.abi import decode_result, decode_uint256, encode_call
from navoracle.domain.conversions import UINT256, from_units
from navoracle.domain.errors import ConfigurationError, SourceRefused
from navoracle.domain.peer_guards import lagoon as rules
from navoracle.domain.prior import ConfirmedNav
from navoracle.domain.units import SCALES, WAD, Rounding, Timestamp, Wad, mul_div
from navoracle.ports import Address, Call, Read, ReadPoint
from navoracle.publisher_port import FollowUp, FundPost, Preview, ReadBack, Receipt
from navoracle.publishers.peers.amounts import heartbeat_due
from navoracle.publishers.peers.base import PeerModel, PeerRead, StorageWord, unchanged
from navoracle.publishers.peers.lagoon_rules import (
    GUARDRAILS,
    OWNER,
    SAFE,
    SECURITY_COUNCIL,
    VALUATION_MANAGER,
    Valued,
    beyond,
    judge,
)
from navoracle.publishers.peers.lagoon_settlement import Settlement, SettlementCall, preview_settlement, settlement_call
from navoracle.publishers.peers.lagoon_state import (
    LagoonState,
    VaultState,
    pending_assets_word,
    pending_shares_word,
    read_state,
)
from navoracle.publishers.peers.simulation import Remedy, refused, simulate
from navoracle.readers import DECIMALS, ChecksumAddress, Decimals, block_of, decode_decimals, resolved_decimals

VERSION: Final = "v0.6.0"
UNSETTLED: Final = "unsettled"

_UPDATE: Final = "updateNewTotalAssets(uint256)"
_COMPLIANT: Final = "isCompliant(uint256,uint256,uint256)"
_BALANCE_OF: Final = "balanceOf(address)"
_SETTLEMENTS: Final[tuple[Settlement, ...]] = ("deposit", "redeem")

_ERRORS: Final = (
    "OnlyValuationManager(address)",
    "GuardrailsViolation()",
    "ValuationUpdateNotAllowed()",
    "EnforcedPause()",
    "Closed()",
)
_REMEDIES: Final = {
    "OnlyValuationManager": Remedy(OWNER, "updateValuationManager(sender), or post with the key that it names."),
    "GuardrailsViolation": Remedy(SECURITY_COUNCIL, "securityCouncilUpdateTotalAssets with the number, once checked."),
    "ValuationUpdateNotAllowed": Remedy(SAFE, "expireTotalAssets()."),
    "EnforcedPause": Remedy(OWNER, "unpause() once the cause is known."),
    "Closed": Remedy(None, "The vault takes no more valuations: take the fund out."),
    "panic 0x12": Remedy(None, "A second without a settlement must pass: try again in the next block."),
}


class LagoonPeer(PeerModel, frozen=True):
    """A vault of Lagoon v0.6. What is posted is NAV_before: what waits in the silo is no part of total assets.

    Attributes:
        post_unguarded: whether to post more than a year after the last settlement, when the vault's guardrails let
            through every rise; the exact change a year must then be within their rates.
        token: the vault's asset; filled by `resolve`, as are the decimals of it and of the share.
        decimals, share_decimals: of the vault's asset and of its share; filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("token", "decimals", "share_decimals")
    settles: ClassVar[bool] = True

    kind: Literal["lagoon"] = "lagoon"
    post_unguarded: bool = False
    token: ChecksumAddress | None = None
    decimals: Decimals | None = None
    share_decimals: Decimals | None = None

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read the vault's asset and the decimals of asset and share.

        Raises:
            SourceRefused: the vault is of another version, whose storage lies elsewhere.
        """
        questions = (encode_call("version()"), encode_call("asset()"), DECIMALS)
        version, asset, share = yield tuple(Call(self.contract, data) for data in questions)
        (found,) = decode_result(("string",), version)
        if found != VERSION:
            raise SourceRefused(
                f"{self.id}: {self.contract} is a vault of version {found!r}, not {VERSION!r}",
                advice="Only the storage of that version is known; publish through a `generic` publisher meanwhile.",
            )
        token = Address(to_checksum_address(decode_result(("address",), asset)[0]))
        (decimals,) = yield (Call(token, DECIMALS),)
        return self.model_copy(
            update={
                "token": token,
                "decimals": decode_decimals(self, token, decimals),
                "share_decimals": decode_decimals(self, self.contract, share),
            }
        )

    def encode(self, post: FundPost, valuation_time: Timestamp) -> bytes:
        """`updateNewTotalAssets` with NAV_before in raw units of the asset, rounded down once.

        Raises:
            OutOfRange: it is negative or fits no uint256. DomainError: the asset's price is missing.
            ConfigurationError: the publisher is not resolved.
        """
        scale = SCALES[resolved_decimals(self, self.decimals)]
        raw = mul_div(post.nav_before, scale, self.price_of_base(post), Rounding.DOWN)
        return encode_call(_UPDATE, UINT256.check(raw, f"total assets of {post.fund}"))

    def confirmed(self, at: ReadPoint) -> PeerRead[ConfirmedNav | None]:
        """The settled total assets, at the time of the settlement; None for a vault without shares and assets."""
        state = yield from read_state(self.contract)
        if state.total_supply == 0 and state.total_assets == 0:
            return None
        return self._confirmed(state, at)

    def preview(self, post: FundPost, data: bytes, at: ReadPoint) -> PeerRead[Preview]:
        """What the vault would do with the proposal: its state, its guardrails to the wei, its own views and setter."""
        value = total_assets_of(data)
        state = yield from read_state(self.contract)
        judged = self._judge(post.fund, value, state, at.now)
        if judged.reason is not None:
            return judged
        if (yield from self._unchanged(value, state, at.now)):
            return unchanged(post.fund, judged.guards)
        if judged.guards:
            seconds = at.now - state.last_fee_time
            prices = self._price_of(state.total_assets, state), self._price_of(value, state)
            (answer,) = yield (Call(self.contract, encode_call(_COMPLIANT, *prices, seconds)),)
            if not decode_result(("bool",), answer)[0]:
                return beyond(post.fund, GUARDRAILS, value, judged.guards)
        # A call runs at the newest block's time: where time alone would refuse it there, it says nothing of now.
        mined = block_of(self, at).timestamp
        if self._judge(post.fund, value, state, mined, margin=0).reason is None:
            refusal = yield from simulate(self, data, _ERRORS)
            if refusal is not None:
                return refused(post.fund, refusal, _REMEDIES, judged.guards, VALUATION_MANAGER)
        return judged

    def read_back(self, fund: str, data: bytes, receipt: Receipt, at: ReadPoint) -> PeerRead[ReadBack]:
        """Whether the proposal is stored (reason "unsettled": the Safe's turn) or already settled (no reason)."""
        value = total_assets_of(data)
        state = yield from read_state(self.contract)
        confirmed = self._confirmed(state, at)
        if state.new_total_assets == value:
            advice = f"Settle with the same number: settleDeposit({value}), or settleRedeem({value})."
            return ReadBack(fund, accepted=True, reason=UNSETTLED, confirmed=confirmed, role=SAFE, advice=advice)
        if not receipt.success:
            return ReadBack(fund, accepted=False, reason="reverted", confirmed=confirmed)
        if state.new_total_assets is not None:
            return ReadBack(fund, accepted=False, reason="superseded", confirmed=confirmed)
        # Nothing waits: it was settled in its own block, which only the number proposed last can be.
        if state.last_fee_time == block_of(self, at).timestamp:
            return ReadBack(fund, accepted=True, reason=None, confirmed=confirmed)
        return ReadBack(fund, accepted=False, reason="missing", confirmed=confirmed)

    def follow_up(self, data: bytes, settlement: Settlement = "deposit") -> SettlementCall:
        """The call by which the Safe settles a proposal, with the very number of its call data.

        "deposit" settles deposits and, as far as the Safe can pay, redemptions; "redeem" only those; "close" a vault
        that is closing. Each uses the proposal up.
        """
        return settlement_call(self.contract, total_assets_of(data), settlement)

    def preview_follow_up(
        self, fund: str, data: bytes, at: ReadPoint, settlement: Settlement = "deposit", *, even_if_idle: bool = False
    ) -> PeerRead[Preview]:
        """What the vault would do with `follow_up(data)`; nothing is settled for nobody unless `even_if_idle`.

        Raises:
            ConfigurationError: the publisher is not resolved.
        """
        decimals = resolved_decimals(self, self.decimals)
        offset = SCALES[resolved_decimals(self, self.share_decimals) - decimals]
        call = self.follow_up(data, settlement)
        return preview_settlement(self, fund, call, self._token(), offset, even_if_idle=even_if_idle)

    def follow_up_of(self, fund: str, data: bytes, at: ReadPoint) -> PeerRead[FollowUp | None]:
        """The Safe's settlement with the same number: of deposits, else of redemptions; None where nobody waits.

        Raises:
            ConfigurationError: the publisher is not resolved.
        """
        for settlement in _SETTLEMENTS:
            preview = yield from self.preview_follow_up(fund, data, at, settlement)
            if preview.send:
                call = self.follow_up(data, settlement)
                return FollowUp(call.to, call.data, call.role)
        return None

    def _judge(
        self, fund: str, value: int, state: LagoonState, now: Timestamp, *, margin: int | None = None
    ) -> Preview:
        return judge(
            fund,
            Valued(value, self._price_of(state.total_assets, state), self._price_of(value, state)),
            state,
            now,
            margin=self.margin if margin is None else margin,
            post_unguarded=self.post_unguarded,
        )

    def _unchanged(self, value: int, state: LagoonState, now: Timestamp) -> PeerRead[bool]:
        """Whether the vault has this number already, and no request came since that only another post takes in."""
        stored = state.new_total_assets == value
        settled = state.new_total_assets is None and state.total_assets == value
        if not stored and not settled:
            return False
        if settled and heartbeat_due(self, state.last_fee_time, now):
            return False
        balance = encode_call(_BALANCE_OF, state.silo)
        words: Sequence[StorageWord] = (
            pending_assets_word(self.contract, state.deposit_settlement),
            pending_shares_word(self.contract, state.redeem_settlement),
        )
        answers = yield (Call(self._token(), balance), Call(self.contract, balance), *words)
        assets, shares, taken_assets, taken_shares = (decode_uint256(answer) for answer in answers)
        return (assets, shares) == ((taken_assets, taken_shares) if stored else (0, 0))

    def _price_of(self, total_assets: int, state: LagoonState) -> int:
        """Raw units of the asset per whole share, as the vault computes it."""
        share, asset = resolved_decimals(self, self.share_decimals), resolved_decimals(self, self.decimals)
        return rules.price_per_share(
            total_assets, state.total_supply, share_decimals=share, decimals_offset=share - asset
        )

    def _wad_price_of(self, state: LagoonState) -> Wad:
        """The same price to 18 places, rounded down: the vault's own has no more than its asset has decimals."""
        share, asset = resolved_decimals(self, self.share_decimals), resolved_decimals(self, self.decimals)
        shares = (state.total_supply + SCALES[share - asset]) * SCALES[asset]
        return Wad(mul_div((state.total_assets + 1) * WAD, SCALES[share], shares, Rounding.DOWN))

    def _confirmed(self, state: LagoonState, at: ReadPoint) -> ConfirmedNav:
        decimals = resolved_decimals(self, self.decimals)
        return ConfirmedNav(
            nav=from_units(state.total_assets, decimals, Rounding.DOWN),
            price_per_share=self._wad_price_of(state),
            valuation_time=state.last_fee_time,
            held=state.paused,
            block_number=block_of(self, at).number,
            frame=None,
            live=state.state is not VaultState.CLOSED,
        )

    def _token(self) -> Address:
        if self.token is None:
            raise ConfigurationError(
                f"{self.id} is not resolved: the vault's asset is not known",
                advice="Resolve publishers against the chain before the first post.",
            )
        return self.token


def total_assets_of(data: bytes) -> int:
    """The number that `updateNewTotalAssets` call data carries, in raw units of the asset."""
    (value,) = decode_result(("uint256",), data[4:])
    return int(value)
