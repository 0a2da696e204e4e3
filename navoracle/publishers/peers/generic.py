"""Any setter, as a user declares it: which arguments it takes, what must hold before it, and where its value is read.

Nothing is known of such a contract but what is declared, so everything is checked where the configuration is loaded,
and the call is simulated as its sender before every post.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from navoracle.abi import argument_types, decode_result, encode_call
from navoracle.domain.conversions import from_units, integer_type
from navoracle.domain.errors import CallReverted, OutOfRange
from navoracle.domain.prior import ConfirmedNav, PostBounds
from navoracle.domain.units import SCALES, Rounding, Timestamp, Wad
from navoracle.ports import Read, ReadPoint
from navoracle.publisher_port import FundPost, Preview, ReadBack, Receipt
from navoracle.publishers.peers.amounts import heartbeat_due, nav_by_supply, price_by_supply
from navoracle.publishers.peers.base import PeerModel, PeerRead, unchanged
from navoracle.publishers.peers.generic_checks import (
    Finding,
    Times,
    check_bounds,
    check_guard,
    check_moments,
    check_order,
)
from navoracle.publishers.peers.generic_declarations import (
    Argument,
    Bounds,
    HeldView,
    Interval,
    check_argument,
    check_held,
    check_places,
    scaled,
)
from navoracle.publishers.peers.generic_views import Guard, literal, types_of
from navoracle.publishers.peers.simulation import refused, revert_name, simulate
from navoracle.readers import ChecksumAddress, Name, block_of

UNREADABLE: Final = "unreadable"


class Held(NamedTuple):
    """A value of the contract's, in its own units, and the time that it keeps for it."""

    value: int
    time: Timestamp


