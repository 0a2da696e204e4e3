"""Proposals as signed files in a folder, for owners who sign by other ways than a service.

CHAIN-SAFE-NONCE-HASH.json      chain id, the Safe's address, its nonce and the safeTxHash
"""

from __future__ import annotations

import asyncio
import os
import secrets
from pathlib import Path

from navoracle.domain.errors import ConfigurationError
from navoracle.ports import Address
from navoracle.private_file import read_private
from navoracle.safe.account import SafeState
from navoracle.safe.document import LARGEST_DOCUMENT, SignedProposal, check_signatures, parse_proposal
from navoracle.safe.known import PAST_LOOKED_AT, KnownProposal


class ProposalFolder:
    """A folder of signed proposals; implements `Proposals`. Files are their owner's alone, and appear whole.

    Args:
        folder: made by the operator. Nothing is ever removed from it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def known(self, state: SafeState) -> tuple[KnownProposal, ...]:
        """The proposals for this Safe, from some nonces before its own on.

        Raises:
            ConfigurationError: the folder or a file cannot be read, or others than its owner may.
            VerificationFailed: a file is not what a keeper wrote, or is not the one that its name says.
        """
        return await asyncio.to_thread(self._read, state)

    async def put(self, signed: SignedProposal) -> str:
        """Write a proposal; the same one again takes its own place. Raises ConfigurationError: it cannot be written."""
        return str(await asyncio.to_thread(self._write, signed))

    def _read(self, state: SafeState) -> tuple[KnownProposal, ...]:
        prefix = f"{state.chain_id}-{state.safe}-"
        try:
            names = sorted(entry.name for entry in os.scandir(self._folder) if entry.name.startswith(prefix))
        except OSError as error:
            raise self._unusable(error) from error
        found = []
        for name in names:
            nonce = name.removeprefix(prefix).partition("-")[0]
            if name.endswith(".json") and nonce.isdecimal() and int(nonce) >= state.nonce - PAST_LOOKED_AT:
                found.append(self._known(self._folder / name))
        return tuple(found)

    def _known(self, path: Path) -> KnownProposal:
        signed = parse_proposal(read_private(path, "proposal", LARGEST_DOCUMENT), str(path))
        check_signatures(signed, str(path))
        if path.name != name_of(signed):
            raise ConfigurationError(
                f"{path} holds the proposal {name_of(signed)}", advice="Give the file its name back, or move it away."
            )
        proposal = signed.proposal
        return KnownProposal(proposal.transaction, str(path), proposal.purpose, proposal.proposer)

    def _write(self, signed: SignedProposal) -> Path:
        path = self._folder / name_of(signed)
        unfinished = self._folder / f".{path.name}.{secrets.token_hex(4)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            try:
                with os.fdopen(os.open(unfinished, flags, 0o600), "wb") as file:
                    file.write(signed.document())
                    file.flush()
                    os.fsync(file.fileno())
                unfinished.replace(path)
            finally:
                unfinished.unlink(missing_ok=True)
            _sync(self._folder)
        except OSError as error:
            raise self._unusable(error) from error
        return path

    def _unusable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"the folder of proposals {self._folder} cannot be used: {error.strerror}",
            advice="Make the folder, and let the keeper read and write it: mode 700.",
        )


def name_of(signed: SignedProposal) -> str:
    """The name of a proposal's file."""
    said = signed.transaction
    return f"{said.chain_id}-{Address(said.safe)}-{said.nonce}-{said.id}.json"


def _sync(folder: Path) -> None:
    """Let the name outlive a power cut too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
