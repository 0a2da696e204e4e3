"""What services off chain have in common: the addresses that are asked, and JSON whose numbers stay text.

No answer passes through binary floating point: a number is kept as it was written and becomes a scaled integer once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from navoracle.domain.errors import EmptyResult, MalformedResult
from navoracle.domain.units import Rounding, divide
from navoracle.hosts import is_loopback
from navoracle.json_depth import require_shallow

MAX_EXPONENT: Final = 77
"""The largest power of ten that fits 256 bits."""

_SHORTEST_KEY: Final = 16

_DECIMAL = re.compile(r"([+-]?)([0-9]{1,80})(?:\.([0-9]{1,100}))?(?:[eE]([+-]?[0-9]{1,3}))?")
_WHOLE = re.compile(r"[0-9]{1,15}")
_ADVICE: Final = (
    "Check the address and that the service is in order; an error page or a cut-off answer looks like this."
)


def check_service_url(url: object) -> str:
    """Validate the address of a service: https, or http to this machine; no user, query, fragment or key.

    Returns it without a slash at its end.

    Raises:
        ValueError: it is none of these. The address is not shown: what is wrong with it may be that it holds a key.
    """
    parts = _split(url)
    if parts is None or parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError('it is not an address: write "https://..."')
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(f"{parts.hostname} is asked without encryption: write https://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(f"the address of {parts.hostname} holds more than host and path: name a key in `credential`")
    if any(_looks_like_key(step) for step in parts.path.split("/")):
        raise ValueError(
            f"the path at {parts.hostname} looks like a key, and evidence shows it: name a key in `credential`"
        )
    return parts.geturl().rstrip("/")


def _split(url: object) -> SplitResult | None:
    try:
        return urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        return None


def _looks_like_key(step: str) -> bool:
    """Whether a step of a path is long, and of letters and digits both, as no step of a service's own path is."""
    kinds = {"digit" if letter.isdigit() else "letter" for letter in step if letter.isalnum()}
    return len(step) >= _SHORTEST_KEY and len(kinds) == 2


def decode_json(data: bytes, what: str) -> Any:
    """Decode JSON with every number as the text that it was written in; `what` names the answer in errors.

    Raises:
        EmptyResult: there is no answer.
        MalformedResult: not JSON, a name twice in one object, or NaN or Infinity where a number was due.
    """
    if not data:
        raise EmptyResult(f"{what}: empty answer where JSON was due", advice=_ADVICE)
    try:
        require_shallow(data)
        return json.loads(
            data, parse_float=str, parse_int=str, parse_constant=_refuse_constant, object_pairs_hook=_unique
        )
    except (ValueError, RecursionError) as error:
        raise MalformedResult(f"{what}: {len(data)} bytes are not JSON: {error}", advice=_ADVICE) from error


def decode_object(data: bytes, what: str) -> Mapping[str, Any]:
    """Decode a JSON object as `decode_json` does. Raises EmptyResult, MalformedResult."""
    return json_object(decode_json(data, what), what)


def json_object(value: object, what: str) -> Mapping[str, Any]:
    """The value, which must be a JSON object. Raises MalformedResult."""
    if not isinstance(value, dict):
        raise MalformedResult(f"{what}: {_kind(value)} where an object was due", advice=_ADVICE)
    return value


def json_array(value: object, what: str) -> list[Any]:
    """The value, which must be a JSON array. Raises MalformedResult."""
    if not isinstance(value, list):
        raise MalformedResult(f"{what}: {_kind(value)} where an array was due", advice=_ADVICE)
    return value


def decimal_of(value: object, places: int, rounding: Rounding, what: str) -> int:
    """A number of an answer as an integer scaled by 10**places; see `scaled_decimal`. Raises MalformedResult."""
    if not isinstance(value, str):
        raise MalformedResult(f"{what}: {_kind(value)} where a number was due", advice=_ADVICE)
    try:
        return scaled_decimal(value, places, rounding)
    except ValueError as error:
        raise MalformedResult(f"{what}: {error}", advice=_ADVICE) from error


def whole_of(value: object, what: str) -> int:
    """A whole number of an answer, zero or more, at most 15 digits (times, counts). Raises MalformedResult."""
    if not isinstance(value, str) or _WHOLE.fullmatch(value) is None:
        shown = value if isinstance(value, str) and len(value) <= 40 else _kind(value)
        raise MalformedResult(f"{what}: {shown!r} where a whole number was due", advice=_ADVICE)
    return int(value)


def scaled_decimal(text: str, places: int, rounding: Rounding) -> int:
    """Turn a decimal number, exponents included ("1.5e-7"), into an integer scaled by 10**places, rounded once.

    Raises:
        ValueError: not a decimal number, or one beyond 10**77 in size or precision.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a decimal number")
    sign, whole, fraction, exponent = match.group(1), match.group(2), match.group(3) or "", match.group(4) or "0"
    if abs(int(exponent)) > MAX_EXPONENT:
        raise ValueError(f"{text[:40]!r} is out of reach")
    magnitude = int(whole + fraction) * (-1 if sign == "-" else 1)
    shift = int(exponent) - len(fraction) + places
    return magnitude * 10**shift if shift >= 0 else divide(magnitude, 10**-shift, rounding)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "a truth value", str: "text", list: "an array", dict: "an object"}
    return names.get(type(value), type(value).__name__)
