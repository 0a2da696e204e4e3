"""What the process is told beside its configuration file: by environment (NAVORACLE_...), or by flags, which win."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from navoracle.config.environment import DEFAULT_CONFIG, PREFIX
from navoracle.config.secrets import hide_secrets_of
from navoracle.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from navoracle.config.models import Config

LogFormat = Literal["console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """Where the configuration is, and what overrides it. What is None is left to the configuration.

    Attributes:
        config: the configuration file.
        database: the store's URL.
        log_format, log_level: of the log on standard error.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    config: Path = DEFAULT_CONFIG
    database: SecretStr | None = None
    log_format: LogFormat | None = None
    log_level: LogLevel | None = None

    def database_url(self, config: Config) -> str:
        """The store's URL: by flag or environment, else by the configuration."""
        return (config.store.url if self.database is None else self.database).get_secret_value()


def load_settings(
    *,
    config: Path | None = None,
    database: str | None = None,
    log_format: str | None = None,
    log_level: str | None = None,
) -> Settings:
    """The settings; an argument that is not None wins over the environment.

    Raises:
        ConfigurationError: a value that the setting cannot have, named by flag and variable.
    """
    flags: dict[str, Any] = {"config": config, "database": database, "log_format": log_format, "log_level": log_level}
    try:
        settings = Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        name = str(problem["loc"][0])
        raise ConfigurationError(
            f"--{name.replace('_', '-')} or {PREFIX}{name.upper()}: {problem['msg']}",
            advice="Correct the flag or the environment variable, or leave it out.",
        ) from error
    hide_secrets_of(settings)
    return settings
