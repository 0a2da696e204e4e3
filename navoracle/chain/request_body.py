"""The body of a JSON-RPC request. Long call data is put in as it is: looking for what JSON would have to escape in
hundreds of kilobytes of hex costs more than all the rest of a reading's way to the node.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

_PLACE: Final = b'"data": ""'


class HexText(str):
    """Hex text that was made from bytes, and therefore needs no escaping."""

    __slots__ = ()

    @classmethod
    def of(cls, data: bytes) -> HexText:
        """`0x` and two digits per byte."""
        return cls("0x" + data.hex())


def request_body(number: int, method: str, params: Sequence[object]) -> bytes:
    """One request as JSON. A `HexText` under `data` of the first parameter, as in `eth_call`, is not searched."""
    first = params[0] if params else None
    data = first.get("data") if isinstance(first, Mapping) else None
    if not isinstance(first, Mapping) or not isinstance(data, HexText):
        return _json(number, method, params)
    # The first place where a quoted word "data" can be: the method before it is text, whose quotes are escaped.
    others = {key: value for key, value in first.items() if key != "data"}
    before, _, after = _json(number, method, [{"data": "", **others}, *params[1:]]).partition(_PLACE)
    return b"".join((before, b'"data": "', data.encode(), b'"', after))


def _json(number: int, method: str, params: Sequence[object]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()
