"""`navoracle db`: which schema a database has, and the way to another one."""

from __future__ import annotations

from typing import Annotated

import typer

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import plain, present
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, database_of
from navoracle.domain.errors import UsageError
from navoracle.redaction import redact_database_url

group = typer.Typer(no_args_is_help=True, help="See and change a database's schema.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="db")


@group.command("status")
def status(
    context: typer.Context, config: ConfigFile = None, database: DatabaseUrl = None, as_json: JsonFlag = False
) -> int:
    """Say which schema the database has, and which one this navoracle writes."""
    from navoracle.composition.stores import current_revision, newest_revision

    url = database_of(context, config, database)
    found, newest = current_revision(url), newest_revision()
    document = {"database": redact_database_url(url), "revision": found, "newest": newest}
    said = "is empty" if found is None else f"has schema {found}"
    present(
        document,
        lambda out: out.print(f"{plain(document['database'])} {said}; this navoracle writes {newest}"),
        as_json=as_json,
    )
    return ExitCode.OK


@group.command("migrate")
def migrate(
    context: typer.Context,
    to: Annotated[str, typer.Option("--to", metavar="REVISION", help="An earlier schema, to go back.")] = "head",
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Bring the database to the newest schema, or to another one. Back it up and stop the keeper before.

    Opening a database migrates it by itself; going back is for the navoracle version that wrote it before.
    """
    from navoracle.composition.stores import current_revision, migrate_to

    url = database_of(context, config, database)
    if to == "base":
        raise UsageError(
            "the schema base is none at all: everything would be deleted", advice="Drop the database itself."
        )
    migrate_to(url, to)
    found = current_revision(url)
    document = {"database": redact_database_url(url), "revision": found}
    present(document, lambda out: out.print(f"{plain(document['database'])} has schema {found}"), as_json=as_json)
    return ExitCode.OK
