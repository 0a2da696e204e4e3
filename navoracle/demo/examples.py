"""The example configurations: in `config/` of a checkout, inside the package of an installation."""

from __future__ import annotations

from pathlib import Path

from navoracle.domain.errors import ConfigurationError

_FOLDERS = (Path(__file__).resolve().parents[2] / "config", Path(__file__).resolve().parent / "config")


def example_configuration(name: str) -> Path:
    """The file of an example ("three-funds.yaml").

    Raises:
        ConfigurationError: there is none of that name.
    """
    for folder in _FOLDERS:
        path = folder / name
        if path.is_file():
            return path
    raise ConfigurationError(
        f"there is no example configuration {name}", advice="Install the complete package, or use a checkout."
    )
