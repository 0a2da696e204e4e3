"""No secret of any configuration field is ever written: not to a log, an event, a metric, a health page or a traceback.

The fields are found by walking the configuration's models, so that a new one is tested from the day that it is there.
"""

from __future__ import annotations

import io
import json
import logging
import string
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import structlog
import yaml
from fastapi.testclient import TestClient
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from navoracle.chain.connect import endpoint_at
from navoracle.cli.config import config_document
from navoracle.cli.export import Subject, rows_of
from navoracle.composition.endpoints import node_pool
from navoracle.config.loading import parse_config
from navoracle.config.models import Config
from navoracle.config.secrets import secrets_of
from navoracle.config.settings import load_settings
from navoracle.domain.errors import ConfigurationError
from navoracle.lane_port import LaneEvent
from navoracle.live_secrets import forget_secrets
from navoracle.ports import Address
from navoracle.read_model.tables import write_rows
from navoracle.store_port import Event, Severity
from navoracle.telemetry.alerts import Alerts
from navoracle.telemetry.crash import crash_text
from navoracle.telemetry.events import EventLog
from navoracle.telemetry.logs import configure_logs
from navoracle.telemetry.metrics import Metrics
from navoracle.web_service import Check, build_app
from tests.unit.telemetry.fakes import NOW, ListeningNotifier, MemoryStore, SetClock
from tests.unit.web_service.fakes import Keeper, fund

EXAMPLES = 20
"""Configurations that are tried; each of them is half a second of logs, files and pages."""

ADDRESS = "0x" + "11" * 20
PUBLIC_KEY = "0x" + "22" * 64

URL_WORDS = st.text(string.ascii_letters + string.digits + "_-", min_size=12, max_size=48).filter(
    lambda word: any(map(str.isdigit, word)) and any(map(str.isupper, word)) and any(map(str.islower, word))
)
"""Keys as providers make them."""

WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40).filter(
    lambda word: len(set(word)) >= 6 and not word.startswith("://") and "://" not in word
)
"""Whatever a header, a password or a key can be."""


def configuration(secret: Callable[[str], str]) -> dict[str, Any]:
    """A configuration with a secret in each field that takes one; `secret` is given "word" or "url"."""

    def url(scheme: str, host: str = "node.example") -> str:
        return f"{scheme}://user:{secret('url')}@{host}/v2/{secret('url')}?apikey={secret('url')}"

    signer = {
        "kind": "web3signer",
        "url": f"https://user:{secret('url')}@signer.example/{secret('url')}",
        "public_key": PUBLIC_KEY,
        "headers": {"x-key": secret("word")},
    }
    safe = {"address": ADDRESS, "folder": "proposals", "service": {"api_key": secret("word")}}
    chain = {"chain_id": 1, "registry": ADDRESS, "signer": signer, "transactions": {"relay": {"url": url("https")}}}
    return {
        "store": {"url": f"postgresql://navoracle_user:{secret('url')}@db.example/navs?password={secret('url')}"},
        "chains": {
            "one": {**chain, "rpc": url("https"), "safe": safe},
            "two": {
                "chain_id": 2,
                "endpoints": [{"url": url("wss", "a.example")}, {"url": url("http", "b.example")}],
            },
        },
        "credentials": {"service": {"header": "x-api-key", "value": secret("word")}},
        "exchanges": {
            "binance": {"id": "binance", "credentials": {"apiKey": secret("word"), "secret": secret("word")}}
        },
        "alerts": {
            "targets": [{"name": "ops", "url": f"tgram://{secret('url')}/{secret('url')}"}],
            "escalation": [{"name": "boss", "url": f"mailtos://user:{secret('url')}@mail.example?to=a@b.example"}],
        },
        "assets": {},
        "funds": {
            "usd": {
                "id": 1,
                "supply": {"kind": "fixed", "shares": "1"},
                "positions": [{"kind": "declared", "asset": "USD", "component": "cash", "amount": "1"}],
            }
        },
    }


def secret_fields(annotation: Any, owner: str = "", within: tuple[Any, ...] = ()) -> Iterator[str]:
    """The fields that take a secret, found by the models' types: "ChainSection.rpc".

    A model or an alias that names itself (`within`) is not entered again.
    """
    if annotation in within:
        return
    if isinstance(annotation, type) and issubclass(annotation, SecretStr):
        yield owner
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            for part in (field.annotation, *field.metadata):
                yield from secret_fields(part, f"{annotation.__name__}.{name}", (*within, annotation))
    else:
        for part in get_args(annotation):
            yield from secret_fields(part, owner, within)


