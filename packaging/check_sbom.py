"""Reads a list of components from standard input with CycloneDX' own library; run by scripts/packaging.

The library refuses what it does not understand, and dependencies on what is not listed. Its check against the JSON
schema is left out: it takes minutes for some thousand addresses.
"""

from __future__ import annotations

import json
import sys

from cyclonedx.model.bom import Bom

document = json.load(sys.stdin)
bom = Bom.from_json(document)  # type: ignore[attr-defined] # made by a decorator
if not bom.validate():
    sys.exit("the list of components contradicts itself")
if len(bom.components) != len(document["components"]):
    sys.exit("a component is listed twice")
