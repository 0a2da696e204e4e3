"""The keeper over HTTP: health, metrics, status, and the intake of signed requests."""

from navoracle.web_service.app import build_app
from navoracle.web_service.server import serve, serving
from navoracle.web_service.view import (
    Check,
    Component,
    FundHealth,
    FundRiskStatus,
    Liveness,
    RequestReceiver,
    ServiceView,
)

__all__ = [
    "Check",
    "Component",
    "FundHealth",
    "FundRiskStatus",
    "Liveness",
    "RequestReceiver",
    "ServiceView",
    "build_app",
    "serve",
    "serving",
]
