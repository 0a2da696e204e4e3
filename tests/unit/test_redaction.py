"""No key, password or secret part of a URL survives redaction; what identifies blocks and transactions does."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navoracle.redaction import (
    host_of,
    is_secret_name,
    redact_database_url,
    redact_parts,
    redact_text,
    redact_url,
    secrets_of_url,
)

KEYS = st.text("0123456789abcdefABCDEF", min_size=64, max_size=64)
SECRETS = st.text(string.ascii_lowercase + string.digits, min_size=16, max_size=40)
NAMES = st.sampled_from(["key", "private_key", "private key", "PRIVATE-KEY", "secret", "signing key", "poster_key"])
JOINTS = st.sampled_from(["=", ": ", " is ", " ", "='", '": "'])


@given(KEYS, NAMES, JOINTS, st.booleans())
def test_redact_text__key_next_to_its_name__is_hidden(key: str, name: str, joint: str, prefixed: bool) -> None:
    written = f"0x{key}" if prefixed else key
    assert key not in redact_text(f"the {name}{joint}{written} was refused")


@given(KEYS, st.sampled_from(["hash", "block", "transaction", "evidence_root"]))
def test_redact_text__hash_next_to_its_name__stays(digits: str, name: str) -> None:
    text = f"{name}=0x{digits}"
    assert redact_text(text) == text


@given(SECRETS, st.sampled_from(["https", "http", "wss"]))
def test_redact_text__url_with_a_secret__keeps_scheme_and_host_alone(secret: str, scheme: str) -> None:
    for url in (
        f"{scheme}://user:{secret}@node.example:8545/v2/{secret}?key={secret}",
        f"{scheme}://node.example/{secret}",
    ):
        shown = redact_text(f"failed at {url} twice")
        assert secret not in shown
        assert f"{scheme}://node.example" in shown
        assert shown.endswith(" twice")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///navoracle.db", "sqlite:///navoracle.db"),
        ("sqlite:////data/at@home.db", "sqlite:////data/at@home.db"),
        ("postgresql://user:word@host:5432/db", "postgresql://***@host:5432/db"),
        ("postgresql://user:w@rd@host/db", "postgresql://***@host/db"),
        ("postgresql://host/db?password=word", "postgresql://host/db"),
        ("no url", "***"),
    ],
)
def test_redact_database_url__url__loses_its_account_alone(url: str, shown: str) -> None:
    assert redact_database_url(url) == shown


def test_redact_url__path__is_hidden() -> None:
    assert redact_url("https://node.example/v2/abc") == "https://node.example/***"


@pytest.mark.parametrize("name", ["key", "private_key", "api_token", "password", "chains.home.secret", "mnemonic"])
def test_is_secret_name__names_of_secrets__are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["token", "key_file", "hash", "keeper", "monkey", "fund"])
def test_is_secret_name__other_names__are_not(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("text", ["see http://[secret for more", "see https://us\u2100er:secret@host/ for more"])
def test_redact_text__something_like_a_url_that_is_none__is_hidden_and_raises_nothing(text: str) -> None:
    assert redact_text(text) == "see ?://? for more"


@given(st.text(st.characters(codec=None)))
def test_redact_text__any_text__raises_nothing(text: str) -> None:
    redact_text(f"https://{text} key {text}").encode()
    redact_url(text)
    host_of(text)
    secrets_of_url(text)


@pytest.mark.parametrize("part", ["a", "key", "key ", "api", "secret_", "0", "key:"])
def test_redact_text__long_text__takes_time_in_proportion_to_its_length(part: str) -> None:
    begin = time.process_time()
    redact_text("key" + part * (300_000 // len(part)))
    assert time.process_time() - begin < 5  # seconds; minutes where it is quadratic


def test_secrets_of_url__escaped_password__is_hidden_as_it_is_written_and_as_it_is_meant() -> None:
    secrets = secrets_of_url("https://user:pass%2Fword@node.example/")
    assert redact_parts("no pass/word and no pass%2Fword here", secrets) == "no *** and no *** here"


def test_host_of__name_with_its_root_dot__is_the_same_host() -> None:
    assert host_of("https://Node.Example./a") == host_of("https://node.example/b") == "node.example"


def test_redact_text__half_a_surrogate_pair__can_be_written_anywhere() -> None:
    assert redact_text("revert \ud800 here") == "revert ? here"
