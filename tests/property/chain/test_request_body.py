"""Request bodies that are put together by hand are the JSON that they would be otherwise."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from navoracle.chain.request_body import HexText, request_body

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.integers(1), st.text(), st.binary(max_size=300), st.dictionaries(st.text(), JSON), st.lists(JSON, max_size=3))
@example(1, '"data": ""', b"\x01", {"to": '"data": ""', "data": 7}, ['"data": ""'])
@example(1, "eth_call", b"", {}, [])
def test_request_body__call_with_hex_text__is_the_same_request(
    number: int, method: str, data: bytes, fields: dict[str, Any], others: list[Any]
) -> None:
    call = {**fields, "data": HexText.of(data)}
    body = json.loads(request_body(number, method, [call, *others]))
    assert body == {"jsonrpc": "2.0", "id": number, "method": method, "params": [call, *others]}
    assert body["params"][0]["data"] == "0x" + data.hex()


@given(st.integers(1), st.text(), st.lists(JSON, max_size=3))
@example(1, "eth_call", [{"data": 'not "hex"'}])
def test_request_body__any_other_parameters__is_plain_json(number: int, method: str, params: list[Any]) -> None:
    body = json.loads(request_body(number, method, params))
    assert body == {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
