"""Who signs: keys in files and keystores, remote signers and key services. No key shows in a repr or an error."""

from navoracle.chain.signers.aws_kms import AwsKmsSigner, KmsKey
from navoracle.chain.signers.base import PayloadSigner, Signer
from navoracle.chain.signers.checked import sign_checked, sign_transaction
from navoracle.chain.signers.keystore import KeystoreSigner, passphrase_from_environment, passphrase_from_file
from navoracle.chain.signers.local import EphemeralSigner, KeyFileSigner
from navoracle.chain.signers.web3signer import Web3Signer, Web3SignerAddress, Web3SignerLimits, Web3SignerTls

__all__ = [
    "AwsKmsSigner",
    "EphemeralSigner",
    "KeyFileSigner",
    "KeystoreSigner",
    "KmsKey",
    "PayloadSigner",
    "Signer",
    "Web3Signer",
    "Web3SignerAddress",
    "Web3SignerLimits",
    "Web3SignerTls",
    "passphrase_from_environment",
    "passphrase_from_file",
    "sign_checked",
    "sign_transaction",
]
