"""The core computes with integers alone, and reads no clock, file, environment or chance."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import navoracle.domain

DOMAIN = Path(navoracle.domain.__file__).parent
FORBIDDEN_NAMES = frozenset({"float", "complex", "Decimal", "Fraction", "round"})
FORBIDDEN_IMPORTS = frozenset(
    {
        "asyncio",
        "cmath",
        "datetime",
        "decimal",
        "fractions",
        "io",
        "logging",
        "numpy",
        "os",
        "pathlib",
        "random",
        "secrets",
        "socket",
        "statistics",
        "structlog",
        "subprocess",
        "sys",
        "threading",
        "time",
        "urllib",
        "web3",
    }
)
INTEGER_MATH = frozenset({"comb", "factorial", "gcd", "isqrt", "lcm", "perm", "prod"})


def violations(source: str) -> Iterator[str]:
    """Yield "line: what" for each construct of `source` that the core may not use."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=float() | complex()):
                yield f"{node.lineno}: the literal {node.value!r}"
            case ast.Name(id=name) if name in FORBIDDEN_NAMES:
                yield f"{node.lineno}: the name {name}"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield f"{node.lineno}: true division"
            case ast.Attribute(value=ast.Name(id="math"), attr=name) if name not in INTEGER_MATH:
                yield f"{node.lineno}: math.{name}"
            case ast.Import(names=aliases):
                for alias in aliases:
                    if alias.name.split(".")[0] in FORBIDDEN_IMPORTS:
                        yield f"{node.lineno}: import of {alias.name}"
            case ast.ImportFrom(module=str(module), names=aliases):
                if module.split(".")[0] in FORBIDDEN_IMPORTS:
                    yield f"{node.lineno}: import from {module}"
                if module == "math":
                    yield from (f"{node.lineno}: math.{a.name}" for a in aliases if a.name not in INTEGER_MATH)
            case _:
                pass


@pytest.mark.parametrize("path", sorted(DOMAIN.rglob("*.py")), ids=lambda path: str(path.relative_to(DOMAIN)))
def test_domain__each_module__has_no_float_clock_or_io(path: Path) -> None:
    assert list(violations(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("a = 1.0", "the literal 1.0"),
        ("a = 1e18", "the literal 1e+18"),
        ("a = 2j", "the literal 2j"),
        ("a = float(1)", "the name float"),
        ("def f(a: float) -> None: ...", "the name float"),
        ("a = Decimal(1)", "the name Decimal"),
        ("a = Fraction(1, 3)", "the name Fraction"),
        ("a = round(b)", "the name round"),
        ("a = b / c", "true division"),
        ("a /= b", "true division"),
        ("def f(a):\n    return [b / 2 for b in a]", "true division"),
        ("import math\na = math.sqrt(b)", "math.sqrt"),
        ("from math import log", "math.log"),
        *((f"import {module}", f"import of {module}") for module in sorted(FORBIDDEN_IMPORTS)),
        *((f"from {module} import a", f"import from {module}") for module in sorted(FORBIDDEN_IMPORTS)),
        ("def f():\n    import os.path", "import of os.path"),
        ("from web3.types import Wei", "import from web3.types"),
    ],
)
def test_violations__forbidden_construct__is_named(source: str, named: str) -> None:
    assert [violation.partition(": ")[2] for violation in violations(source)] == [named]


@pytest.mark.parametrize(
    "source",
    [
        "a = b // c",
        "a //= b",
        "a = 10**18 * b % c",
        "import math\na = math.isqrt(b)",
        "from math import gcd, isqrt",
        "from navoracle.domain.units import mul_div",
        "a = 'half / 0.5 float'",
        "def f(a: int, /) -> int: ...",
    ],
)
def test_violations__integer_code__is_accepted(source: str) -> None:
    assert list(violations(source)) == []
