"""`navoracle evidence`: the document that proves a NAV, to be kept, published or verified elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from navoracle.cli.exit_codes import ExitCode
from navoracle.cli.output import plain, present
from navoracle.cli.runtime import ConfigFile, DatabaseUrl, JsonFlag, database_of
from navoracle.domain.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evidence")(evidence)


def evidence(
    context: typer.Context,
    frame: Annotated[str, typer.Argument(metavar="FRAME", help="A frame's id, see history.")],
    fund: Annotated[str, typer.Argument(metavar="FUND", help="A fund of the frame.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the document to a file.")] = None,
    config: ConfigFile = None,
    database: DatabaseUrl = None,
    as_json: JsonFlag = False,
) -> int:
    """Print a fund's evidence document exactly as it was hashed, or write it to a file with --out.

    The document is canonical JSON, so it is its own --json output. `navoracle verify --evidence FILE` checks it.
    """
    from navoracle.composition.stores import open_existing_store
    from navoracle.keeper.evidence import evidence_hash

    with open_existing_store(database_of(context, config, database)) as store:
        document = store.evidence(frame, fund)
        posts = store.posts(fund=fund, frame=frame)
    if out is None:
        sys.stdout.write(document.decode("ascii"))
        sys.stdout.flush()
        return ExitCode.OK
    try:
        out.write_bytes(document)
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}", advice="Name a file that can be written.") from error
    digest = "0x" + evidence_hash(document).hex()
    anchors = [
        {"transaction": post.transaction_hash, "root": post.batch.evidence_root, "proof": list(part.proof)}
        for post in posts
        for part in post.funds
        if part.fund == fund
    ]
    written = {
        "frame": frame,
        "fund": fund,
        "file": str(out),
        "bytes": len(document),
        "evidence_hash": digest,
        "posts": anchors,
    }

    def show(console: Console) -> None:
        console.print(f"{plain(out)}: {len(document)} bytes, hash {digest}")
        for anchor in anchors:
            console.print(f"posted in {plain(anchor['transaction'])}; whoever has the document checks it with")
            steps = "".join(f" --proof {node}" for node in anchor["proof"] or ())
            console.print(f"navoracle verify --evidence {plain(out)} --root {anchor['root']}{steps}", soft_wrap=True)

    present(written, show, as_json=as_json)
    return ExitCode.OK
