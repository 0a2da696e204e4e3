"""Where signed requests come in, whatever way they took: verified, taken once, queued for the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from navoracle.domain.errors import RequestRefused
from navoracle.domain.units import Timestamp
from navoracle.ports import Address, Clock
from navoracle.requests.actions import DAY, DEFAULT_LIMITS, Action, Limit, Role
from navoracle.requests.authority import Authority
from navoracle.requests.document import ActionRequest, SignedRequest, parse_signed_request
from navoracle.store_port import Event, RequestRecord, Severity, Store

AHEAD: Final = 60
"""Seconds by which a signer's clock may be ahead of the keeper's."""

_LONGEST_SOURCE: Final = 200


@dataclass(frozen=True, slots=True)
class RequestSubject:
    """A fund that requests may speak of: where it is posted, who may ask, and how often.

    Attributes:
        hold_obstacle: why the keeper cannot hold it on its registry; None where it can.
    """

    chain_id: int
    authority: Authority
    limits: Mapping[Action, Limit] = field(default_factory=lambda: DEFAULT_LIMITS)
    hold_obstacle: str | None = None


@dataclass(frozen=True, slots=True)
class RequestTarget:
    """What a request about a fund has to name, how often it may be made, and why a hold would not reach the chain."""

    chain_id: int
    contract: Address
    limits: Mapping[Action, Limit]
    hold_obstacle: str | None


@dataclass(frozen=True, slots=True)
class RequestListener:
    """Who is told; neither may raise. `refused` gets the action, "unknown" where it could not be read."""

    taken: Callable[[RequestRecord], None] = lambda _: None
    refused: Callable[[str, RequestRefused], None] = lambda _action, _refusal: None


class RequestDesk:
    """Takes signed requests. Taking one only queues it: what follows passes the same guards as everything else.

    Args:
        subjects: the funds by their names.
        max_validity: seconds; a deadline farther ahead is refused, so that a lost request does not stay good for ever.
        listener: told of everything that was taken or refused.
    """

    def __init__(
        self,
        subjects: Mapping[str, RequestSubject],
        store: Store,
        clock: Clock,
        *,
        max_validity: int = DAY,
        listener: RequestListener | None = None,
    ) -> None:
        self._subjects = dict(subjects)
        self._store = store
        self._clock = clock
        self._max_validity = max_validity
        self._listener = listener or RequestListener()

    @property
    def targets(self) -> Mapping[str, RequestTarget]:
        """The funds that requests may speak of."""
        return {
            fund: RequestTarget(subject.chain_id, subject.authority.registry, subject.limits, subject.hold_obstacle)
            for fund, subject in self._subjects.items()
        }

    @property
    def max_validity(self) -> int:
        """Seconds ahead that a deadline may be at most."""
        return self._max_validity

    async def receive(self, document: bytes, source: str) -> RequestRecord:
        """Verify a request, take it, and use its nonce up.

        Args:
            document: the canonical JSON of a signed request.
            source: where it came from, for the log: "http 127.0.0.1".

        Raises:
            RequestRefused: it is not valid, not allowed, or was used before; the refusal is recorded as an event.
            ChainError: the signer's role cannot be read now. StoreError: it cannot be kept now. It may be sent again.
        """
        source = "".join(letter if letter.isprintable() else "?" for letter in source[:_LONGEST_SOURCE])
        signed: SignedRequest | None = None
        try:
            signed = parse_signed_request(document)
            subject = self._subject(signed.request)
            self._require_timely(signed.request, self._clock.now())
            role, at = await subject.authority.authorize(signed)
            # By the chain's time too: the keeper's clock may have been set back.
            self._require_timely(signed.request, Timestamp(max(self._clock.now(), at.timestamp)))
            record = self._take(signed, role, subject, source)
        except RequestRefused as refusal:
            self._note_refusal(refusal, signed, source)
            raise
        self._listener.taken(record)
        return record

    def _subject(self, request: ActionRequest) -> RequestSubject:
        subject = self._subjects.get(request.fund)
        if subject is None:
            raise RequestRefused(
                "unknown_fund",
                f"there is no fund {request.fund} that is posted by this keeper",
                advice="Write the fund's name as this keeper's configuration does.",
            )
        if request.chain != subject.chain_id:
            raise RequestRefused(
                "wrong_chain",
                f"the request is for chain {request.chain}; {request.fund} is posted on {subject.chain_id}",
                advice="Sign a request for this chain.",
            )
        if request.contract != subject.authority.registry:
            raise RequestRefused(
                "wrong_contract",
                f"the request is for {request.contract}; {request.fund} is posted to {subject.authority.registry}",
                advice="Sign a request for this registry.",
            )
        return subject

    def _require_timely(self, request: ActionRequest, now: Timestamp) -> None:
        if now > request.deadline:
            raise RequestRefused(
                "expired", f"the request ran out at {request.deadline}, it is {now}", advice="Sign a new one."
            )
        if request.deadline > now + self._max_validity + AHEAD:
            raise RequestRefused(
                "too_long",
                f"the request is good until {request.deadline}, more than {self._max_validity} s ahead",
                advice="Sign one with an earlier deadline: what stays good for long can be stolen and used later.",
            )
        if request.slot > now + AHEAD:
            raise RequestRefused(
                "too_early", f"the request is for {request.slot}, it is {now}", advice="Send it when its time has come."
            )

    def _take(self, signed: SignedRequest, role: Role, subject: RequestSubject, source: str) -> RequestRecord:
        request, now = signed.request, self._clock.now()
        record = RequestRecord(
            id=request.id,
            fund=request.fund,
            action=request.action.value,
            role=role.value,
            signer=signed.signer,
            chain_id=request.chain,
            contract=request.contract,
            nonce=request.nonce,
            slot=Timestamp(request.slot),
            reason=request.reason,
            deadline=Timestamp(request.deadline),
            document=signed.document().decode(),
            received_by=source,
        )
        limit = subject.limits.get(request.action)
        event = Event(
            at=now,
            kind="request_taken",
            fund=request.fund,
            severity=Severity.INFO,
            message=f"{request.action.value} asked for by {role.value} {signed.signer}: {request.reason}",
            data={"request": record.id, "action": record.action, "signer": record.signer, "source": source},
        )
        with self._store.transaction():
            self._store.take_request(
                record,
                now,
                at_most=None if limit is None else limit.at_most,
                within=0 if limit is None else limit.within,
            )
            self._store.append_event(event)
        return record

    def _note_refusal(self, refusal: RequestRefused, signed: SignedRequest | None, source: str) -> None:
        request = None if signed is None else signed.request
        known = request is not None and request.fund in self._subjects
        action = "unknown" if request is None else request.action.value
        facts = {
            "reason": refusal.reason,
            "source": source,
            "request": None if request is None else request.id,
            "action": action,
            "signer": None if signed is None else signed.signer,
        }
        structlog.get_logger("navoracle.requests").warning(
            "request_refused", detail=refusal.message, advice=refusal.advice, **facts
        )
        self._store.append_event(
            Event(
                at=self._clock.now(),
                kind="request_refused",
                fund=request.fund if request is not None and known else None,
                severity=Severity.WARNING,
                message=refusal.message,
                advice=refusal.advice,
                data=facts,
            )
        )
        self._listener.refused(action, refusal)
