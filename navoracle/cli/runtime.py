"""What every command stands on: settings, configuration, logs, clock, and the options that all have."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from navoracle.clock import clock_from_environment
from navoracle.config.environment import PREFIX
from navoracle.domain.errors import UsageError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from navoracle.composition.system import ChainAccess
    from navoracle.config.models import Config
    from navoracle.config.settings import Settings
    from navoracle.ports import Clock

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help=f"Configuration; else {PREFIX}CONFIG or navoracle.yaml."),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help=f"sqlite:///FILE; else {PREFIX}DATABASE or the configuration's."),
]
PlotFile = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", help="Also draw a picture, .png or .svg (extra `plot`)."),
]
Funds = Annotated[list[str] | None, typer.Argument(metavar="FUND", help="Funds by name; all when none is named.")]


@dataclass(frozen=True, slots=True)
class Runtime:
    """The world of a command; tests put another one in its place.

    Attributes:
        chains: how chains are reached, instead of by the configuration.
        log_format, log_level: the root command's flags.
    """

    clock: Clock = field(default_factory=clock_from_environment)
    chains: Mapping[str, ChainAccess] | None = None
    log_format: str | None = None
    log_level: str | None = None

    def with_logs(self, log_format: str | None, log_level: str | None) -> Runtime:
        """The same, with the root command's flags."""
        return replace(self, log_format=log_format, log_level=log_level)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A loaded configuration: where it is, what it says, and which database it means.

    `database` is secret until it is opened: it may hold a password.
    """

    path: Path
    config: Config
    database: SecretStr


def runtime_of(context: typer.Context) -> Runtime:
    """The runtime that the command was started with."""
    found = context.find_object(Runtime)
    return Runtime() if found is None else found


def load(context: typer.Context, config: Path | None, database: str | None = None) -> Loaded:
    """Load settings and configuration and set the logs up. Raises ConfigurationError."""
    from pydantic import SecretStr

    from navoracle.config.loading import load_config
    from navoracle.telemetry.logs import configure_logs

    settings = _settings(context, config, database)
    loaded = load_config(settings.config)
    configure_logs(settings.log_format or loaded.log.format, settings.log_level or loaded.log.level)
    return Loaded(settings.config, loaded, SecretStr(settings.database_url(loaded)))


def database_of(context: typer.Context, config: Path | None, database: str | None) -> str:
    """The database that a command looks at: it needs no configuration where flag or environment name one.

    Raises:
        ConfigurationError: neither names one, and there is no configuration.
    """
    from navoracle.telemetry.logs import configure_logs

    settings = _settings(context, config, database)
    if settings.database is None:
        return load(context, config).database.get_secret_value()
    configure_logs(settings.log_format or "console", settings.log_level or "info")
    return settings.database.get_secret_value()


def database_if_any(context: typer.Context, config: Path | None, database: str | None) -> str | None:
    """As `database_of`; None where nothing names a database, or the one that is named does not exist."""
    from navoracle.composition.stores import store_exists

    settings = _settings(context, config, database)
    if settings.database is None and not settings.config.exists():
        return None
    url = database_of(context, config, database)
    return url if store_exists(url) else None


def configured_or_database(
    context: typer.Context, config: Path | None, database: str | None
) -> tuple[Loaded | None, str]:
    """The configuration where there is one, and the database; a database that is named needs no configuration.

    Raises:
        ConfigurationError: neither is there, or the configuration cannot be loaded.
    """
    settings = _settings(context, config, database)
    if config is None and settings.database is not None and not settings.config.exists():
        return None, database_of(context, config, database)
    loaded = load(context, config, database)
    return loaded, loaded.database.get_secret_value()


def chosen(config: Config, funds: Iterable[str] | None) -> tuple[str, ...]:
    """The named funds, each once; all when none is named. Raises UsageError for an unknown one."""
    names = tuple(dict.fromkeys(funds or ()))
    for name in names:
        if name not in config.funds:
            raise UsageError(
                f"there is no fund {name}", advice=f"Name one of: {', '.join(config.funds)}; or none, for all of them."
            )
    return names or tuple(config.funds)


def who_is_it(by: str | None) -> str:
    """The name of whoever does something; else of who is logged in.

    Raises:
        UsageError: nobody is, by a name: a container's user often has none.
    """
    try:
        return by or getpass.getuser()
    except (KeyError, OSError) as error:
        raise UsageError("the user who runs this has no name", advice="Say who you are: --by NAME.") from error


def _settings(context: typer.Context, config: Path | None, database: str | None) -> Settings:
    from navoracle.config.settings import load_settings

    runtime = runtime_of(context)
    return load_settings(config=config, database=database, log_format=runtime.log_format, log_level=runtime.log_level)
