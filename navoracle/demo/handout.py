"""What a demo hands out to whoever wants to take part: the variables of its configuration, and throw-away keys."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from navoracle.chain.embedded import account_key
from navoracle.chain.signers import EphemeralSigner
from navoracle.demo.examples import example_configuration
from navoracle.demo.world import GUARDIAN, MANAGER, OPERATOR, POSTER, RISK
from navoracle.domain.errors import ConfigurationError, UsageError

CONFIGURATION: Final = "three-funds.yaml"
KEYS: Final[Mapping[str, int]] = {
    "poster": POSTER, "guardian": GUARDIAN, "manager": MANAGER, "risk": RISK, "admin": OPERATOR, "keeper": 5,
}  # fmt: skip
"""The accounts whose keys are handed out, by their file's name; `keeper` has no role: for a registry of one's own."""

NO_NODE: Final = "http://127.0.0.1:8545"
_FIRST_LINE: Final = "# Written by `navoracle demo`."
_SAYS: Final = (
    _FIRST_LINE,
    "# The keys are those of a chain that lives in the demo's process and ends with it. They are worth nothing, and",
    "# everybody has them: never send anything to their addresses on another chain.",
)


@dataclass(frozen=True, slots=True)
class Handout:
    """What was written.

    Attributes:
        environment: a file to `source`, mode 600.
        keys: key files, mode 600, by role.
        configuration: the demo's own configuration, which takes its variables from the environment.
        rpc: the node's URL; None where there is none.
        variables: everything in the environment file.
    """

    environment: Path
    keys: Mapping[str, Path]
    configuration: Path
    rpc: str | None
    variables: Mapping[str, str]


def hand_out(files: Path, environment: Mapping[str, str], rpc: str | None) -> Handout:
    """Write the files.

    Args:
        files: path and stem: `FILES.env`, and a folder `FILES-keys`.
        environment: the variables of the demo's world.
        rpc: the node's URL; None where there is none.

    Raises:
        UsageError: something else is there. ConfigurationError: they cannot be written.
    """
    where, folder = files.with_name(f"{files.name}.env").absolute(), files.with_name(f"{files.name}-keys").absolute()
    configuration = example_configuration(CONFIGURATION)
    keys = {role: folder / f"{role}.key" for role in KEYS}
    variables = {
        **environment,
        "HOME_RPC": rpc or NO_NODE,
        "KEY_FILE": str(keys["poster"]),
        "GUARDIAN_KEY_FILE": str(keys["guardian"]),
        "DEMO_CONFIG": str(configuration),
        "DEMO_KEYS": str(folder),
        "RPC_URL": rpc or NO_NODE,
        **{f"DEMO_{role.upper()}": EphemeralSigner(account_key(number)).address for role, number in KEYS.items()},
    }
    lines = [*_SAYS, *(() if rpc else (f"# Nothing answers at {NO_NODE}: `navoracle demo --serve --rpc 8545` does.",))]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    try:
        _refuse_others(where)
        folder.mkdir(mode=0o700, exist_ok=True)
        for role, file in keys.items():
            _write(file, account_key(KEYS[role]).hex() + "\n")
        _write(where, "\n".join(lines) + "\n")
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename} cannot be written: {error.strerror}", advice="Start the demo in a folder of your own."
        ) from error
    return Handout(where, keys, configuration, rpc, variables)


def _refuse_others(file: Path) -> None:
    if file.exists() and not file.read_text(encoding="utf-8", errors="replace").startswith(_FIRST_LINE):
        raise UsageError(
            f"{file} exists and is not a demo's", advice="Name another --database: the file lies beside it."
        )


def _write(file: Path, content: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        os.fchmod(descriptor, 0o600)
        out.write(content)
