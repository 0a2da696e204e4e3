"""The secrets that a configuration holds, whatever field they stand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, SecretStr

from navoracle.live_secrets import register_secrets, register_url


def secrets_of(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Every secret in a section, at any depth, with the path to it."""
    if isinstance(value, SecretStr):
        yield place, value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from secrets_of(getattr(value, name), f"{place}.{name}" if place else name)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from secrets_of(item, f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from secrets_of(item, f"{place}.{index}")


def hide_secrets_of(section: BaseModel) -> None:
    """Let no secret of the section be written from now on."""
    for _, secret in secrets_of(section):
        if "://" in secret:
            register_url(secret)
        else:
            register_secrets(secret)
