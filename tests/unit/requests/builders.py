"""Signed requests, and a desk on a chain made of answers and a real SQLite store."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from navoracle.chain.signers import EphemeralSigner
from navoracle.domain.errors import RequestRefused
from navoracle.ports import Address
from navoracle.requests.actions import DEFAULT_LIMITS, Action, Limit
from navoracle.requests.authority import Authority, RoleCheck
from navoracle.requests.desk import RequestDesk, RequestListener, RequestSubject
from navoracle.requests.document import ActionRequest, SignedRequest
from navoracle.storage import SqlStore
from navoracle.store_port import RequestRecord
from navoracle.testing import FakeChain, FixedClock
from navoracle.testing.fakes import block_stamp

NOW = 1_800_000_000
CHAIN_ID = 31_337
REGISTRY = Address("0x00000000000000000000000000000000000000Be")
FUND = "stable"

GUARDIAN, RISK, MANAGER, ENGINE, NOBODY, BOTH = (
    EphemeralSigner(number.to_bytes(32, "big") + b"") for number in range(101, 107)
)
BITS = {GUARDIAN: 4, RISK: 2, MANAGER: 16, ENGINE: 32, NOBODY: 0, BOTH: 6}


def request(**changes: Any) -> ActionRequest:
    """A guardian's request to hold the fund, good for ten minutes."""
    fields: dict[str, Any] = {
        "fund": FUND,
        "action": Action.HOLD,
        "slot": NOW,
        "reason": "the price feed looks wrong",
        "deadline": NOW + 600,
        "nonce": 7,
        "chain": CHAIN_ID,
        "contract": REGISTRY,
    }
    return ActionRequest(**{**fields, **changes})


async def signed(signer: EphemeralSigner = GUARDIAN, /, **changes: Any) -> SignedRequest:
    """The request with its signer's signature."""
    asked = request(**changes)
    return SignedRequest(asked, signer.address, (await signer.sign_payload(asked.payload)).to_bytes())


@dataclass
class Office:
    """A desk, the store and the chain behind it, and all that its listener heard."""

    store: SqlStore
    chain: FakeChain = field(default_factory=lambda: FakeChain(block_stamp(NOW - 12, chain_id=CHAIN_ID)))
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    manager: RoleCheck | None = None
    limits: dict[Action, Limit] = field(default_factory=lambda: dict(DEFAULT_LIMITS))
    taken: list[RequestRecord] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def at(cls, folder: Path, **options: Any) -> Office:
        office = cls(SqlStore.open(f"sqlite:///{folder}/requests.db"), **options)
        for signer, bits in BITS.items():
            office.grant(signer.address, bits)
        return office

    def grant(self, account: Address, bits: int) -> None:
        self.chain.put(REGISTRY, "grantedRoles(address)", (account,), ("uint256",), bits)

    @property
    def desk(self) -> RequestDesk:
        subject = RequestSubject(CHAIN_ID, Authority(self.chain, REGISTRY, self.manager), self.limits)

        def refused(action: str, refusal: RequestRefused) -> None:
            self.refused.append((action, refusal.reason))

        listener = RequestListener(self.taken.append, refused)
        return RequestDesk({FUND: subject, "other": subject}, self.store, self.clock, listener=listener)

    async def receive(self, document: SignedRequest | bytes) -> RequestRecord:
        body = document.document() if isinstance(document, SignedRequest) else document
        return await self.desk.receive(body, "test")

    async def reason(self, document: SignedRequest | bytes) -> str:
        """Why a request is refused; "taken" where it is not."""
        try:
            await self.receive(document)
        except RequestRefused as refusal:
            return refusal.reason if refusal.advice else "refused without advice"
        return "taken"

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The data of the events of a kind, oldest first."""
        return [dict(row.event.data) for row in reversed(self.store.events(kind=kind))]


def with_signature(document: SignedRequest, signature: bytes) -> SignedRequest:
    """The same request with another signature."""
    return replace(document, signature=signature)