def filled_fields(value: object, owner: str = "") -> Iterator[str]:
    """The fields of a configuration that hold a secret."""
    if isinstance(value, SecretStr):
        yield owner
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from filled_fields(getattr(value, name), f"{type(value).__name__}.{name}")
    elif isinstance(value, dict):
        for item in value.values():
            yield from filled_fields(item, owner)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from filled_fields(item, owner)


def test_configuration__of_these_tests__has_a_secret_in_each_field_that_takes_one() -> None:
    config = parse_config(configuration(lambda _kind: "S3cret-of-this-test"), "test")
    assert set(filled_fields(config)) == set(secret_fields(Config))
    assert len(set(secret_fields(Config))) >= 8
    forget_secrets()


@contextmanager
def captured(format_: Any) -> Iterator[io.StringIO]:
    """The log, as it is in production."""
    root = logging.getLogger()
    handlers, level, out = list(root.handlers), root.level, io.StringIO()
    try:
        configure_logs(format_, "debug", out)
        yield out
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


class Holder:
    """Something whose repr shows what it holds."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __repr__(self) -> str:
        return f"Holder({self.secret!r})"


def error_with(secret: str) -> Exception:
    """An error that shows a secret, caused by another one that does."""
    try:
        try:
            raise OSError(f"cannot log in with {secret}")
        except OSError as cause:
            raise ValueError(f"no session: {secret!r}", secret) from cause
    except ValueError as error:
        return error


def logged(secrets: list[str]) -> str:
    """What the log says of them, in every way that code logs."""
    said = ""
    for format_ in ("json", "console"):
        with captured(format_) as out:
            log, library = structlog.get_logger("test"), logging.getLogger("aiohttp.client")
            for secret in secrets:
                error = error_with(secret)
                log.error("failed: %s", secret, advice=secret, nested={"a": [secret], secret: 1}, holder=Holder(secret))
                log.warning("failed", exc_info=error, error=error, raw=secret.encode())
                library.warning("request to %s failed", secret, exc_info=error)
                library.error(f"https://user:{secret}@host.example/{secret}?key={secret}")
            said += out.getvalue()
    return said


def kept(secrets: list[str]) -> str:
    """What events, their files, their export, alerts and their messages say."""
    store, notifier = MemoryStore(), ListeningNotifier()
    with tempfile.TemporaryDirectory() as folder, captured("json") as out:
        log = EventLog(Path(folder), store, now=SetClock())
        alerts = Alerts(store, notifier, now=SetClock(), journal=log.record)
        for number, secret in enumerate(secrets):
            log.record(
                Event(NOW, "failure", None, Severity.CRITICAL, f"no {secret}", secret, {"url": secret, "a": [secret]})
            )
            store.append_event(
                Event(NOW, "failure", None, Severity.INFO, secret, data={secret: secret})
            )  # past the log
            alerts.raise_("RpcDown", f"node {number}", f"refused: {secret}", advice=f"not {secret}")
        log.catch_up()
        log.close()
        files = "".join(path.read_text() for path in Path(folder).iterdir())
        exported = io.StringIO()
        for lines in (True, False):
            rows = list(rows_of(store, Subject.EVENTS))  # type: ignore[arg-type]
            write_rows(rows, tuple(rows[0]), exported, lines=lines)
        said = out.getvalue()
    recorded = "".join(str(row.event) for row in store.stored if row.event.data.get("url"))
    return files + exported.getvalue() + said + recorded + str(store.rows) + str(notifier.heard)


def shown(config: Config, secrets: list[str]) -> str:
    """What metrics, health pages, `config show` and representations say."""
    metrics = Metrics("1", SetClock(), process=False)
    said = ""
    for name, chain in config.chains.items():
        for endpoint in chain.nodes:
            said += endpoint_at(endpoint.url.get_secret_value(), timeout=1).name
        pool = node_pool(name, chain)
        metrics.observe_nodes(name, pool.nodes())
        said += pool.name + str(pool.nodes())
    metrics.lane_event(LaneEvent("failed", "one", Address(ADDRESS), Severity.CRITICAL, " ".join(secrets)))
    checks = tuple(Check(f"check {number}", ok=False, detail=secret) for number, secret in enumerate(secrets))
    keeper = Keeper(checks=checks, others=checks, funds=(fund(None, why=" ".join(secrets)),), document={"x": secrets})
    client = TestClient(build_app(keeper, None, metrics, ()), base_url="http://localhost")
    said += "".join(client.get(path).text for path in ("/readyz", "/healthz", "/metrics", "/api/v1/status"))
    document = config_document(config, config.store.url)
    return (
        said + json.dumps(document) + yaml.safe_dump(document) + repr(config) + str(config) + config.model_dump_json()
    )


def crashed(secrets: list[str]) -> str:
    """What the process says when it ends by a defect."""
    return "".join(crash_text(error_with(secret)) for secret in secrets)


@cache
def ordinary() -> str:
    """What all of it says where the secrets are others: what stands in there is no leak."""
    texts = everything(configuration(lambda kind: "Zq9" + kind + "Xw7Vk2Jp4"))
    return "\n".join(texts.values())


def everything(raw: dict[str, Any]) -> dict[str, str]:
    """Every output of a keeper with this configuration."""
    forget_secrets()
    try:
        config = parse_config(raw, "test")
        found = [secret for _, secret in secrets_of(config)]
        return {
            "log": logged(found),
            "events": kept(found),
            "pages": shown(config, found),
            "crash": crashed(found),
        }
    finally:
        forget_secrets()


@settings(max_examples=EXAMPLES)
@example(in_url="Ab1-Ab1_Ab1-Ab1", word="p\"a\\ss'w0rd%20&<>")
@given(URL_WORDS, WORDS)
def test_secrets__in_each_field_of_a_configuration__appear_in_no_output(in_url: str, word: str) -> None:
    assume(in_url not in ordinary() and word not in ordinary() and in_url not in word and word not in in_url)
    for output, text in everything(configuration(lambda kind: in_url if kind == "url" else word)).items():
        assert in_url not in text, output
        assert word not in text, output
        assert json.dumps(word)[1:-1] not in text, output
        assert repr(word)[1:-1] not in text, output


@settings(max_examples=EXAMPLES)
@given(URL_WORDS)
def test_secret__of_the_database_flag__is_hidden_too(secret: str) -> None:
    forget_secrets()
    try:
        load_settings(database=f"postgresql://user:{secret}@host.example/navs")
        assert secret not in logged([secret])
    finally:
        forget_secrets()


_BROKEN: tuple[tuple[str, ...], ...] = (
    ("chains", "one", "rpc"),
    ("chains", "two", "endpoints"),
    ("chains", "one", "signer"),
    ("credentials", "service", "value"),
    ("exchanges", "binance", "credentials"),
    ("alerts", "targets"),
    ("store", "url"),
)


@pytest.mark.parametrize("place", _BROKEN)
@settings(max_examples=EXAMPLES)
@given(URL_WORDS)
def test_secret__in_a_place_that_is_wrong__is_not_in_the_error(place: tuple[str, ...], secret: str) -> None:
    raw = configuration(lambda _kind: "fine-Secret-of-this-test1")
    section = raw
    for name in place[:-1]:
        section = section[name]
    section[place[-1]] = {"unknown": [secret], secret: secret}
    with pytest.raises(ConfigurationError) as caught:
        parse_config(raw, "test")
    said = caught.value.message.replace(f".{secret}", "")  # an unknown key is named: it is no value
    assert secret not in said
    assert secret not in crash_text(caught.value).replace(f".{secret}", "")
    forget_secrets()


def test_crash__of_a_whole_process__hides_what_its_configuration_holds(capsys: pytest.CaptureFixture[str]) -> None:
    from navoracle.telemetry import crash

    hook = sys.excepthook
    parse_config(configuration(lambda _kind: "Crash-Secret-0123456789"), "test")
    try:
        crash.install_crash_hooks()
        error = error_with("Crash-Secret-0123456789")
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.excepthook = hook
        forget_secrets()
    said = capsys.readouterr().err
    assert "Crash-Secret" not in said
    assert "ValueError: " in said
    assert "The above exception was the direct cause" in said
