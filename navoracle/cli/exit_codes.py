"""What a command's exit code says."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from navoracle.domain.errors import (
    ChainError,
    ConfigurationError,
    GuardRefused,
    NavoracleError,
    ReadError,
    RequestRefused,
    StoreError,
    UsageError,
    VerificationFailed,
)

INTERRUPTED: Final = 130
"""What a process ends with that was stopped before its end, as shells have it."""


class ExitCode(IntEnum):
    """The documented exit codes; a process that was interrupted ends with 130."""

    OK = 0
    DEFECT = 1
    USAGE = 2
    GUARD = 3
    CONFIGURATION = 4
    CHAIN = 5
    PARTLY = 6


DESCRIPTION: Final = (
    "Exit codes: 0 done, 1 unexpected (a defect), 2 wrong usage, 3 a guard refused, a verification failed or a request "
    "was refused, 4 configuration or database, 5 chain or source, 6 partly done, 130 interrupted."
)

_CODES: Final[tuple[tuple[type[NavoracleError], ExitCode], ...]] = (
    (UsageError, ExitCode.USAGE),
    (GuardRefused, ExitCode.GUARD),
    (VerificationFailed, ExitCode.GUARD),
    (RequestRefused, ExitCode.GUARD),
    (ConfigurationError, ExitCode.CONFIGURATION),
    (StoreError, ExitCode.CONFIGURATION),
    (ChainError, ExitCode.CHAIN),
    (ReadError, ExitCode.CHAIN),
)


def exit_code_of(error: NavoracleError) -> ExitCode:
    """The exit code of an error; DEFECT for a value that the core refuses where nobody expected one."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.DEFECT)
