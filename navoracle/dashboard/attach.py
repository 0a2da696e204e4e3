"""The dashboard on a web service: its pages, files and gate, below `/dashboard`.

NiceGUI keeps one application for a process, so there is one dashboard in a process; attaching it to another service
takes it away from the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from nicegui import app as nicegui_app
from nicegui import core, ui
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from navoracle.dashboard.assets import Assets
from navoracle.dashboard.exports import add_exports
from navoracle.dashboard.feed import Feed, View
from navoracle.dashboard.first_paint import first_paint
from navoracle.dashboard.gate import PREFIX, STATIC, Access, Gate
from navoracle.dashboard.layout import Head, add_files, header
from navoracle.dashboard.page_template import adapt_template, show_first
from navoracle.dashboard.registry import PAGES, PageSpec
from navoracle.dashboard.standing import Standing, standing_of
from navoracle.read_model.model import ReadModel
from navoracle.requests.desk import RequestDesk

RESPONSE_SECONDS: Final = 15.0
RECONNECT_SECONDS: Final = 6.0
"""How long a page without connection is kept for its browser to come back."""

RENEW_SECONDS: Final = 15
"""Pages are loaded anew so often even without a sign of a change: an alert may have been acknowledged elsewhere."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the dashboard is served.

    Attributes:
        stale_after: seconds after which state that nobody renews is taken for that of a dead keeper.
    """

    access: Access
    stale_after: int


def attach(app: FastAPI, model: ReadModel, settings: Settings, desk: RequestDesk | None = None) -> None:
    """Serve the dashboard below `/dashboard`, and lead there from `/`.

    The application's lifespan starts and stops it: a server has to run it.

    Args:
        desk: where signed requests go; None where this process takes none.
    """
    feed = Feed(lambda: (model.version(), model.sources.now() // RENEW_SECONDS))
    adapt_template()
    app.add_middleware(Assets)
    app.add_middleware(Gate, access=settings.access)  # the outermost: it stands before the files too
    app.add_api_route("/", _to_dashboard, methods=["GET"])
    add_exports(app, model)
    app.mount(STATIC, StaticFiles(directory=Path(str(files("navoracle.dashboard"))) / "static"))
    for spec in PAGES:
        _serve_page(spec, model, feed, settings, desk)
    # What an earlier attachment left; its middleware could not be added twice.
    nicegui_app.middleware_stack = None
    nicegui_app.user_middleware.clear()
    ui.run_with(
        app,
        mount_path=PREFIX,
        title="navoracle",
        favicon=Path(str(files("navoracle.dashboard"))) / "static" / "icon.svg",
        dark=None,
        language="en-US",
        binding_refresh_interval=None,
        reconnect_timeout=RECONNECT_SECONDS,
        tailwind=False,
        show_welcome_message=False,
    )
    core.app.on_startup(feed.start)
    core.app.on_shutdown(feed.stop)


def _serve_page(spec: PageSpec, model: ReadModel, feed: Feed, settings: Settings, desk: RequestDesk | None) -> None:
    entries = [(each.path, each.title) for each in PAGES if each.in_navigation]

    async def page(request: Request) -> None:
        add_files()
        header(entries, spec.path, with_logout=settings.access.password is not None)
        head = Head()
        with ui.element("div") as content:
            content.props["id"] = "content"
            content.props["tabindex"] = "-1"
            view: View[Standing, object] = View(
                name=spec.path,
                feed=feed,
                client=ui.context.client,
                load=lambda parameters: (standing_of(model, settings.stale_after), spec.load(model, parameters)),
                build=spec.build,
                parameters=spec.parameters({**request.query_params, **request.path_params}),
                told=head.show,
                desk=desk,
                visitor=request.client.host if request.client is not None else "?",
            )
            await view.open()
        show_first(request, first_paint(ui.context.client.layout, model.sources.now()))

    ui.page(spec.path, title=f"{spec.title} · navoracle", response_timeout=RESPONSE_SECONDS)(page)


async def _to_dashboard(_request: Request) -> Response:
    return RedirectResponse(f"{PREFIX}/", 307)
