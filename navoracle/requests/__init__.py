"""Signed requests: what guardians, managers, RISK and the risk engine ask of the keeper, verified and taken once."""

from navoracle.requests.actions import DEFAULT_LIMITS, Action, Limit, Role
from navoracle.requests.authority import Authority, RoleCheck
from navoracle.requests.desk import RequestDesk, RequestListener, RequestSubject, RequestTarget
from navoracle.requests.document import ActionRequest, SignedRequest, parse_request, parse_signed_request
from navoracle.requests.drop_folder import DropFolder, drop_document

__all__ = [
    "DEFAULT_LIMITS",
    "Action",
    "ActionRequest",
    "Authority",
    "DropFolder",
    "Limit",
    "RequestDesk",
    "RequestListener",
    "RequestSubject",
    "RequestTarget",
    "Role",
    "RoleCheck",
    "SignedRequest",
    "drop_document",
    "parse_request",
    "parse_signed_request",
]
