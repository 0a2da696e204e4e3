"""Refusals in words, whatever a contract gives as its reason."""

from __future__ import annotations

import pytest

from navoracle.abi import encode_call, selector
from navoracle.publishers.peers.simulation import Remedy, refused, revert_name
from tests.unit.publishers.peers.desk import message

ERRORS = ("TooEarly(uint256,uint256)", "Paused()")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "no reason given"),
        (message("CA: !deviation"), "CA: !deviation"),
        (encode_call("Panic(uint256)", 0x12), "panic 0x12"),
        (encode_call("TooEarly(uint256,uint256)", 5, 7), "TooEarly(5, 7)"),
        (selector("Paused()"), "Paused()"),
        (encode_call("Other(uint256)", 1), "unknown error 0x" + encode_call("Other(uint256)", 1).hex()),
        (selector("TooEarly(uint256,uint256)") + b"\x01", "unknown error 0x" + selector(ERRORS[0]).hex() + "01"),
        (selector("Error(string)") + bytes(31), "unknown error 0x08c379a0" + "00" * 31),
    ],
)
def test_revert_name__every_shape_of_revert_data__is_told(data: bytes, name: str) -> None:
    assert revert_name(data, ERRORS) == name


def test_refused__known_error__has_its_remedy_whatever_its_arguments() -> None:
    remedies = {"TooEarly": Remedy("KEEPER", "Wait.")}
    found = refused("fund1", "TooEarly(5, 7)", remedies, role="OWNER")
    assert (found.reason, found.send, found.role) == ("peer_refuses", False, "KEEPER")
    assert found.advice == "The contract refuses the call with 'TooEarly(5, 7)'. Wait."
    unknown = refused("fund1", "Other()", remedies, role="OWNER")
    assert unknown.role == "OWNER"
    assert "'Other()'" in unknown.advice
