"""What the command line of `navoracle emergency` asks for: a request, a call of one's own, and whose key signs.

Every function raises UsageError, with what to write instead, where the line does not say it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from navoracle.cli.runtime import Loaded, Runtime
from navoracle.domain.errors import RequestRefused, UsageError
from navoracle.ports import Address
from navoracle.registry_port import OwnCall
from navoracle.requests.actions import Action

if TYPE_CHECKING:
    from navoracle.config.signers import SignerSection
    from navoracle.requests.document import ActionRequest, SignedRequest

Chosen = TypeVar("Chosen", Action, OwnCall)

_LARGEST_FILE: Final = 64 * 1024


def signing_key(
    key_file: Path | None, keystore: Path | None, passphrase_file: Path | None, passphrase_variable: str | None
) -> SignerSection | None:
    """The key that the line names; None without one."""
    from navoracle.config.signers import KeyFileSection, KeystoreSection

    if key_file is not None and keystore is not None:
        raise UsageError("--key-file and --keystore are both named", advice="Sign with one of them.")
    if keystore is None and (passphrase_file is not None or passphrase_variable is not None):
        raise UsageError("a passphrase is for a --keystore", advice="Name the keystore, or leave the passphrase out.")
    if key_file is not None:
        return KeyFileSection(key_file=key_file)
    if keystore is None:
        return None
    if (passphrase_file is None) is (passphrase_variable is None):
        raise UsageError(
            "a --keystore needs one passphrase", advice="Add --passphrase-file FILE or --passphrase-variable NAME."
        )
    return KeystoreSection(
        kind="keystore", keystore=keystore, passphrase_file=passphrase_file, passphrase_variable=passphrase_variable
    )


def asked_request(
    loaded: Callable[[], Loaded],
    runtime: Runtime,
    action: str | None,
    fund: str | None,
    reason: str | None,
    slot: int | None,
    valid_for: int,
    nonce: int | None,
    file: Path | None,
) -> ActionRequest:
    """The request of the command line, or the one in a file."""
    from navoracle.composition.registry_decisions import registry_of
    from navoracle.requests.document import parse_request

    try:
        if file is not None:
            if action is not None or fund is not None or reason is not None:
                raise UsageError("--request has the action, the fund and the reason", advice="Leave them out.")
            return _from_file(file)
        wanted = _one_of(Action, action, "ACTION FUND --reason TEXT")
        if fund is None:
            raise _missing("FUND", f"{wanted.value} FUND --reason TEXT")
        if reason is None:
            raise _missing("--reason", f"{wanted.value} {fund} --reason TEXT")
        _, section, registry = registry_of(loaded().config, fund)
        now = runtime.clock.now()
        return parse_request(
            {
                "fund": fund,
                "action": wanted.value,
                "slot": now if slot is None else slot,
                "reason": reason,
                "deadline": now + valid_for,
                "nonce": secrets.randbelow(2**53) if nonce is None else nonce,
                "chain": section.chain_id,
                "contract": str(registry),
            }
        )
    except RequestRefused as error:
        raise UsageError(error.message, advice="Correct what is named.") from error


async def signed_request(
    asked: ActionRequest, key: SignerSection | None, signature: str | None, signer: str | None
) -> SignedRequest:
    """The request with the signature of a key, or with the one that a wallet made."""
    from navoracle.composition.requests import sign_request
    from navoracle.requests.document import SignedRequest

    if signature is None:
        if key is None or signer is not None:
            raise UsageError(
                "the request is not signed", advice="Add --key-file, --keystore, or --signature with --signer."
            )
        return await sign_request(asked, key)
    if key is not None or signer is None:
        raise UsageError("--signature goes with --signer, and with no key", advice="Say whose signature it is.")
    try:
        return SignedRequest(asked, Address(signer), bytes.fromhex(signature.removeprefix("0x")))
    except (RequestRefused, ValueError) as error:
        what = error.message if isinstance(error, RequestRefused) else "--signature is not hexadecimal"
        raise UsageError(what, advice="Copy the signature and the address as the wallet shows them.") from error


def named_call(action: str | None, fund: str | None) -> OwnCall:
    """The registry's call of that name, for a fund that is named."""
    wanted = _one_of(OwnCall, action, "ACTION FUND --send")
    if fund is None:
        raise _missing("FUND", f"{wanted.value} FUND --send")
    return wanted


def _from_file(file: Path) -> ActionRequest:
    from navoracle.requests.document import parse_request

    try:
        content = file.read_bytes()[: _LARGEST_FILE + 1]
        found: object = json.loads(content) if len(content) <= _LARGEST_FILE else None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"--request {file} cannot be read: {type(error).__name__}", advice="Name what --unsigned --json printed."
        ) from error
    if not isinstance(found, dict) or "request" not in found:
        raise UsageError(f"--request {file} holds no request", advice="Name what --unsigned --json printed.")
    return parse_request(found["request"])


def _one_of(known: type[Chosen], action: str | None, write: str) -> Chosen:
    """The action of that name. Raises UsageError: there is none, with the nearest one."""
    names = [each.value for each in known]
    if action is None:
        raise _missing("ACTION", write, f" Actions: {' '.join(names)}.")
    if action in names:
        return known(action)
    told = action.replace("-", "_").lower()
    nearest = [name for name in names if told and name.startswith(told)] or get_close_matches(told, names, n=1)
    guess = f"Did you mean {nearest[0]}? " if nearest else ""
    raise UsageError(f"there is no action {action!r}", advice=f"{guess}Actions: {' '.join(names)}.")


def _missing(what: str, write: str, more: str = "") -> UsageError:
    return UsageError(f"{what} is missing", advice=f"Write: navoracle emergency {write}.{more}")
