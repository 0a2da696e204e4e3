"""From a signer's section to the signer."""

from __future__ import annotations

from navoracle.chain.signers import (
    AwsKmsSigner,
    KeyFileSigner,
    KeystoreSigner,
    KmsKey,
    Signer,
    Web3Signer,
    Web3SignerAddress,
    Web3SignerLimits,
    Web3SignerTls,
    passphrase_from_environment,
    passphrase_from_file,
)
from navoracle.config.signers import (
    AwsKmsSection,
    KeyFileSection,
    KeystoreSection,
    SignerSection,
    Web3SignerSection,
)
from navoracle.domain.errors import ConfigurationError


def signer_of(section: SignerSection, place: str) -> Signer:
    """The configured signer. A key service is asked for its public key here, once; nothing is signed.

    Args:
        place: where the section stands, for errors: "chains.home.signer".

    Raises:
        ConfigurationError: a key, passphrase or certificate that cannot be used, another address than is stated, or an
            extra that is not installed.
        SignerFailed: the key service did not answer.
    """
    signer = _signer(section)
    if section.address is not None and section.address != signer.address:
        raise ConfigurationError(
            f"{place}: its key is of {signer.address}, and the configuration states {section.address}",
            advice="Correct the address, or name the right key.",
        )
    return signer


def _signer(section: SignerSection) -> Signer:
    match section:
        case KeyFileSection():
            return KeyFileSigner(section.key_file)
        case KeystoreSection():
            return KeystoreSigner(section.keystore, _passphrase(section))
        case Web3SignerSection():
            headers = {name: value.get_secret_value() for name, value in section.headers.items()}
            tls = Web3SignerTls(section.ca_file, section.client_certificate, section.client_key)
            limits = Web3SignerLimits(timeout=section.timeout, budget=section.budget)
            at = Web3SignerAddress(section.url.get_secret_value(), headers, tls)
            return Web3Signer(at, section.public_key, limits)
        case AwsKmsSection():
            key = KmsKey(
                section.key_id, section.region, section.profile, section.endpoint, section.timeout, section.budget
            )
            return AwsKmsSigner(key)


def _passphrase(section: KeystoreSection) -> str:
    if section.passphrase_file is not None:
        return passphrase_from_file(section.passphrase_file)
    # The section has exactly one of the two.
    return passphrase_from_environment(section.passphrase_variable or "")
