"""Signed requests against the real registry on the embedded chain, with a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from navoracle.abi import encode_call
from navoracle.chain.deploy import FundOpening, RegistryRoles, deploy_contract, deploy_registry
from navoracle.chain.embedded import EmbeddedChain
from navoracle.chain.signers import EphemeralSigner
from navoracle.domain.errors import RequestRefused
from navoracle.domain.units import WAD, Timestamp, Wad
from navoracle.ports import Address
from navoracle.requests.actions import Action
from navoracle.requests.authority import Authority, RoleCheck
from navoracle.requests.desk import RequestDesk, RequestSubject
from navoracle.requests.document import ActionRequest, SignedRequest
from navoracle.storage import SqlStore

ADMIN, POSTER, RISK, GUARDIAN, MANAGER, ENGINE, NOBODY, VAULT = range(8)

# Answers every call with the 32 bytes that follow its code.
ALWAYS = "7f{word}60005260206000f3"


class ChainClock:
    """The newest block's time."""

    def __init__(self, chain: EmbeddedChain) -> None:
        self._chain = chain

    def now(self) -> Timestamp:
        return self._chain.now

    async def sleep(self, seconds: float) -> None:
        self._chain.mine(Timestamp(self._chain.now + max(1, round(seconds))))


@dataclass
class Setting:
    """A registry with one fund and all roles, and a desk for it."""

    chain: EmbeddedChain
    registry: Address
    store: SqlStore
    manager: RoleCheck | None = None

    def desk(self) -> RequestDesk:
        authority = Authority(self.chain.reader(finality=2), self.registry, self.manager)
        subject = RequestSubject(self.chain.chain_id, authority)
        return RequestDesk({"fund": subject}, self.store, ChainClock(self.chain))

    async def signed(self, account: int | EphemeralSigner, action: Action, **changes: Any) -> SignedRequest:
        now = self.chain.now
        fields = {
            "fund": "fund",
            "action": action,
            "slot": now,
            "reason": "test",
            "deadline": now + 600,
            "nonce": 1,
            "chain": self.chain.chain_id,
            "contract": self.registry,
        }
        asked = ActionRequest(**{**fields, **changes})
        signer = self.chain.signers[account] if isinstance(account, int) else account
        return SignedRequest(asked, signer.address, (await signer.sign_payload(asked.payload)).to_bytes())

    async def reason(self, document: SignedRequest) -> str:
        try:
            record = await self.desk().receive(document.document(), "test")
        except RequestRefused as refusal:
            return refusal.reason
        return record.role

    async def as_admin(self, signature: str, *arguments: object) -> None:
        await self.chain.transact(self.registry, encode_call(signature, *arguments), ADMIN)

    def finalize(self) -> None:
        for _ in range(2):
            self.chain.mine(Timestamp(self.chain.now + 12))

    async def answering(self, word: bytes) -> Address:
        """A contract that answers every call with this word."""
        code = bytes.fromhex(ALWAYS.format(word=word.rjust(32, b"\0").hex()))
        creation = b"\x60" + bytes([len(code)]) + b"\x80\x60\x0b\x60\x00\x39\x60\x00\xf3" + code
        return await deploy_contract(self.chain.transactor(ADMIN), creation)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Setting]:
    chain = EmbeddedChain()
    accounts = chain.accounts
    deployed = await deploy_registry(
        chain.transactor(ADMIN),
        RegistryRoles(*(accounts[role] for role in (ADMIN, POSTER, RISK, GUARDIAN, MANAGER, ENGINE))),
        funds=[FundOpening(1, accounts[VAULT], Wad(10**24), Wad(WAD), Timestamp(chain.now - 60))],
    )
    with SqlStore.open(f"sqlite:///{tmp_path}/requests.db") as store:
        setting = Setting(chain, deployed.address, store)
        setting.finalize()
        yield setting


async def test_deploy__manager_and_engine__hold_their_bits(here: Setting) -> None:
    for account, bits in ((MANAGER, 16), (ENGINE, 32), (RISK, 2), (GUARDIAN, 4), (POSTER, 1), (NOBODY, 0)):
        answer = await here.chain.reader().call(
            here.registry, encode_call("grantedRoles(address)", here.chain.accounts[account])
        )
        assert int.from_bytes(answer, "big") == bits


