"""Veda's accountant (boring-vault `AccountantWithRateProviders.sol`): a rate that it stores even where it pauses on it.

A post out of bounds or too early succeeds, is stored and pauses, without an event: only a look at its state tells. So
nothing is sent that would pause, and the state is read after every post.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal, NamedTuple, Self

from eth_utils.address import to_checksum_address

from navoracle.abi import decode_result, encode_call
from navoracle.domain.conversions import UINT96, from_units
from navoracle.domain.errors import CallReverted, SourceRefused
from navoracle.domain.guard_use import GuardUse
from navoracle.domain.peer_guards.veda import VedaBounds, guards
from navoracle.domain.prior import ConfirmedNav, PostBounds
from navoracle.domain.units import BPS, SCALES, Rounding, Timestamp
from navoracle.ports import Address, Call, Read, ReadPoint
from navoracle.publisher_port import FundPost, Preview, ReadBack, Receipt
from navoracle.publishers.peers.amounts import heartbeat_due, nav_by_supply, price_units, waits_until
from navoracle.publishers.peers.base import PAUSED, REFUSED, TOO_EARLY, PeerModel, PeerRead, unchanged
from navoracle.publishers.peers.simulation import NO_REASON, Remedy, refused, revert_name, simulate
from navoracle.publishers.peers.veda_recovery import FROM_ZERO, recovery, widening
from navoracle.readers import (
    ChecksumAddress,
    Decimals,
    block_of,
    check_names,
    decimals_call,
    decode_decimals,
    resolved_decimals,
)

UPDATE: Final = "updateExchangeRate(uint96)"
PREVIEW: Final = "previewUpdateExchangeRate(uint96)"
STATE: Final = encode_call("accountantState()")
BASE: Final = encode_call("base()")
VAULT: Final = encode_call("vault()")
FIXED_STATE: Final = encode_call("fixedRateAccountantState()")

OWNER: Final = "owner"
UPDATER: Final = "UPDATE_EXCHANGE_RATE_ROLE"

# accountantState(): payout address, high-water mark, fees owed, shares, rate, upper, lower, last update, paused, delay,
# platform fee, performance fee
_STATE_TYPES: Final = (
    *("address", "uint96", "uint128", "uint128", "uint96", "uint16", "uint16", "uint64"),
    *("bool", "uint24", "uint16", "uint16"),
)
_ERRORS: Final = (
    "AccountantWithRateProviders__Paused()",
    "AccountantWithYieldStreaming__UpdateExchangeRateNotSupported()",
)
_STREAMING: Final = Remedy(
    OWNER,
    "This accountant streams its yield: it takes amounts by vestYield(uint256,uint256) and postLoss(uint256), no rate. "
    "Remove this publisher; its rate follows from what is vested.",
)
_REMEDIES: Final = {
    "AccountantWithRateProviders__Paused": Remedy(OWNER, "It is paused: look at its state, then unpause()."),
    "AccountantWithYieldStreaming__UpdateExchangeRateNotSupported": _STREAMING,
    "UNAUTHORIZED": Remedy(
        OWNER, f"Give the sender the role that may call updateExchangeRate ({UPDATER}), or use the key that has it."
    ),
}
_VIEW_REMEDIES: Final = {
    **_REMEDIES,
    # A plain accountant's view is open to all: one that asks who calls is a streaming one.
    "UNAUTHORIZED": _STREAMING,
    NO_REASON: Remedy(
        OWNER, "It has no previewUpdateExchangeRate: an older accountant, which is not posted to without its own view."
    ),
}


class VedaState(NamedTuple):
    """What the accountant says of itself, as far as a post needs it."""

    bounds: VedaBounds
    paused: bool


class VedaPeer(PeerModel, frozen=True):
    """The accountant of a boring vault.

    Attributes:
        base_token: the token that `base()` must name; not compared where it is not given.
        fixed_rate: whether it is an `AccountantWithFixedRate`, which stores at most 1.0.
        decimals: those of the rate; filled by `resolve`.
        shares: the vault, which is the share token; filled by `resolve`.
    """

    resolved_fields: ClassVar[tuple[str, ...]] = ("decimals", "shares")

    kind: Literal["veda"] = "veda"
    base_token: ChecksumAddress | None = None
    fixed_rate: bool = False
    decimals: Decimals | None = None
    shares: ChecksumAddress | None = None

    def resolve(self, at: ReadPoint) -> Read[Self]:
        """Read decimals, base and vault, and see that it is of the configured variant.

        Raises:
            SourceRefused: another base token or vault than configured, decimals that are not the base token's, or a
                fixed rate where none is configured, or the other way round.
        """
        decimals, base, vault = yield (decimals_call(self.contract), Call(self.contract, BASE), self._call(VAULT))
        (base_token,) = decode_result(("address",), base)
        (shares,) = decode_result(("address",), vault)
        if self.base_token is not None:
            check_names(self, f"base() of {self.contract}", self.base_token, base_token)
        if self.shares is not None:
            check_names(self, f"vault() of {self.contract}", self.shares, shares)
        found = decode_decimals(self, self.contract, decimals)
        token = Address(base_token)
        (of_base,) = yield (decimals_call(token),)
        if decode_decimals(self, token, of_base) != found:
            raise SourceRefused(
                f"{self.id}: {self.contract} counts in {found} decimals, its base token in another number",
                advice="Check the address; an accountant has the decimals of its base token.",
            )
        if (yield from self._is_fixed()) != self.fixed_rate:
            raise SourceRefused(
                f"{self.id}: {self.contract} is {'not ' if self.fixed_rate else ''}an accountant with a fixed rate",
                advice=f"Set `fixed_rate: {str(not self.fixed_rate).lower()}` if the address is right.",
            )
        return self.model_copy(update={"decimals": found, "shares": to_checksum_address(shares)})

    def encode(self, post: FundPost, valuation_time: Timestamp) -> bytes:
        """updateExchangeRate: the price per share in units of the base asset, rounded down.

        Raises:
            OutOfRange: the rate is zero at these decimals, or more than 96 bits. DomainError: no price of the base.
            ConfigurationError: the peer is not resolved.
        """
        return encode_call(UPDATE, price_units(self, post, resolved_decimals(self, self.decimals), UINT96))

    def confirmed(self, at: ReadPoint) -> Read[ConfirmedNav | None]:
        """The stored rate with the time of its post, held while paused; the NAV is rate x the vault's supply."""
        state = yield from self._state()
        return (yield from self._confirmed(state, at))

    def preview(self, post: FundPost, data: bytes, at: ReadPoint) -> PeerRead[Preview]:
        """Its state, its guards at `at.now` and with the margin, its own view, and the call as its sender."""
        rate = _posted(data)
        state = yield from self._state()
        bounds = state.bounds
        used = guards(bounds, rate, at.now)
        if state.paused:
            return Preview(post.fund, PAUSED, send=False, guards=used, role=OWNER, advice=recovery(bounds, rate))
        for guard in used[:2]:
            if not guard.passes:
                return _breach(post.fund, guard, used, bounds, rate)
        if self._stores(rate) == bounds.exchange_rate and not heartbeat_due(self, bounds.last_update, at.now):
            return unchanged(post.fund, used)
        ready_at = waits_until(bounds.last_update, bounds.delay, self.margin)
        if at.now < ready_at:
            return Preview(
                post.fund,
                TOO_EARLY,
                send=False,
                guards=used,
                ready_at=ready_at,
                advice=f"A post before {ready_at} could be stored and pause the accountant; it is sent after that.",
            )
        refusal = yield from self._its_own_view(post.fund, rate, state, used, at)
        if refusal is not None:
            return refusal
        name = yield from simulate(self, data, _ERRORS)
        if name is not None:
            return refused(post.fund, name, _REMEDIES, used, UPDATER)
        return Preview(post.fund, None, send=True, guards=used)

    def read_back(self, fund: str, data: bytes, receipt: Receipt, at: ReadPoint) -> Read[ReadBack]:
        """Whether the rate is stored, by this block, and not paused on."""
        rate = _posted(data)
        state = yield from self._state()
        confirmed = yield from self._confirmed(state, at)
        ours = self._stores(rate) == state.bounds.exchange_rate
        by_this_block = state.bounds.last_update == block_of(self, at).timestamp
        if not receipt.success:
            return ReadBack(fund, accepted=False, reason="reverted", confirmed=confirmed)
        if not (ours and by_this_block):
            reason = "superseded" if by_this_block else "missing"
            return ReadBack(fund, accepted=False, reason=reason, confirmed=confirmed)
        if state.paused:
            advice = f"The accountant stored {rate} and is paused. {recovery(state.bounds, rate)}"
            return ReadBack(fund, accepted=False, reason=PAUSED, confirmed=confirmed, role=OWNER, advice=advice)
        return ReadBack(fund, accepted=True, reason=None, confirmed=confirmed)

    def _call(self, data: bytes) -> Call:
        return Call(self.contract, data)

    def _state(self) -> Read[VedaState]:
        (data,) = yield (self._call(STATE),)
        values = decode_result(_STATE_TYPES, data)
        return VedaState(VedaBounds(values[4], values[5], values[6], Timestamp(values[7]), values[9]), values[8])

    def _is_fixed(self) -> Read[bool]:
        try:
            yield (self._call(FIXED_STATE),)
        except CallReverted:
            return False
        return True

    def _stores(self, rate: int) -> int:
        """What it stores of a posted rate."""
        return min(rate, SCALES[resolved_decimals(self, self.decimals)]) if self.fixed_rate else rate

    def _confirmed(self, state: VedaState, at: ReadPoint) -> Read[ConfirmedNav]:
        bounds = state.bounds
        price = from_units(bounds.exchange_rate, resolved_decimals(self, self.decimals), Rounding.DOWN)
        up, down = bounds.upper_bps - BPS, BPS - bounds.lower_bps
        return ConfirmedNav(
            nav=(yield from nav_by_supply(self, self.shares, price)),
            price_per_share=price,
            valuation_time=bounds.last_update,
            held=state.paused,
            block_number=block_of(self, at).number,
            frame=None,
            # It has no bound on a day; that one is only looked at together with a day's drift, which it has not either.
            bounds=PostBounds(up, down, max(up, down)),
        )

    def _its_own_view(
        self, fund: str, rate: int, state: VedaState, used: tuple[GuardUse, ...], at: ReadPoint
    ) -> Read[Preview | None]:
        """A refusal where its own view says more than its guards as we compute them."""
        # A streaming accountant lets only authorized callers ask.
        data = encode_call(PREVIEW, rate)
        call = self._call(data) if self.sender is None else Call(self.contract, data, direct=True, sender=self.sender)
        try:
            (answer,) = yield (call,)
        except CallReverted as error:
            return refused(fund, revert_name(error.data, _ERRORS), _VIEW_REMEDIES, used, OWNER)
        (will_pause, _, _) = decode_result(("bool", "uint256", "uint256"), answer)
        as_of_block = guards(state.bounds, rate, block_of(self, at).timestamp)
        # The view speaks of the newest block; a delay that was not over then is, by our arithmetic, over by now.
        if will_pause and all(guard.passes for guard in as_of_block):
            return Preview(
                fund,
                REFUSED,
                send=False,
                guards=used,
                role=OWNER,
                advice="previewUpdateExchangeRate says that this rate would pause it, though its bounds as they are "
                "known here let it through: a version with another guard. Read its source before it is posted to.",
            )
        return None


def _breach(fund: str, guard: GuardUse, used: tuple[GuardUse, ...], bounds: VedaBounds, rate: int) -> Preview:
    if bounds.exchange_rate == 0:
        return Preview(fund, guard.name, send=False, guards=used, role=OWNER, advice=FROM_ZERO)
    widen = widening(bounds, rate)
    return Preview(
        fund,
        guard.name,
        send=False,
        guards=used,
        role=OWNER,
        advice=f"The rate {rate} would be stored and pause the accountant: it takes {bounds.lowest} to "
        f"{bounds.highest}. If it is right, the owner {widen} before it is posted, and sets the bound back after.",
    )


def _posted(data: bytes) -> int:
    (rate,) = decode_result(("uint96",), data[4:])
    return int(rate)
