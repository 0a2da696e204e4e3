"""Every function and error that Python names by its signature is one of the carried registry's."""

from __future__ import annotations

import inspect
import re
from types import ModuleType

import pytest

from navoracle.chain import deploy
from navoracle.chain.artifacts import artifact, signature_of, type_of
from navoracle.publishers import nav_registry

SIGNATURE = re.compile(r'"(\w+\([\w,\[\]()]*\))"')


@pytest.mark.parametrize(("module", "least"), [(nav_registry, 6), (deploy, 2)])
def test_signatures__named_in_the_source__are_in_the_abi(module: ModuleType, least: int) -> None:
    named = set(SIGNATURE.findall(inspect.getsource(module)))
    entries = [entry for entry in artifact("NavRegistry").abi if entry["type"] in ("function", "error")]
    assert len(named) >= least
    assert named <= {signature_of(entry) for entry in entries}


def test_results__of_the_views_that_are_read__have_the_decoded_types() -> None:
    outputs = {
        entry["name"]: [type_of(output) for output in entry["outputs"]]
        for entry in artifact("NavRegistry").abi
        if entry["type"] == "function"
    }
    assert outputs["heldOf"] == ["bytes32", "uint256", "uint256", "uint256"]
    assert outputs["readMany"] == outputs["preview"] == ["uint256[]"]
