"""The content security policy of the dashboard: its own files, and inline scripts that carry the answer's nonce.

NiceGUI renders its page from a template of its own with inline scripts and styles in it. They are given a nonce in the
template itself, before any data is filled in: what comes in as data can never carry it.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

from fastapi import Request
from jinja2 import BaseLoader, Environment, FunctionLoader
from nicegui.client import templates

_INLINE: Final = re.compile(r"<(script|style)(?=[\s>])")
_EMPTY_STYLE: Final = re.compile(r"\{\{\s*body_html\s*\|\s*safe\s*\}\}")
_STYLE_ATTRIBUTE: Final = re.compile(r'\sstyle="display: none"')


def policy(nonce: str | None = None) -> str:
    """The `Content-Security-Policy` of one page; without a nonce it has no inline script and no inline style.

    Styles that scripts set on elements are not inline styles to a browser, so that `style-src` stays closed.
    """
    inline = "" if nonce is None else f" 'nonce-{nonce}'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self'{inline}",
            f"style-src 'self'{inline}",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def new_nonce(request: Request) -> str:
    """A nonce for the page that answers this request; its template finds it there."""
    nonce = secrets.token_urlsafe(18)
    request.state.nonce = nonce
    return nonce


def give_nonces() -> None:
    """Let NiceGUI's template put the nonce of its request into its own inline scripts and styles."""
    loader = templates.env.loader
    if loader is None or isinstance(loader, FunctionLoader):
        return
    templates.env.loader = FunctionLoader(lambda name: _with_nonces(templates.env, loader, name))


def _with_nonces(environment: Environment, loader: BaseLoader, name: str) -> str:
    source, _, _ = loader.get_source(environment, name)
    source = _INLINE.sub(r'<\1 nonce="{{ request.state.nonce }}"', source)
    # A style attribute is inline style, and so is the empty element that components' styles would stand in.
    source = _STYLE_ATTRIBUTE.sub(" hidden", source)
    return _EMPTY_STYLE.sub("{{ body_html | replace('<style></style>', '') | safe }}", source)
