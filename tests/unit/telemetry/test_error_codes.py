"""The registry of codes names everything that the code can give as a reason, and its page is up to date."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import get_args

import pytest

from navoracle.chain.log_watch import LogWatchState
from navoracle.chain.node_state import NodeState
from navoracle.domain.errors import NavoracleError, RequestRefused
from navoracle.domain.risk.gates import GateWarning, Veto
from navoracle.lane_port import LaneEvent
from navoracle.publishers.nav_registry_codec import Reason
from navoracle.publishers.peers.midas import _BREACHES
from navoracle.store_port import Severity
from navoracle.telemetry.components import COMPONENTS, component_of
from navoracle.telemetry.error_codes import CODES, GROUPS, explain, page
from navoracle.telemetry.error_table import Group
from tests.requirements import PROJECT

PACKAGE = PROJECT / "navoracle"


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the package, parsed, by its path in it."""
    return {
        str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")
    }


def calls(name: str, *folders: str) -> Iterator[ast.Call]:
    """Calls of a function or method of that name in these folders of the package."""
    for path, tree in trees().items():
        if path.startswith(folders or ""):
            for node in ast.walk(tree):
                called = node.func if isinstance(node, ast.Call) else None
                if isinstance(node, ast.Call) and name in (getattr(called, "id", ""), getattr(called, "attr", "")):
                    yield node


def constants(path: str) -> dict[str, str]:
    """Names that a module gives to texts."""
    return {
        target.id: node.value.value
        for node in trees()[path].body
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }


def literal(call: ast.Call, place: int) -> str | None:
    """The text that an argument begins with, up to a colon; None where it is computed."""
    if len(call.args) <= place:
        return None
    value: ast.expr = call.args[place]
    if isinstance(value, ast.JoinedStr) and value.values:
        value = value.values[0]
    return value.value.partition(":")[0] if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def literals(name: str, place: int, *folders: str) -> set[str]:
    """The texts that calls of a function have at a place."""
    return {text for call in calls(name, *folders) if (text := literal(call, place)) is not None}


def words_of(text: str | None, beginning: str) -> set[str]:
    """The words listed after a beginning, up to the full stop."""
    listed = (text or "").partition(beginning)[2].partition(".")[0]
    return set(re.findall(r"[a-z_]+", listed))


def named(group: Group) -> set[str]:
    """The codes of a group."""
    return {code for of, code in CODES if of == group}


def subclasses(kind: type[NavoracleError]) -> set[type[NavoracleError]]:
    """All that derive from an error, and itself."""
    return {kind}.union(*(subclasses(each) for each in kind.__subclasses__()))


def test_errors__every_code__is_registered() -> None:
    classes = {
        text.value.value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for text in node.body
        if isinstance(text, ast.Assign | ast.AnnAssign)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
        and "code"
        in [getattr(target, "id", "") for target in getattr(text, "targets", [getattr(text, "target", None)])]
    }
    assert {each.code for each in subclasses(NavoracleError)} <= classes
    assert classes | literals("Failure", 1, "keeper") == named("error")


def test_nodes_and_logs__every_state__is_registered() -> None:
    assert {state.value for state in NodeState} == named("node")
    assert {state.value for state in LogWatchState} == named("logs")


def test_registry__every_reason__is_registered() -> None:
    assert {reason.name.lower() for reason in Reason if reason.name} == named("registry")


def test_publishers__every_reason__is_registered() -> None:
    folder = "publishers/peers/"
    kept = [constants(path) for path in trees() if path.startswith(folder)]
    roles = {"OWNER", "SAFE", "SECURITY_COUNCIL", "VALUATION_MANAGER"}
    said = {text for known in kept for name, text in known.items() if name.isupper() and name not in roles}
    reasons = {text for text in said if re.fullmatch("[a-z_]+", text)}
    # Guards that name their own refusal, and what a look after the post found.
    named_by_guards = set(_BREACHES) | literals("rise_of_at_most", 0, "domain/peer_guards/veda.py")
    named_by_guards |= literals("fall_of_at_most", 0, "domain/peer_guards/veda.py")
    for shape in ("rise_of_at_most", "fall_of_at_most", "at_least", "at_most"):
        named_by_guards |= literals(shape, 0, f"{folder}generic_checks.py") - {"after_held"}
    assert {"upper_bound", "lower_delta", "minimum", "maximum"} <= named_by_guards
    read_back = {"reverted", "superseded", "missing"}
    assert reasons | named_by_guards | read_back == named("publisher")


def test_lane__every_kind_of_event__is_registered() -> None:
    documented = words_of(LaneEvent.__doc__, "`kind`: ")
    assert documented == named("lane")
    told = literals("tell", 0, "chain/transactions") | literals("tell_once", 1, "chain/transactions")
    assert told
    assert told <= named("lane")


def test_events__every_kind_of_the_risk_monitor__is_registered() -> None:
    made = literals("Event", 1, "composition/risk_events") | literals("_about", 1, "composition/risk_events")
    assert made | {constants("telemetry/components.py")["STATE_UPDATE"]} == named("event")
    assert {component_of(kind) for kind in named("event")} == {"risk"}


def test_settlements__every_reason_of_a_refusal__is_registered() -> None:
    modules = ("domain/settlement", "keeper/settlements", "keeper/examined_settlements", "keeper/gated_settlements")
    found = literals("Refusal", 0, *modules) | literals("refuse", 1, "domain/settlement")
    assert found == named("settlement")


