"""NiceGUI's page template as this dashboard serves it: its first paint, its own styles alone, and nonces.

What the page shows stands in the answer as HTML, and the style sheet with it: a browser draws it without another
request. The template's scripts then put the live page in its place. Inline scripts and styles are given a nonce in the
template itself, before any data is filled in: what comes in as data can never carry it.
"""

from __future__ import annotations

import re
from functools import cache, partial
from importlib.resources import files
from typing import Final

from fastapi import Request
from jinja2 import BaseLoader, Environment, FunctionLoader
from nicegui.client import templates

from navoracle.domain.errors import DomainError

_INLINE: Final = re.compile(r"<(script|style)(?=[\s>])")

_EDITS: Final = (
    # Quasar's styles and fonts are of elements that no page has; the page's own ones stand here.
    (
        re.compile(r"<style>\s*@layer theme.*?</style>", re.DOTALL),
        "<style>{style}</style>\n    <script>{theme}</script>",
    ),
    # It hides the page until the first script has run.
    (re.compile(r"<style>\s*#esm-fallback.*?</style>\s*<div id=\"esm-fallback\">.*?</div>", re.DOTALL), ""),
    (re.compile(r"<div id=\"app\"[^>]*></div>"), '<div id="app">{first_paint}</div>'),
    # A style attribute is inline style, and so is the empty element that components' styles would stand in.
    (re.compile(r'\sstyle="display: none"'), " hidden"),
    (re.compile(r"\{\{\s*body_html\s*\|\s*safe\s*\}\}"), "{{ body_html | replace(empty_style, '') | safe }}"),
)
_FIRST_PAINT: Final = "{{ request.state.first_paint | default('') | safe }}"


def show_first(request: Request, markup: str) -> None:
    """Put HTML into the page that answers this request, to be seen until its scripts have run."""
    request.state.first_paint = markup


def adapt_template() -> None:
    """Serve the template so from now on.

    Raises:
        DomainError: the template is another one than this was made for; told when a page is first asked for.
    """
    loader = templates.env.loader
    if loader is None or isinstance(loader, FunctionLoader):
        return
    templates.env.loader = FunctionLoader(lambda name: _adapted(templates.env, loader, name))


def _adapted(environment: Environment, loader: BaseLoader, name: str) -> str:
    source, _, _ = loader.get_source(environment, name)
    for pattern, instead in _EDITS:
        text = (
            instead.replace("{style}", _raw("dashboard.css"))
            .replace("{theme}", _raw("theme.js"))
            .replace("{first_paint}", _FIRST_PAINT)
        )
        source, count = pattern.subn(partial(_instead, text), source)
        if count != 1:
            raise DomainError(
                f"NiceGUI's page template is not as expected: {pattern.pattern} is there {count} times",
                advice="Install the version of nicegui that this package names.",
            )
    # What this names comes after the nonces, which must not get into it.
    return "{% set empty_style = '<' ~ 'style></' ~ 'style>' %}" + _INLINE.sub(
        r'<\1 nonce="{{ request.state.nonce }}"', source
    )


def _instead(text: str, _found: re.Match[str]) -> str:
    """Text as it is: a replacement that is given as text would have its backslashes read."""
    return text


@cache
def _raw(name: str) -> str:
    """A file of the package as the template's text."""
    content = files("navoracle.dashboard").joinpath("static", name).read_text("utf-8")
    return "{% raw %}" + content + "{% endraw %}"
