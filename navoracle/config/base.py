"""What the configuration's sections have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from navoracle.redaction import host_of

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
BpsField = Annotated[int, Field(ge=0, le=10_000)]
Seconds = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """A part of the configuration: frozen, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _check_node_url(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    if not text.startswith(("http://", "https://", "ws://", "wss://")) or host_of(text) == "?":
        raise ValueError("it is no URL of a node: write http(s)://... or ws(s)://...")
    return url


NodeUrl = Annotated[SecretStr, AfterValidator(_check_node_url)]
"""The URL of a node; a secret, because providers put keys into it."""
