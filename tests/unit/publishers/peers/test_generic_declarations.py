"""What a declaration is refused for where it is loaded, with a message that names the place."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from navoracle.publishers.peers import GenericPeer, PeerModelUnion
from tests.unit.addresses import address
from tests.unit.publishers.peers.examples import NAMES, example

CONTRACT = address(1)
RIGHT: dict[str, Any] = {
    "id": "declared",
    "chain": "local",
    "contract": CONTRACT,
    "kind": "generic",
    "signature": "set(uint64,uint128,bool)",
    "arguments": [
        {"value": "valuation_time"},
        {"value": "price_per_share", "scale": 18},
        {"value": "literal", "literal": False},
    ],
    "held_view": {"signature": "get()", "returns": ["uint128", "uint64"], "index": 0, "time_index": 1},
    "guards": [
        {"name": "open", "view": {"signature": "closed()", "returns": ["bool"]}, "expect": "equals", "value": False}
    ],
    "interval": {"seconds": 60},
    "bounds": {"up_bps": 100},
    "role": "SETTER",
    "advice": "Ask the setter.",
}


def declared(path: str = "", value: Any = None) -> GenericPeer:
    """The right declaration with one thing changed: `arguments.1.scale` names the scale of the second argument."""
    settings = deepcopy(RIGHT)
    if path:
        at: Any = settings
        *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in parents:
            at = at[step]
        if value is None:
            del at[last]
        else:
            at[last] = value
    return GenericPeer.model_validate(settings)


def test_load__right_declaration__is_told_apart_by_kind_and_described_as_itself() -> None:
    found = TypeAdapter(PeerModelUnion).validate_python(RIGHT)
    assert found == declared()
    assert isinstance(found, GenericPeer)
    assert GenericPeer.model_validate(json.loads(json.dumps(found.describe()))) == found


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("signature", "set", "is not a function signature"),
        ("signature", "set(uint)", "is not a function signature"),
        ("signature", "set(uint64,uint128)", "takes 2 arguments, 3 are declared"),
        ("signature", "set(uint64,uint32,bool)", "1.0 at 18 decimals"),
        ("signature", "set(uint64,bytes32,bool)", "argument 1 is of type bytes32"),
        ("signature", "set(address,uint128,bool)", "argument 0 is of type address"),
        ("signature", "set(uint64,uint128,uint8)", "False is no uint8"),
        ("signature", "set(uint64,uint128,uint256[])", r"is no uint256\[\]"),
        ("signature", "set(uint64,uint128,nonsense)", "nonsense is no type"),
        ("arguments.1.scale", 37, "less than or equal to 36"),
        ("arguments.1.scale", None, "an amount needs it"),
        ("arguments.0.scale", 6, "belongs to an amount"),
        ("arguments.0.rounding", "up", "belongs to an amount"),
        ("arguments.1.rounding", "sideways", "'down', 'up' or 'nearest'"),
        ("arguments.1.offset", 5, "belong to valuation_time"),
        ("arguments.1.must_be", "before_block", "belong to valuation_time"),
        ("arguments.1.value", "price", "'price_per_share', 'nav'"),
        ("arguments.2.literal", None, "`literal` belongs to"),
        ("arguments.0.literal", "5", "`literal` belongs to"),
        ("arguments.2.literal", "false", "write true or false, without quotes"),
        ("arguments.1", {"value": "confidence"}, "no argument is a price or a NAV"),
        ("arguments.1.unknown", 1, "Extra inputs"),
        ("held_view.returns", ["uint128"], "no place 1"),
        ("held_view.returns", ["uint128", "address"], "has address at place 1"),
        ("held_view.returns", ["uint128", "uint64", "nonsense"], "nonsense is no type"),
        ("held_view.index", 1, "value and time are both at place 1"),
        ("held_view.signature", "get(uint256)", "takes 1 arguments, 0 are declared"),
        ("held_view.argument", 0, "argument 0 is no amount"),
        ("held_view.time", "argument", "`time_argument` belongs to"),
        ("held_view.time_argument", 0, "`time_argument` belongs to"),
        ("held_view.contract", "0x" + "ab" * 20, "wrong checksum"),
        ("guards.0.value", None, "compare with"),
        ("guards.0.value", "7", "is no bool"),
        ("guards.0.index", 1, "no place 1"),
        ("guards.0.delay", 5, "belongs to `expect: passed`"),
        ("guards.0.strict", True, "belongs to `expect: passed`"),
        ("guards.0.expect", "at_least", "has bool at place 0"),
        ("guards.0.view.arguments", [{"posted": 0}], "takes 0 arguments, 1 are declared"),
        ("interval.seconds", 0, "greater than 0"),
        (
            "bounds",
            {"delta": 1, "delta_view": {"view": {"signature": "d()", "returns": ["uint256"]}}},
            "give `delta` or",
        ),
        ("bounds", {"minimum": 2, "maximum": 1}, "minimum 2 is above maximum 1"),
        ("bounds", {"rounding": "up", "delta": 1}, "is of a change in bps"),
        ("errors", ["Nonsense"], "is not a function signature"),
        ("role", None, "Field required"),
        ("advice", "", "at least 1 character"),
    ],
)
def test_load__wrong_declaration__is_refused_with_its_reason(path: str, value: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        declared(path, value)


def test_load__interval_of_a_time_that_is_not_the_blocks__is_refused() -> None:
    with pytest.raises(ValidationError, match="measured from the block"):
        declared("held_view", RIGHT["held_view"] | {"time": "argument", "time_argument": 0})


def test_load__two_amounts__must_say_which_one_is_held() -> None:
    settings = deepcopy(RIGHT)
    settings["arguments"][0] = {"value": "nav", "scale": 6}
    with pytest.raises(ValidationError, match="say by `argument` which one"):
        GenericPeer.model_validate(settings)
    settings["held_view"]["argument"] = 1
    assert GenericPeer.model_validate(settings).held_view.argument == 1
    settings["held_view"]["argument"] = 0
    with pytest.raises(ValidationError, match="the held value is a NAV"):
        GenericPeer.model_validate(settings)


@pytest.mark.parametrize(
    ("posted", "types", "complaint"),
    [(3, "uint8", "no argument 3"), (1, "uint256", "takes a uint256, the setter's argument 1 is a uint128")],
)
def test_load__view_of_what_is_posted__must_ask_for_an_argument_of_its_type(
    posted: int, types: str, complaint: str
) -> None:
    view = {"signature": f"check({types})", "returns": ["bool"], "arguments": [{"posted": posted}]}
    with pytest.raises(ValidationError, match=complaint):
        declared("guards.0.view", view)


def test_load__held_view_that_asks_for_what_is_posted__is_refused() -> None:
    view = RIGHT["held_view"] | {"signature": "get(uint128)", "arguments": [{"posted": 1}]}
    with pytest.raises(ValidationError, match="read without a post"):
        declared("held_view", view)


def test_load__guard_after_a_post__can_be_neither_a_wait_nor_of_what_was_posted() -> None:
    view = {"signature": "at()", "returns": ["uint64"]}
    wait = {"name": "wait", "view": view, "expect": "passed", "delay": 5, "after_post": True}
    with pytest.raises(ValidationError, match="neither a wait nor what was posted"):
        declared("guards", [wait])


@pytest.mark.parametrize("given", [{}, {"literal": "1", "posted": 0}])
def test_load__argument_of_a_view__is_exactly_one_thing(given: dict[str, Any]) -> None:
    view = RIGHT["held_view"] | {"signature": "get(uint256)", "arguments": [given]}
    with pytest.raises(ValidationError, match="one of `literal`, `posted` and `result`"):
        declared("held_view", view)


@pytest.mark.parametrize(
    ("type_", "literal", "complaint"),
    [
        ("address", "0x" + "ab" * 20, "checksummed"),
        ("bytes16", "0x" + "ab" * 15, "15 bytes are given"),
        ("bytes16", "ab" * 16, "in hex"),
        ("uint8", "256", "is no uint8"),
        ("uint8", "x", "is no uint8"),
        ("int8", "-129", "is no int8"),
        ("(uint8,uint8)", "1", "only numbers"),
    ],
)
def test_load__literal_that_is_none_of_its_type__is_refused(type_: str, literal: str, complaint: str) -> None:
    settings = deepcopy(RIGHT) | {"signature": f"set(uint64,uint128,{type_})"}
    settings["arguments"][2]["literal"] = literal
    with pytest.raises(ValidationError, match=complaint):
        GenericPeer.model_validate(settings)


def test_load__number_as_a_literal__survives_becoming_text() -> None:
    settings = deepcopy(RIGHT) | {"signature": "set(uint64,uint128,int8)"}
    settings["arguments"][2]["literal"] = -7
    found = GenericPeer.model_validate(settings)
    assert GenericPeer.model_validate(found.describe()) == found
    assert found.arguments[2].literal == "-7"


VALUES = {
    "ONDO_ORACLE": CONTRACT,
    "ENZYME_ORACLE": CONTRACT,
    "SUPERSTATE_ORACLE": CONTRACT,
    "CENTRIFUGE_HUB": CONTRACT,
    "CENTRIFUGE_SHARE_CLASS_MANAGER": address(2),
    "CENTRIFUGE_POOL_ID": "281474976710657",
    "CENTRIFUGE_SHARE_CLASS": "0x" + "01" * 16,
}


@pytest.mark.parametrize("name", NAMES)
def test_examples__as_shipped__load_and_describe_themselves(name: str) -> None:
    found = example(name, VALUES)
    assert found.is_resolved
    assert GenericPeer.model_validate(json.loads(json.dumps(found.describe()))) == found