class GenericPeer(PeerModel, frozen=True):
    """A contract with a setter that is declared.

    Attributes:
        signature: of the setter, types only: "setPrice(int256)".
        arguments: one for each of its types.
        held_view: where the held value and its time are read: for bounds, waits, and the value that is served.
        posted_view: where a post is found right after it was mined, where that is another place.
        guards: what must hold before a post, in this order.
        bounds: how far a post may lie from the held value.
        interval: the wait after the held value's time.
        shares: the share token: its supply makes a price of a held NAV, or a NAV of a held price.
        errors: signatures of the contract's custom errors, so that a refusal is told by its name.
        role: who must act where the contract would refuse: "SETTER_ROLE".
        advice: what that role does.
    """

    kind: Literal["generic"] = "generic"
    signature: Name
    arguments: tuple[Argument, ...] = Field(min_length=1)
    held_view: HeldView
    posted_view: HeldView | None = None
    guards: tuple[Guard, ...] = ()
    bounds: Bounds | None = None
    interval: Interval | None = None
    shares: ChecksumAddress | None = None
    errors: tuple[Name, ...] = ()
    role: Name
    advice: Name

    @model_validator(mode="after")
    def _check_declaration(self) -> Self:
        types = types_of(self.signature)
        if len(types) != len(self.arguments):
            raise ValueError(f"{self.signature} takes {len(types)} arguments, {len(self.arguments)} are declared")
        for place, (type_, argument) in enumerate(zip(types, self.arguments, strict=True)):
            check_argument(argument, type_, place)
        for error in self.errors:
            types_of(error)
        views = [guard.view for guard in self.guards]
        for held in (self.held_view, *(() if self.posted_view is None else (self.posted_view,))):
            views += [held, *(() if held.time_view is None else (held.time_view,))]
            check_held(held, self.signature, self.arguments)
        for view in views:
            check_places(view, types)
        if self.held_view.places or (self.held_view.time_view is not None and self.held_view.time_view.places):
            raise ValueError("held_view: what is held is read without a post, so no argument of one can be `posted`")
        if self.interval is not None and self.held_view.time != "block":
            raise ValueError(
                "interval: it is measured from the block of the last post; `held_view` answers another time"
            )
        if self._amount(self.held_view).value != "price_per_share" and self.shares is None:
            raise ValueError("the held value is a NAV: give `shares`, the token whose supply makes a price of it")
        return self

    def encode(self, post: FundPost, valuation_time: Timestamp) -> bytes:
        """The setter's call.

        Raises:
            OutOfRange: an amount is zero or less, or does not fit its type; the message names the argument.
            DomainError: the post has no price of the base.
        """
        values = [
            self._value(place, type_, argument, post, valuation_time)
            for place, (type_, argument) in enumerate(zip(types_of(self.signature), self.arguments, strict=True))
        ]
        return encode_call(self.signature, *values)

    def _value(self, place: int, type_: str, argument: Argument, post: FundPost, valuation_time: Timestamp) -> Any:
        if argument.literal is not None:
            return literal(type_, argument.literal)
        if argument.value == "valuation_time":
            value = valuation_time + argument.offset
        elif argument.value == "confidence":
            value = int(post.confidence)
        else:
            amount = {"price_per_share": post.price_per_share, "nav": post.nav, "nav_before": post.nav_before}
            scale = SCALES[argument.scale or 0]
            value = scaled(amount[argument.value], scale, self.price_of_base(post), argument.rounding)
            if value <= 0:
                raise OutOfRange(
                    f"{post.fund}: {argument.value} is {value} at {argument.scale} decimals",
                    advice="Zero or less is never posted; look at the NAV, and at the declared scale.",
                )
        return integer_type(type_).check(value, f"{post.fund}: argument {place}, {argument.value}")

    def confirmed(self, at: ReadPoint) -> Read[ConfirmedNav | None]:
        """What the held view answers; None where it reverts, or holds nothing yet. Held where a guard says so."""
        held = yield from self._find(self.held_view, ())
        return None if held is None else (yield from self._confirmed(held, at))

    def preview(self, post: FundPost, data: bytes, at: ReadPoint) -> PeerRead[Preview]:
        """The declared guards, bounds and waits, then the call as the peer's sender."""
        posted = self._posted(data)
        times = Times(block_of(self, at).timestamp, at.now, self.margin)
        try:
            held = yield from self._read(self.held_view, ())
            findings = yield from self._findings(posted, held, times)
        except CallReverted as error:
            name = revert_name(error.data, self.errors)
            advice = f"A view that was declared reverts with {name!r}: nothing is known of what is held. {self.advice}"
            return Preview(post.fund, UNREADABLE, send=False, role=self.role, advice=advice)
        used = tuple(finding.use for finding in findings)
        # What somebody must act on is told before what only takes time.
        refusals = [finding.refusal for finding in findings if finding.refusal is not None]
        breach = next((refusal for refusal in refusals if refusal.ready_at is None), None)
        if breach is not None:
            ours = breach.advice is None
            role = breach.role or (self.role if ours else None)
            return Preview(
                post.fund, breach.reason, send=False, guards=used, role=role, advice=breach.advice or self.advice
            )
        if held.value == posted[self._place(self.held_view)] and not heartbeat_due(self, held.time, at.now):
            return unchanged(post.fund, used)
        if refusals:
            last = max(refusals, key=lambda refusal: refusal.ready_at or 0)
            return Preview(
                post.fund, last.reason, send=False, guards=used, ready_at=last.ready_at, advice=last.advice or ""
            )
        # A simulation runs at the newest block's time: where that was too early, its refusal says nothing of now.
        if not any(finding.early_at_block for finding in findings):
            refusal = yield from simulate(self, data, self.errors)
            if refusal is not None:
                return refused(post.fund, refusal, {}, used, self.role)
        return Preview(post.fund, None, send=True, guards=used)

    def read_back(self, fund: str, data: bytes, receipt: Receipt, at: ReadPoint) -> Read[ReadBack]:
        """Whether the posted value is held, with the time that it was to have, and no guard speaks against it."""
        posted = self._posted(data)
        view = self.held_view if self.posted_view is None else self.posted_view
        confirmed = (yield from self.confirmed(at)) or _nothing(block_of(self, at).number)
        found = yield from self._find(view, posted)
        failed = yield from self._failed_after(block_of(self, at).timestamp)
        due = block_of(self, at).timestamp if view.time_argument is None else Timestamp(posted[view.time_argument])
        reason: str | None
        if not receipt.success:
            reason = "reverted"
        elif found is None or found.time < due:
            reason = "missing"
        elif found != Held(posted[self._place(view)], due):
            reason = "superseded"
        else:
            reason = None if failed is None else failed.name
        act = failed is not None and reason == failed.name
        return ReadBack(
            fund,
            accepted=reason is None,
            reason=reason,
            confirmed=confirmed,
            role=(failed.role or self.role) if failed is not None and act else None,
            advice=(failed.advice or self.advice) if failed is not None and act else "",
        )

    def _findings(self, posted: tuple[Any, ...], held: Held, times: Times) -> Read[list[Finding]]:
        """All checks, in the order in which their refusals are told."""
        found: list[Finding] = []
        for guard in self.guards:
            found.append((yield from check_guard(guard, self.contract, posted, times)))
        if self.bounds is not None:
            delta = self.bounds.delta
            if self.bounds.delta_view is not None:
                delta = yield from self.bounds.delta_view.ask(self.contract, ())
            found += check_bounds(self.bounds, held.value, posted[self._place(self.held_view)], delta)
        if self.held_view.time_argument is not None:
            found.append(check_order(held.time, Timestamp(posted[self.held_view.time_argument])))
        found += check_moments(self.arguments, posted, times)
        if self.interval is not None:
            found.append(times.wait("interval", held.time, self.interval.least))
        return found

    def _failed_after(self, block_time: Timestamp) -> Read[Guard | None]:
        """The first guard that must hold after a post, and does not."""
        times = Times(block_time, block_time, self.margin)
        for guard in self.guards:
            if guard.after_post:
                finding = yield from check_guard(guard, self.contract, (), times)
                if finding.refusal is not None:
                    return guard
        return None

    def _posted(self, data: bytes) -> tuple[Any, ...]:
        return decode_result(argument_types(self.signature), data[4:])

    def _place(self, view: HeldView) -> int:
        """Which argument of the setter a view answers."""
        if view.argument is not None:
            return view.argument
        return next(place for place, argument in enumerate(self.arguments) if argument.is_amount)

    def _amount(self, view: HeldView) -> Argument:
        return self.arguments[self._place(view)]

    def _read(self, view: HeldView, posted: tuple[Any, ...]) -> Read[Held]:
        values = yield from view.ask(self.contract, posted)
        timed = values if view.time_view is None else (yield from view.time_view.ask(self.contract, posted))
        return Held(values[view.index], Timestamp(timed[view.time_index]))

    def _find(self, view: HeldView, posted: tuple[Any, ...]) -> Read[Held | None]:
        """What a view answers; None where it reverts."""
        try:
            return (yield from self._read(view, posted))
        except CallReverted:
            return None

    def _confirmed(self, held: Held, at: ReadPoint) -> Read[ConfirmedNav | None]:
        if held.value <= 0 or held.time == 0:
            return None
        amount = self._amount(self.held_view)
        value = from_units(held.value, amount.scale or 0, Rounding.DOWN)
        if amount.value == "price_per_share":
            price: Wad | None = value
            nav = yield from nav_by_supply(self, self.shares, value)
        else:
            nav = value
            price = None if self.shares is None else (yield from price_by_supply(self, self.shares, value))
        if price is None:
            return None
        return ConfirmedNav(
            nav=nav,
            price_per_share=price,
            valuation_time=held.time,
            held=(yield from self._failed_after(block_of(self, at).timestamp)) is not None,
            block_number=block_of(self, at).number,
            frame=None,
            bounds=self._post_bounds(),
        )

    def _post_bounds(self) -> PostBounds | None:
        """The declared bounds on a step, where both are in bps; there is none on a day."""
        if self.bounds is None or self.bounds.up_bps is None or self.bounds.down_bps is None:
            return None
        return PostBounds(self.bounds.up_bps, self.bounds.down_bps, max(self.bounds.up_bps, self.bounds.down_bps))


def _nothing(block_number: int) -> ConfirmedNav:
    """What a contract without a value holds: no price, of no time."""
    return ConfirmedNav(None, Wad(0), Timestamp(0), held=False, block_number=block_number, frame=None)
