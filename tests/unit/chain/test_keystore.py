"""Encrypted keystores: which open, which are refused, and that neither key nor passphrase ever shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_keyfile.keyfile import create_keyfile_json
from hypothesis import given, settings
from hypothesis import strategies as st

from navoracle.chain.signers import KeystoreSigner, passphrase_from_environment, passphrase_from_file
from navoracle.chain.signers.keystore import _decrypted
from navoracle.domain.errors import ConfigurationError

KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
ADDRESS = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"
PASSPHRASE = "correct horse, battery stäple"


def keystore(**changes: Any) -> dict[str, Any]:
    made = create_keyfile_json(bytes.fromhex(KEY), PASSPHRASE.encode(), kdf="scrypt", iterations=2)
    return {**made, **changes}


def file_of(folder: Path, content: object, mode: int = 0o600) -> Path:
    path = folder / "poster.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    path.chmod(mode)
    return path


def texts(error: BaseException) -> str:
    """Everything that a trace of an error shows of it and its causes."""
    shown = ""
    while True:
        shown += f"{error!r} {vars(error)}"
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None:
            return shown
        error = cause


@pytest.mark.parametrize("kdf", ["scrypt", "pbkdf2"])
async def test_keystore__right_passphrase__signs_for_its_address(tmp_path: Path, kdf: Any) -> None:
    made = create_keyfile_json(bytes.fromhex(KEY), PASSPHRASE.encode(), kdf=kdf, iterations=2)
    path = file_of(tmp_path, made)
    signer = KeystoreSigner(path, PASSPHRASE)
    assert repr(signer) == f"KeystoreSigner({ADDRESS}, {path})"
    assert not hasattr(signer, "__dict__")


def test_keystore__as_geth_writes_it__opens(tmp_path: Path) -> None:
    # The test vector of the Web3 Secret Storage definition (scrypt), with "Crypto" as old clients spell it.
    document = {
        "Crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
            "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
            "kdf": "scrypt",
            "kdfparams": {
                "dklen": 32,
                "n": 262144,
                "p": 8,
                "r": 1,
                "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
            },
            "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
        },
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
        "version": 3,
    }
    signer = KeystoreSigner(file_of(tmp_path, document), "testpassword")
    assert signer.address == "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b"


@pytest.mark.parametrize("wrong", ["hunter2!", PASSPHRASE + " ", PASSPHRASE.upper()])
def test_keystore__wrong_passphrase__says_so_and_shows_neither(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="does not open with this passphrase") as caught:
        KeystoreSigner(file_of(tmp_path, keystore()), wrong)
    shown = texts(caught.value)
    assert wrong not in shown
    assert PASSPHRASE not in shown
    assert KEY not in shown


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        ("[" * 5_000, "it is not JSON"),
        ("[]", "no JSON object"),
        (KEY, "it is not JSON"),
        ({"version": 4}, "version is not 3"),
        ({**keystore(), "version": "3"}, "version is not 3"),
        ({"version": 3}, "its parts"),
        ({"version": 3, "crypto": 5}, "its parts"),
        ({"version": 3, "crypto": {"kdf": "scrypt", "kdfparams": {"n": "a", "r": []}}}, "its parts"),
        ({"version": 3, "crypto": {"kdf": "argon2", "kdfparams": {}}}, "its parts"),
        ({"version": 3, "crypto": {"kdf": "scrypt", "kdfparams": {"n": 2**30, "r": 8, "p": 1}}}, "1 GiB"),
    ],
)
def test_keystore__no_keystore__is_refused_with_the_place(tmp_path: Path, content: object, words: str) -> None:
    path = file_of(tmp_path, content)
    with pytest.raises(ConfigurationError, match=words) as caught:
        KeystoreSigner(path, PASSPHRASE)
    assert str(path) in caught.value.message
    assert PASSPHRASE not in texts(caught.value)


def test_keystore__holds_another_key_than_it_names__is_refused(tmp_path: Path) -> None:
    path = file_of(tmp_path, keystore(address="00" * 20))
    with pytest.raises(ConfigurationError, match=f"holds the key of {ADDRESS}"):
        KeystoreSigner(path, PASSPHRASE)


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_keystore__open_to_others__is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigurationError, match="others than its owner") as caught:
        KeystoreSigner(file_of(tmp_path, keystore(), mode), PASSPHRASE)
    assert "chmod 600" in caught.value.advice


def test_keystore__too_large__is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds more than 65536 bytes"):
        KeystoreSigner(file_of(tmp_path, "x" * 65_537), PASSPHRASE)


FIELDS = st.sampled_from(
    ["kdf", "kdfparams", "cipherparams", "ciphertext", "mac", "n", "r", "p", "dklen", "salt", "iv"]
)
VALUES = st.none() | st.booleans() | st.integers(-5, 300) | st.text(max_size=8) | st.lists(st.integers(), max_size=2)


@settings(max_examples=200)
@given(field=FIELDS, value=VALUES)
def test_keystore__any_field_is_anything__opens_to_the_key_or_is_refused(field: str, value: object) -> None:
    document = keystore()
    for part in (document["crypto"], document["crypto"]["kdfparams"], document["crypto"]["cipherparams"]):
        if field in part:
            part[field] = value
    shown = ""
    try:
        _decrypted(document, PASSPHRASE, Path("poster.json"))
    except ConfigurationError as error:
        shown = texts(error)
    assert PASSPHRASE not in shown


@pytest.mark.parametrize("text", [PASSPHRASE, PASSPHRASE + "\n", PASSPHRASE + "\r\n"])
def test_passphrase_from_file__line_break_at_its_end__is_not_part_of_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes(text.encode())
    path.chmod(0o600)
    assert passphrase_from_file(path) == PASSPHRASE


@pytest.mark.parametrize(("content", "mode"), [(b"", 0o600), (b"\n", 0o600), (b"secr\xff", 0o600), (b"secret", 0o644)])
def test_passphrase_from_file__none_or_open_to_others__raises_without_showing_it(
    tmp_path: Path, content: bytes, mode: int
) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(ConfigurationError) as caught:
        passphrase_from_file(path)
    assert "secr" not in texts(caught.value).replace("the secret", "")


def test_passphrase_from_environment__set__is_it() -> None:
    assert passphrase_from_environment("P", {"P": PASSPHRASE}) == PASSPHRASE


@pytest.mark.parametrize("environment", [{}, {"P": ""}])
def test_passphrase_from_environment__missing_or_empty__names_the_variable(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="environment variable P holds no passphrase"):
        passphrase_from_environment("P", environment)
