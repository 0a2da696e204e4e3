"""The command of every bench that needs a local node: start one, measure on it, print the figures."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from typing import Any, Final

from bench.anvil import AnvilUnavailable, anvil

NO_NODE: Final = 5
"""Exit code when no node can be had."""


def main_on_node(
    parser: ArgumentParser,
    arguments: Sequence[str] | None,
    *,
    node_arguments: Sequence[str],
    measure: Callable[[str, Namespace], dict[str, Any]],
    table: Callable[[dict[str, Any]], str],
) -> int:
    """Run a bench, and print its figures as `table` puts them or, with `--json`, as one JSON document.

    `measure` gets the node's URL and the options of `parser`. Returns the exit code: 0, or `NO_NODE`.
    """
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    try:
        with anvil(*node_arguments) as url:
            result = measure(url, options)
    except AnvilUnavailable as error:
        if options.json:
            print(json.dumps({"error": {"code": "anvil_unavailable", "message": str(error), "advice": error.advice}}))
        else:
            print(f"{error}. {error.advice}", file=sys.stderr)
        return NO_NODE
    print(json.dumps(result) if options.json else table(result))
    return 0
