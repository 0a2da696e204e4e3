"""The section of a Safe that transactions are proposed to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr

from navoracle.config.base import Section
from navoracle.config.signers import SignerSection
from navoracle.readers import ChecksumAddress
from navoracle.services import check_service_url


class SafeServiceSection(Section):
    """A Safe Transaction Service, asked through the extra `safe`.

    Attributes:
        url: where it is; safe-eth-py knows the official one of most chains.
        api_key: what the official ones ask for, out of the environment.
        timeout: seconds for a connection, and between two parts of an answer.
    """

    url: Annotated[str, AfterValidator(check_service_url)] | None = None
    api_key: SecretStr | None = None
    timeout: Annotated[int, Field(gt=0, le=60)] = 10


class SafeSection(Section):
    """A Safe (1.3.0 or later), and the ways by which its owners get proposals.

    Attributes:
        proposes: `posts`, where the Safe holds the role that posts; `settlements`, where the chain's signer posts and
            the Safe makes the calls that a post needs to be served.
        folder: where each proposal is kept as a signed file; made by the operator, mode 700.
        multisend: the chain's MultiSendCallOnly, for calls that are made all or none.
        placement: the nonce that a proposal takes: `next`, after all that wait; `replace_expired`, that of an expired
            proposal of ours where there is one.
        service: proposes there too.
        signer: the proposer's key; the chain's `signer` where none is named.
        address: the Safe.
    """

    address: ChecksumAddress
    folder: Path
    proposes: Literal["posts", "settlements"] = "posts"
    multisend: ChecksumAddress | None = None
    placement: Literal["next", "replace_expired"] = "next"
    service: SafeServiceSection | None = None
    signer: SignerSection | None = None

    def anchored(self, folder: Path) -> Self:
        """The section with relative file names taken from `folder`."""
        signer = None if self.signer is None else self.signer.anchored(folder)
        return self.model_copy(update={"folder": folder / self.folder, "signer": signer})
