"""Revert data in words."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from navoracle.abi import selector
from navoracle.chain.artifacts import artifact
from navoracle.chain.reverts import _ADVICE, call_reverted, describe_revert


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no reason given"),
        (bytes.fromhex("08c379a0") + encode(["string"], ["No access"]), "'No access'"),
        (bytes.fromhex("4e487b71") + encode(["uint256"], [0x11]), "panic 0x11 (arithmetic overflow)"),
        (bytes.fromhex("4e487b71") + encode(["uint256"], [0x77]), "panic 0x77 (unknown)"),
        (selector("Paused()"), "Paused()"),
        (selector("StaleHeader(uint256,uint256)") + encode(["uint256", "uint256"], [5, 1000]), "StaleHeader(5, 1000)"),
        (selector("StaleHeader(uint256,uint256)") + bytes(3), "unknown error 0x"),
        (bytes.fromhex("08c379a0"), "unknown error 0x08c379a0"),
        (b"\x01\x02", "unknown error 0x0102"),
    ],
)
def test_describe_revert__data__in_words(data: bytes, words: str) -> None:
    assert describe_revert(data).startswith(words)


def test_describe_revert__errors_given__are_the_ones_known() -> None:
    known = {selector("Broken(uint8)"): "Broken(uint8)"}
    assert describe_revert(selector("Broken(uint8)") + bytes(31) + b"\x07", known) == "Broken(7)"
    assert describe_revert(selector("Paused()"), known).startswith("unknown error")


def test_call_reverted__known_error__advises_what_to_do_about_it() -> None:
    error = call_reverted("post", selector("Paused()"))
    assert error.message == "post reverted: Paused()"
    assert error.data == selector("Paused()")
    assert "setPaused(false)" in error.advice


def test_call_reverted__unknown_error__still_advises() -> None:
    assert call_reverted("post", b"").advice


def test_advice__every_error_named__is_one_of_the_registry() -> None:
    names = {signature.partition("(")[0] for signature in artifact("NavRegistry").errors().values()}
    assert set(_ADVICE) <= names
