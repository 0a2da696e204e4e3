"""`navoracle config`: the configuration as it was understood, and the schema of all that can be said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import present, print_json
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, load, runtime_of
from navoracle.redaction import redact_database_url, redact_url

if TYPE_CHECKING:
    from pydantic import SecretStr

    from navoracle.config.models import Config
    from navoracle.config.overrides import Overridden

group = typer.Typer(no_args_is_help=True, help="Show the configuration, or its schema.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="config")


@group.command("show")
def show(
    context: typer.Context,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Show the resolved configuration: defaults, environment and overrides merged in, secrets hidden."""
    import yaml

    from navoracle.config.overrides import with_overrides

    loaded = load(context, config, database)
    merged = with_overrides(loaded.config, runtime_of(context).clock.now())
    document = {
        "file": str(loaded.path),
        "configuration": config_document(merged.config, loaded.database),
        "overrides": dict(merged.said),
    }
    present(
        document,
        lambda out: out.print(
            f"# {loaded.path}\n"
            + _overrides(merged)
            + yaml.safe_dump(document["configuration"], sort_keys=False, width=110).rstrip(),
            markup=False,
            soft_wrap=True,
        ),
        as_json=as_json,
    )
    return ExitCode.OK


@group.command("schema")
def schema(as_json: JsonFlag = False) -> int:
    """Print the JSON schema of a configuration file, for editors."""
    from navoracle.config.schema import config_schema

    print_json(config_schema())
    return ExitCode.OK


def _overrides(merged: Overridden) -> str:
    """What is overridden, as comments above the configuration."""
    file = merged.config.service.overrides_file
    return "".join(
        f"# {path}: {each['value']} by {file}, instead of {each['instead_of']}\n" for path, each in merged.said.items()
    )


def config_document(config: Config, database: SecretStr) -> dict[str, Any]:
    """The configuration as plain data, without what only its holder may see: endpoints' paths and passwords."""
    document = config.model_dump(mode="json")
    document["store"]["url"] = redact_database_url(database.get_secret_value())
    for name, section in config.chains.items():
        shown = document["chains"][name]
        if section.rpc is not None:
            shown["rpc"] = redact_url(section.rpc.get_secret_value())
        for place, endpoint in zip(shown["endpoints"], section.endpoints, strict=True):
            place["url"] = redact_url(endpoint.url.get_secret_value())
    return document
