"""From a configuration to the desk: which funds requests may speak of, who manages them, how often they may ask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_keyfile.keyfile import create_keyfile_json

from navoracle.chain.signers import EphemeralSigner
from navoracle.composition.requests import drop_folder, request_desk, request_subjects, sign_request
from navoracle.config.loading import parse_config
from navoracle.config.signers import KeyFileSection, KeystoreSection
from navoracle.domain.errors import ConfigurationError
from navoracle.requests.actions import DEFAULT_LIMITS, Action, Limit
from navoracle.requests.authority import RoleCheck
from navoracle.requests.document import parse_signed_request
from navoracle.signatures import decode_signature, recover_address
from navoracle.storage import SqlStore
from navoracle.testing import FixedClock
from tests.unit.requests.builders import NOW, REGISTRY, request

VAULT = "0x00000000000000000000000000000000000000fa"
ROLE = "0x" + "00" * 31 + "09"
KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"


class Reached:
    """A chain that is reached by nobody."""

    reader = None


def config_of(fund: dict[str, Any] | None = None, service: dict[str, Any] | None = None) -> Any:
    cash = {"kind": "declared", "asset": "USD", "component": "cash", "amount": "1"}
    least = {"supply": {"kind": "fixed", "shares": "1"}, "positions": [cash]}
    chains = {
        "home": {"chain_id": 31_337, "rpc": "http://localhost", "registry": REGISTRY},
        "bare": {"chain_id": 2, "rpc": "http://localhost"},
    }
    funds = {
        "stable": {"id": 1, "chain": "home", **least, **(fund or {})},
        "unposted": {"id": 2, **least},
        "bare": {"id": 3, "chain": "bare", **least},
    }
    return parse_config({"chains": chains, "assets": {}, "funds": funds, "service": service or {}}, "test")


def subjects(config: Any) -> Any:
    return request_subjects(config, {"home": Reached(), "bare": Reached()})  # type: ignore[dict-item]


def test_subjects__of_a_configuration__are_the_funds_that_are_posted_to_a_registry() -> None:
    found = subjects(config_of())
    assert set(found) == {"stable"}
    assert (found["stable"].chain_id, found["stable"].authority.registry) == (31_337, REGISTRY)
    assert found["stable"].authority.manager is None
    assert found["stable"].limits == DEFAULT_LIMITS


@pytest.mark.parametrize(
    ("manager", "check"),
    [
        ({"contract": VAULT, "role": ROLE}, RoleCheck(VAULT, bytes(31) + b"\x09")),  # type: ignore[arg-type]
        ({"contract": VAULT, "owner": True}, RoleCheck(VAULT)),  # type: ignore[arg-type]
    ],
)
def test_subjects__manager_is_configured__is_asked_there(manager: dict[str, Any], check: RoleCheck) -> None:
    assert subjects(config_of({"requests": {"manager": manager}}))["stable"].authority.manager == check


def test_subjects__limits__are_the_funds_before_the_services_before_the_usual() -> None:
    service = {"requests": {"limits": {"update": {"at_most": 3, "within": 5}, "hold": {"at_most": 9, "within": 9}}}}
    fund = {"requests": {"limits": {"update": {"at_most": 7, "within": 60}}}}
    limits = subjects(config_of(fund, service))["stable"].limits
    assert limits == {**DEFAULT_LIMITS, Action.UPDATE: Limit(7, 60), Action.HOLD: Limit(9, 9)}


@pytest.mark.parametrize(
    "requests",
    [
        {"manager": {"contract": VAULT}},
        {"manager": {"contract": VAULT, "role": ROLE, "owner": True}},
        {"manager": {"contract": VAULT, "role": "0x09"}},
        {"manager": {"contract": VAULT.upper().replace("0X", "0x"), "owner": True}},
        {"limits": {"mint": {"at_most": 1, "within": 1}}},
        {"limits": {"update": {"at_most": 0, "within": 1}}},
    ],
)
def test_section__that_cannot_be__is_refused_with_its_place(requests: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"funds\.stable\.requests"):
        config_of({"requests": requests})


def test_drop_folder__configured_or_not__is_there_or_not(tmp_path: Path) -> None:
    clock = FixedClock(NOW)
    with SqlStore.open(f"sqlite:///{tmp_path}/requests.db") as store:
        for section, there in (({}, False), ({"requests": {"drop_folder": str(tmp_path)}}, True)):
            config = config_of(service=section)
            desk = request_desk(config, {"home": Reached(), "bare": Reached()}, store, clock)  # type: ignore[dict-item]
            assert (drop_folder(config, desk, clock) is not None) is there


async def test_sign_request__key_file_and_keystore__sign_the_same(tmp_path: Path) -> None:
    files = {
        "key": KEY,
        "store": json.dumps(create_keyfile_json(bytes.fromhex(KEY), b"open", iterations=2)),
        "p": "open",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o600)
    by_key = await sign_request(request(), KeyFileSection(key_file=tmp_path / "key"))
    keystore = KeystoreSection(kind="keystore", keystore=tmp_path / "store", passphrase_file=tmp_path / "p")
    assert await sign_request(request(), keystore) == by_key
    assert parse_signed_request(by_key.document()) == by_key
    assert by_key.signer == EphemeralSigner(bytes.fromhex(KEY)).address
    assert recover_address(request().digest, decode_signature(by_key.signature)) == by_key.signer
