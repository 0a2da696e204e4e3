"""The content security policy of the dashboard: its own files, and inline scripts that carry the answer's nonce."""

from __future__ import annotations

import secrets

from fastapi import Request


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
