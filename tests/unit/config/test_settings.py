"""Flags win over the environment, the environment over the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from navoracle.config.loading import parse_config
from navoracle.config.models import Config
from navoracle.config.settings import load_settings
from navoracle.domain.errors import ConfigurationError


@pytest.fixture
def config() -> Config:
    fund = {
        "id": 1,
        "supply": {"kind": "fixed", "shares": "1"},
        "positions": [{"kind": "declared", "id": "cash", "asset": "USD", "component": "cash", "amount": "1"}],
    }
    return parse_config({"assets": {}, "funds": {"one": fund}, "store": {"url": "sqlite:///file.db"}}, "test")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "DATABASE", "LOG_FORMAT", "LOG_LEVEL"):
        monkeypatch.delenv(f"NAVORACLE_{name}", raising=False)


def test_settings__nothing_said__leave_it_to_the_file(config: Config) -> None:
    settings = load_settings()
    assert settings.config == Path("navoracle.yaml")
    assert settings.database_url(config) == "sqlite:///file.db"
    assert (settings.log_format, settings.log_level) == (None, None)


def test_settings__environment__wins_over_the_file(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAVORACLE_CONFIG", "env.yaml")
    monkeypatch.setenv("NAVORACLE_DATABASE", "sqlite:///env.db")
    monkeypatch.setenv("NAVORACLE_LOG_LEVEL", "debug")
    settings = load_settings()
    assert settings.config == Path("env.yaml")
    assert settings.database_url(config) == "sqlite:///env.db"
    assert settings.log_level == "debug"


def test_settings__flags__win_over_the_environment(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAVORACLE_CONFIG", "env.yaml")
    monkeypatch.setenv("NAVORACLE_DATABASE", "sqlite:///env.db")
    settings = load_settings(config=Path("flag.yaml"), database="sqlite:///flag.db")
    assert settings.config == Path("flag.yaml")
    assert settings.database_url(config) == "sqlite:///flag.db"


def test_settings__value_that_cannot_be__is_named_by_flag_and_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAVORACLE_LOG_LEVEL", "loud")
    with pytest.raises(ConfigurationError, match=r"--log-level or NAVORACLE_LOG_LEVEL") as refused:
        load_settings()
    assert refused.value.advice


def test_settings__database_with_a_password__is_not_in_their_repr() -> None:
    settings = load_settings(database="postgresql://user:word@host/db")
    assert "word" not in repr(settings) + str(settings)
