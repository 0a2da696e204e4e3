"""Signed requests by the configuration: the desk where they come in, the drop folder, and signing one."""

from __future__ import annotations

from collections.abc import Mapping

from navoracle.chain.signers import sign_checked
from navoracle.composition.signers import signer_of
from navoracle.composition.system import ChainAccess
from navoracle.config.funds import FundSection
from navoracle.config.models import Config
from navoracle.config.requests import LimitSection, ManagerSection
from navoracle.config.signers import SignerSection
from navoracle.keeper.emergency_path import no_key
from navoracle.ports import Clock
from navoracle.requests.actions import DEFAULT_LIMITS, Action, Limit
from navoracle.requests.authority import Authority, RoleCheck
from navoracle.requests.desk import RequestDesk, RequestListener, RequestSubject
from navoracle.requests.document import ActionRequest, SignedRequest
from navoracle.requests.drop_folder import DropFolder
from navoracle.store_port import Store


def request_desk(
    config: Config,
    chains: Mapping[str, ChainAccess],
    store: Store,
    clock: Clock,
    listener: RequestListener | None = None,
) -> RequestDesk:
    """The desk for every fund that is posted to a registry; there are no requests about the others."""
    return RequestDesk(
        request_subjects(config, chains),
        store,
        clock,
        max_validity=config.service.requests.max_validity,
        listener=listener,
    )


def drop_folder(config: Config, desk: RequestDesk, clock: Clock) -> DropFolder | None:
    """The configured drop folder; None where there is none."""
    folder = config.service.requests.drop_folder
    return None if folder is None else DropFolder(folder, desk, clock)


def request_subjects(config: Config, chains: Mapping[str, ChainAccess]) -> dict[str, RequestSubject]:
    """Every fund that is posted to a registry, with who may ask and how often."""
    found = {}
    for name, fund in config.funds.items():
        section = None if fund.chain is None else config.chains[fund.chain]
        if fund.chain is None or section is None or section.registry is None:
            continue
        authority = Authority(chains[fund.chain].reader, section.registry, _role_check(fund.requests.manager))
        found[name] = RequestSubject(
            section.chain_id, authority, _limits(config, fund), hold_obstacle(config, fund.chain)
        )
    return found


def hold_obstacle(config: Config, chain: str) -> str | None:
    """Why the keeper cannot hold the funds of a chain on their registry; None where it can."""
    return no_key(chain) if config.chains[chain].guardian is None else None


def _role_check(manager: ManagerSection | None) -> RoleCheck | None:
    if manager is None:
        return None
    return RoleCheck(manager.contract, None if manager.role is None else bytes.fromhex(manager.role[2:]))


def _limits(config: Config, fund: FundSection) -> dict[Action, Limit]:
    said: dict[Action, LimitSection] = {**config.service.requests.limits, **fund.requests.limits}
    return {**DEFAULT_LIMITS, **{action: Limit(section.at_most, section.within) for action, section in said.items()}}


async def sign_request(request: ActionRequest, section: SignerSection) -> SignedRequest:
    """Sign a request with a configured signer, and check what it signed.

    Raises:
        ConfigurationError: the key cannot be used. SignerFailed: it did not sign, or signed something else.
    """
    signer = signer_of(section, "the given signer")
    signature = await sign_checked(signer, request.payload)
    return SignedRequest(request, signer.address, signature.to_bytes())
