"""Names of the environment and files that a command says in its help, before any configuration is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PREFIX: Final = "NAVORACLE_"
"""Of every variable that is a setting."""

DEFAULT_CONFIG: Final = Path("navoracle.yaml")
"""The configuration where none is named."""

RPC: Final = "RPC_URL"
"""The variable of a chain's node in a first configuration; of several, with a number."""
