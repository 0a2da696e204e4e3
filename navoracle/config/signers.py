"""The sections of signers: where a key is. Keys, passphrases and tokens themselves never stand in a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, SecretStr, Tag, model_validator

from navoracle.config.base import Section
from navoracle.readers import ChecksumAddress
from navoracle.redaction import host_of

_Timeout = Annotated[float, Field(gt=0, le=60)]


def _check_http_url(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    if not text.startswith(("http://", "https://")) or host_of(text) == "?" or "?" in text or "#" in text:
        raise ValueError("it is no URL of a server: write http(s)://HOST:PORT, without a query")
    return url


class _SignerSection(Section):
    """What all signers have.

    Attributes:
        address: the one that the key must have.
    """

    address: ChecksumAddress | None = None

    def anchored(self, folder: Path) -> Self:
        """The section with relative file names taken from `folder`."""
        files = {name: folder / value for name, value in self if isinstance(value, Path)}
        return self.model_copy(update=files) if files else self


class KeyFileSection(_SignerSection):
    """A file of mode 600 that holds the key as 64 hex digits.

    Attributes:
        key_file: the file.
    """

    kind: Literal["key_file"] = "key_file"
    key_file: Path


class KeystoreSection(_SignerSection):
    """An encrypted keystore (version 3) of mode 600; its passphrase is in a file of mode 600 or in a variable.

    Attributes:
        keystore: the file.
        passphrase_file: a file of mode 600.
        passphrase_variable: the name of the variable.
    """

    kind: Literal["keystore"]
    keystore: Path
    passphrase_file: Path | None = None
    passphrase_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None

    @model_validator(mode="after")
    def _one_passphrase(self) -> Self:
        if (self.passphrase_file is None) == (self.passphrase_variable is None):
            raise ValueError("give either `passphrase_file` or `passphrase_variable` (its name), and not both")
        return self


class Web3SignerSection(_SignerSection):
    """A Web3Signer in `eth1` mode.

    Attributes:
        url: where it is.
        public_key: by which it knows the key.
        headers: sent with every request, values out of the environment.
        ca_file: who vouches for the server (PEM).
        client_certificate, client_key: who we are (PEM).
        timeout: seconds for one request.
        budget: seconds for a signature, with all its requests.
    """

    kind: Literal["web3signer"]
    url: Annotated[SecretStr, AfterValidator(_check_http_url)]
    public_key: Annotated[str, Field(pattern=r"^0x(?:(?:04)?[0-9a-fA-F]{128}|0[23][0-9a-fA-F]{64})$")]
    headers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")], SecretStr] = Field(default_factory=dict)
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    timeout: _Timeout = 3.0
    budget: _Timeout = 10.0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        tls = (self.ca_file, self.client_certificate, self.client_key)
        if any(tls) and not self.url.get_secret_value().startswith("https://"):
            raise ValueError("certificates are for https, and the URL is http")
        if self.client_key is not None and self.client_certificate is None:
            raise ValueError("client_key belongs to a client_certificate: add it")
        for name, value in self.headers.items():
            text = value.get_secret_value()
            if not text or text != text.strip() or not text.isprintable():
                raise ValueError(f"headers.{name} is empty, or holds white space at an end: is the variable set right?")
        return self


class AwsKmsSection(_SignerSection):
    """A key in AWS KMS (KeySpec ECC_SECG_P256K1); credentials come from the environment or the profile, as usual.

    Attributes:
        key_id: the key's id, ARN or alias.
        region: where it is; the environment's unless set.
        profile: of the AWS tools; the environment's unless set.
        endpoint: another address of the service.
        timeout: seconds for one request.
        budget: seconds for a signature, with all its requests.
    """

    kind: Literal["aws_kms"]
    key_id: Annotated[str, Field(min_length=1, max_length=2048)]
    region: str | None = None
    profile: str | None = None
    endpoint: Annotated[str, Field(pattern=r"^https?://[^@?#\s]+$")] | None = None
    timeout: _Timeout = 3.0
    budget: _Timeout = 10.0


def _kind(section: Any) -> Any:
    """A section without a kind is a key file's."""
    return section.get("kind", "key_file") if isinstance(section, dict) else getattr(section, "kind", None)


SignerSection = Annotated[
    Annotated[KeyFileSection, Tag("key_file")]
    | Annotated[KeystoreSection, Tag("keystore")]
    | Annotated[Web3SignerSection, Tag("web3signer")]
    | Annotated[AwsKmsSection, Tag("aws_kms")],
    Discriminator(_kind),
]
"""Where a key comes from."""
