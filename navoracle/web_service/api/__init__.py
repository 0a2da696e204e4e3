"""The HTTP API under /api/v1: one module for each subject; docs/api.md says what holds for all of them."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter

from navoracle.web_service.api import alerts, events, frames, funds, intake, operations, prices, reference, stream

DESCRIPTION = (
    "What a keeper knows: funds, frames, evidence, prices, posts, risks, events, alerts. Money, prices and ratios are"
    " integers of 18 places as text, times are Unix seconds. What is not known is null, with its reason in `unknown`."
)


ALLOWED: Final[Mapping[str, str]] = {"/api/v1/requests": "GET, POST"}
"""Paths of more than one route: the framework names the methods of the first alone."""


def routers(*, with_model: bool) -> tuple[APIRouter, ...]:
    """The routes; those of the read model only where there is one."""
    if not with_model:
        return (intake.router,)
    subjects = (funds, frames, prices, events, alerts, operations, stream, reference)
    return (intake.router, *(subject.router for subject in subjects))
