"""From a signer's section to the signer, and that no secret of a section shows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from eth_keyfile.keyfile import create_keyfile_json
from pydantic import TypeAdapter, ValidationError

from navoracle.chain.signers import AwsKmsSigner, KeyFileSigner, KeystoreSigner, KmsKey, Web3Signer
from navoracle.composition import signers
from navoracle.composition.signers import signer_of
from navoracle.config.loading import load_config
from navoracle.config.signers import KeyFileSection, SignerSection
from navoracle.domain.errors import ConfigurationError
from tests.unit.chain.fake_kms import FakeKms

KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
ADDRESS = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"
PUBLIC_KEY = "0x024bc2a31265153f07e70e0bab08724e6b85e217f8cd628ceb62974247bb493382"
SECTION: TypeAdapter[SignerSection] = TypeAdapter(SignerSection)
TOKEN = "s3cr3t-t0ken"


def section(**fields: Any) -> SignerSection:
    return SECTION.validate_python(fields)


def private(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("kind", [{}, {"kind": "key_file"}])
def test_signer_of__key_file_with_or_without_its_kind__holds_its_key(tmp_path: Path, kind: dict[str, str]) -> None:
    signer = signer_of(section(key_file=private(tmp_path / "k", KEY), **kind), "chains.home.signer")
    assert isinstance(signer, KeyFileSigner)
    assert signer.address == ADDRESS


@pytest.mark.parametrize("by", ["passphrase_file", "passphrase_variable"])
def test_signer_of__keystore__is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    made = create_keyfile_json(bytes.fromhex(KEY), b"open", kdf="scrypt", iterations=2)
    keystore = private(tmp_path / "k.json", json.dumps(made))
    monkeypatch.setenv("POSTER_PASSPHRASE", "open")
    where = {
        "passphrase_file": private(tmp_path / "p", "open\n"),
        "passphrase_variable": "POSTER_PASSPHRASE",
    }
    signer = signer_of(section(kind="keystore", keystore=keystore, **{by: where[by]}), "here")
    assert isinstance(signer, KeystoreSigner)
    assert signer.address == ADDRESS


def test_signer_of__web3signer__has_the_address_of_its_public_key() -> None:
    written = section(
        kind="web3signer",
        url=f"http://{TOKEN}@signer.example:9000",
        public_key=PUBLIC_KEY,
        headers={"Authorization": TOKEN},
    )
    signer = signer_of(written, "here")
    assert isinstance(signer, Web3Signer)
    assert TOKEN not in f"{written!r} {signer!r} {written.model_dump_json()}"


def test_signer_of__aws_kms__is_asked_for_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    kms = FakeKms()
    monkeypatch.setattr(signers, "AwsKmsSigner", lambda key: AwsKmsSigner(key, kms))
    signer = signer_of(section(kind="aws_kms", key_id="alias/a", region="eu-west-1", budget=4), "here")
    assert isinstance(signer, AwsKmsSigner)
    assert signer.key == KmsKey("alias/a", "eu-west-1", budget=4)


def test_signer_of__another_address_than_stated__is_refused_with_both(tmp_path: Path) -> None:
    other = "0x00000000000000000000000000000000000000Be"
    written = section(key_file=private(tmp_path / "k", KEY), address=other)
    with pytest.raises(ConfigurationError, match=f"chains.home.signer: its key is of {ADDRESS}.*{other}"):
        signer_of(written, "chains.home.signer")
    signer_of(section(key_file=tmp_path / "k", address=ADDRESS), "here")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "key_file"),
        ({"kind": "ledger", "key_file": "k"}, "does not match any of the expected tags"),
        ({"kind": "keystore", "keystore": "k"}, "give either `passphrase_file`"),
        (
            {"kind": "keystore", "keystore": "k", "passphrase_file": "p", "passphrase_variable": "P"},
            "give either `passphrase_file`",
        ),
        ({"kind": "keystore", "keystore": "k", "passphrase": TOKEN}, "Extra inputs"),
        ({"kind": "web3signer", "url": "ws://a", "public_key": PUBLIC_KEY}, "no URL of a server"),
        ({"kind": "web3signer", "url": "http://a?key=b", "public_key": PUBLIC_KEY}, "no URL of a server"),
        ({"kind": "web3signer", "url": "http://a", "public_key": "0x00"}, "pattern"),
        ({"kind": "web3signer", "url": "http://a", "public_key": PUBLIC_KEY, "ca_file": "c"}, "certificates are for"),
        ({"kind": "web3signer", "url": "https://a", "public_key": PUBLIC_KEY, "client_key": "c"}, "belongs to a"),
        ({"kind": "web3signer", "url": "http://a", "public_key": PUBLIC_KEY, "headers": {"A": " "}}, "white space"),
        ({"kind": "web3signer", "url": "http://a", "public_key": PUBLIC_KEY, "budget": 0}, "greater than 0"),
        ({"kind": "aws_kms", "key_id": ""}, "at least 1"),
        ({"kind": "aws_kms", "key_id": "a", "endpoint": f"https://u:{TOKEN}@a"}, "pattern"),
    ],
)
def test_section__that_cannot_be__is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        section(**fields)


def test_anchored__relative_names__are_taken_from_the_folder() -> None:
    written = section(kind="keystore", keystore="k.json", passphrase_file="/run/p").anchored(Path("/etc/navoracle"))
    assert written.model_dump(include={"keystore", "passphrase_file"}) == {
        "keystore": Path("/etc/navoracle/k.json"),
        "passphrase_file": Path("/run/p"),
    }


def test_load_config__signer_and_guardian__are_anchored(tmp_path: Path) -> None:
    example = Path("config/one-fund.yaml").read_text(encoding="utf-8")
    path = tmp_path / "navoracle.yaml"
    keys = "signer: { key_file: a.key }\n    guardian: { key_file: /run/b.key }"
    path.write_text(example.replace("# signer: { key_file: poster.key }", keys), encoding="utf-8")
    names = set(re.findall(r"\$\{(\w+)\}", example))
    environment = dict.fromkeys(names, "0x00000000000000000000000000000000000000Be")
    home = load_config(path, {**environment, "HOME_RPC": "http://localhost"}).chains["home"]
    assert home.signer == KeyFileSection(key_file=tmp_path / "a.key")
    assert home.guardian == KeyFileSection(key_file=Path("/run/b.key"))