def test_requests__every_reason_of_a_refusal__is_registered() -> None:
    documented = {word for word in words_of(RequestRefused.__doc__, "one of ") if word != "reason"}
    assert documented == named("request")
    assert literals("RequestRefused", 0) <= named("request")


def test_guards__every_check__is_registered() -> None:
    checks = literals("Verdict", 0, "domain", "keeper") | literals("_stop", 0, "domain/guards")
    assert len(checks) > 15
    checks |= {*get_args(Veto), *get_args(GateWarning)}  # which the gate's check passes on
    assert checks | {"asset_breaker"} | {"second_frame_disagrees"} == named("guard")
    assert constants("domain/guards/breaker_checks.py")["ASSET_BREAKER"] == "asset_breaker:"


def test_prices__every_reason__is_registered() -> None:
    folder = "domain/prices/"
    reasons = literals("unavailable", 1, folder) | {
        word.value.value
        for call in (*calls("fall_back", "keeper", folder),)
        for word in call.keywords
        if word.arg == "reason" and isinstance(word.value, ast.Constant)
    }
    returned = {
        node.value.value
        for node in ast.walk(trees()["domain/prices/aggregation.py"])
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
    known = named("price") | named("quote")
    assert len(returned) >= 7
    assert (reasons | returned) <= known
    quotes = constants("keeper/pricing.py").get("LEG_NOT_LIVE", "leg_not_live")
    assert reasons | returned | {"outlier", quotes} == known


def test_breakers__every_reason_of_the_keeper__is_registered() -> None:
    assert set(constants("domain/breaker_watch.py").values()) == named("breaker")


def test_preflight__every_reason__is_registered() -> None:
    documented = words_of(ast.get_docstring(_class("keeper/preflight.py", "Refusal")), "`reason`: ")
    assert {word for word in documented if word not in {"of", "a", "fund"}} == named("preflight")
    assert literals("Refusal", 0, "keeper/preflight") <= named("preflight")


def test_slots__every_reason__is_registered() -> None:
    said = literals("SlotOutcome", 1, "keeper", "cli") | literals("_miss", 1, "keeper")
    said |= {constants("cli/posting.py")["SLOT_TAKEN"]}
    valued = {text for call in calls("Valued", "keeper/valuing.py") if (text := literal(call, 2)) is not None and text}
    unknown = {each for each in said | valued if each} - named("slot")
    assert unknown == set()
    read_back = {
        node.value.value
        for node in ast.walk(_function("publishers/nav_registry.py", "_classify"))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
    assert read_back <= named("slot") | named("registry")


def _class(path: str, name: str) -> ast.ClassDef:
    return next(node for node in trees()[path].body if isinstance(node, ast.ClassDef) and node.name == name)


def _function(path: str, name: str) -> ast.FunctionDef:
    return next(node for node in trees()[path].body if isinstance(node, ast.FunctionDef) and node.name == name)


# ---- the registry itself


def test_codes__every_one__has_component_severity_and_sentences() -> None:
    assert {group for group, _ in CODES} == set(GROUPS)
    for code in CODES.values():
        assert code.component in COMPONENTS, code
        assert isinstance(code.severity, Severity)
        assert code.message.endswith((".", ")")), code
        assert code.resolution.endswith((".", ")")), code
        assert "|" not in code.message + code.resolution
    assert len({code.anchor for code in CODES.values()}) == len(CODES)


@pytest.mark.parametrize(
    ("group", "reason", "code"),
    [
        ("slot", "unpriced:ETH:no_quorum", "unpriced"),
        ("guard", "asset_breaker:ETH", "asset_breaker"),
        ("node", "alive", "alive"),
    ],
)
def test_explain__reason_with_details__is_found_by_its_beginning(group: Group, reason: str, code: str) -> None:
    found = explain(group, reason)
    assert found is not None
    assert found.code == code


def test_explain__unknown__is_none() -> None:
    assert explain("slot", "never heard of") is None


def test_page__in_the_guide__is_what_the_registry_says() -> None:
    written = (PROJECT / "docs" / "operations" / "errors.md").read_text(encoding="utf-8")
    assert written == page(), "run: .venv/bin/python -m navoracle.telemetry.error_codes > docs/operations/errors.md"


# ---- logs


def _error_logs() -> Iterator[tuple[str, ast.Call]]:
    for path, tree in trees().items():
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            if (
                isinstance(node, ast.Call)
                and isinstance(called, ast.Attribute)
                and called.attr in ("error", "critical", "exception")
            ):
                owner = ast.unparse(called.value)
                if "log" in owner.lower():
                    yield f"{path}:{node.lineno}", node


def test_logs__of_severity_error__carry_advice() -> None:
    found = list(_error_logs())
    assert len(found) >= 5
    silent = [place for place, call in found if "advice" not in {word.arg for word in call.keywords}]
    assert silent == []


def test_logs__said_through_a_variable__carry_advice_too() -> None:
    """`say = log.error if ... else log.warning`: the call of `say` must have it."""
    for path, tree in trees().items():
        chosen = {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and "log.error" in ast.unparse(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in chosen:
                assert "advice" in {word.arg for word in node.keywords}, f"{path}:{node.lineno}"