ROLES = {
    Action.UPDATE: {MANAGER: "manager"},
    Action.EMERGENCY_UPDATE: {GUARDIAN: "guardian", RISK: "risk"},
    Action.HOLD: {GUARDIAN: "guardian", RISK: "risk"},
    Action.RESET_BREAKER: {RISK: "risk"},
    Action.REBASE: {RISK: "risk"},
    Action.ACCEPT: {RISK: "risk"},
    Action.RELEASE: {RISK: "risk"},
    Action.DISCARD: {RISK: "risk"},
    Action.POST_TRADE: {ENGINE: "engine"},
}


@pytest.mark.parametrize("action", Action)
async def test_receive__each_action__is_for_the_holders_of_its_role(here: Setting, action: Action) -> None:
    for account in (ADMIN, POSTER, RISK, GUARDIAN, MANAGER, ENGINE, NOBODY):
        found = await here.reason(await here.signed(account, action, nonce=account, reason=f"account {account}"))
        assert found == ROLES[action].get(account, "wrong_role")
    assert len(here.store.queued_requests()) == len(ROLES[action])


async def test_receive__role_revoked__counts_until_the_revocation_is_final_and_no_longer(here: Setting) -> None:
    await here.as_admin("setRole(address,uint256)", here.chain.accounts[GUARDIAN], 0)
    assert await here.reason(await here.signed(GUARDIAN, Action.HOLD, nonce=1)) == "guardian"
    here.finalize()
    assert await here.reason(await here.signed(GUARDIAN, Action.HOLD, nonce=2)) == "wrong_role"


async def test_receive__role_granted_a_moment_ago__counts_once_it_is_final(here: Setting) -> None:
    await here.as_admin("setRole(address,uint256)", here.chain.accounts[NOBODY], 4)
    document = await here.signed(NOBODY, Action.HOLD)
    assert await here.reason(document) == "wrong_role"
    here.finalize()
    assert await here.reason(document) == "guardian"
    assert await here.reason(document) == "replayed"


async def test_receive__time_passes__expires(here: Setting) -> None:
    document = await here.signed(GUARDIAN, Action.HOLD)
    here.chain.mine(Timestamp(here.chain.now + 601))
    assert await here.reason(document) == "expired"


async def test_receive__stolen_for_another_chain_or_registry__is_refused(here: Setting) -> None:
    assert await here.reason(await here.signed(GUARDIAN, Action.HOLD, chain=1)) == "wrong_chain"
    other = here.chain.accounts[VAULT]
    assert await here.reason(await here.signed(GUARDIAN, Action.HOLD, contract=other)) == "wrong_contract"
    document = await here.signed(GUARDIAN, Action.HOLD, chain=1)
    moved = replace(document, request=replace(document.request, chain=here.chain.chain_id))
    assert await here.reason(moved) == "bad_signature"


@pytest.mark.parametrize(("answer", "found"), [("1626ba7e", "guardian"), ("ffffffff", "bad_signature")])
async def test_receive__guardian_is_a_smart_account__is_asked_on_chain(here: Setting, answer: str, found: str) -> None:
    account = await here.answering(bytes.fromhex(answer).ljust(32, b"\0"))
    await here.as_admin("setRole(address,uint256)", account, 4)
    here.finalize()
    document = await here.signed(NOBODY, Action.HOLD)
    assert await here.reason(replace(document, signer=account, signature=b"\x01" * 130)) == found


async def test_receive__signature_of_an_account_without_code__is_refused(here: Setting) -> None:
    document = await here.signed(NOBODY, Action.HOLD)
    assert await here.reason(replace(document, signer=here.chain.accounts[GUARDIAN])) == "bad_signature"


async def test_receive__manager_by_owner_of_the_vault__is_who_the_vault_says(here: Setting) -> None:
    owner = bytes.fromhex(here.chain.accounts[NOBODY][2:])
    here.manager = RoleCheck(await here.answering(owner))
    here.finalize()
    assert await here.reason(await here.signed(NOBODY, Action.UPDATE)) == "manager"
    assert await here.reason(await here.signed(MANAGER, Action.UPDATE, nonce=2)) == "wrong_role"


@pytest.mark.parametrize(("answer", "found"), [(b"\x01", "manager"), (b"\x00", "wrong_role")])
async def test_receive__manager_by_access_control__is_who_has_the_role(
    here: Setting, answer: bytes, found: str
) -> None:
    here.manager = RoleCheck(await here.answering(answer), bytes(32))
    here.finalize()
    assert await here.reason(await here.signed(NOBODY, Action.UPDATE)) == found
