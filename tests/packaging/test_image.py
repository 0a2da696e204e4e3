"""The image's steps and commands, run outside of a container from exactly the files that are copied into it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.packaging.dockerfile import instructions, only
from tests.requirements import PROJECT

UV = PROJECT / ".tools" / "bin" / "uv"

CONFIGURATION = """
service: { http: { port: 9187 } }
recorded: { usdc: { file: usdc.csv } }
assets: { USDC: { min_sources: 1, sources: [{ kind: recorded, group: market, series: usdc, max_age: 360 }] } }
funds:
  shown:
    id: 1
    supply: { kind: fixed, shares: "1000" }
    positions: [{ kind: declared, id: usd, asset: USD, component: cash, amount: "1000" }]
"""


def test_image__its_user__has_no_rights_and_its_commands_no_shell() -> None:
    users = [each.rest for each in instructions() if each.word == "USER"]
    assert users == ["10001:10001"]
    assert only("ENTRYPOINT").arguments == ["navoracle"]
    assert only("CMD").arguments == ["--log-format", "json", "run"]  # a rehearsal: --live is the operator's to say
    for each in instructions():
        if each.word == "RUN":
            assert each.rest.startswith("["), f"a shell: {each.rest}"
    last = max(each.stage for each in instructions())
    after = [each.word for each in instructions() if each.stage == last]
    assert after.index("USER") > after.index("COPY")


def test_image__bases_and_tools__are_pinned() -> None:
    (base,) = [each.rest for each in instructions() if each.word == "ARG"]
    assert re.fullmatch(r"BASE=python:3\.\d+\.\d+-slim-\w+", base)
    assert {each.rest.split()[0] for each in instructions() if each.word == "FROM"} == {"${BASE}"}
    setup = (PROJECT / "scripts" / "setup").read_text(encoding="utf-8")
    (version,) = re.findall(r"^uv_version=(\S+)$", setup, flags=re.MULTILINE)
    assert any(f"uv=={version}" in each.rest for each in instructions() if each.word == "RUN")
    syncs = [each.arguments for each in instructions() if each.word == "RUN" and each.arguments[:2] == ["uv", "sync"]]
    assert len(syncs) == 2
    assert all("--frozen" in sync for sync in syncs)


def test_image__context__is_what_is_copied_and_nothing_else() -> None:
    lines = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert let_in == set(copied())


def copied() -> list[str]:
    """The project's files and folders that the image is made of."""
    lines = [each.rest for each in instructions() if each.word == "COPY" and "--from" not in each.rest]
    return [name for line in lines for name in line.split()[:-1]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment that the build stage makes, from a copy of what it copies."""
    if not UV.is_file():
        pytest.skip("uv is not in .tools: run scripts/setup")
    source, target = tmp_path_factory.mktemp("src"), tmp_path_factory.mktemp("opt") / "navoracle"
    for name in copied():
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PROJECT / name, source / name)
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    environment |= {"UV_PROJECT_ENVIRONMENT": str(target), "UV_PYTHON": sys.executable}
    for each in instructions():
        if each.word == "RUN" and each.arguments[0] == "uv":
            command = [str(UV), *each.arguments[1:]]
            ended = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
            assert ended.returncode == 0, ended.stderr
    shutil.rmtree(source)  # nothing of what is installed may need it
    return target


@pytest.mark.slow
def test_image__installation__stands_alone_without_development_tools(installed: Path) -> None:
    program = [str(installed / "bin" / "navoracle"), "config", "schema"]
    ended = subprocess.run(program, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["title"] == "navoracle configuration"
    tools = {path.name for path in (installed / "bin").iterdir()}
    assert not tools & {"pytest", "mypy", "ruff", "mkdocs"}
    packages = {path.name.partition("-")[0] for path in installed.glob("lib/python*/site-packages/*.dist-info")}
    assert {"psycopg", "boto3", "safe_eth_py", "ccxt", "navoracle"} <= packages


@pytest.mark.slow
@pytest.mark.sockets
def test_image__health_check__fails_without_a_keeper_and_succeeds_with_one(installed: Path, tmp_path: Path) -> None:
    check = only("HEALTHCHECK").arguments
    python = str(installed / "bin" / "python")
    assert check[0] == "python"

    def healthy() -> bool:
        return subprocess.run([python, *check[1:]], capture_output=True, check=False).returncode == 0

    if healthy():
        pytest.skip("something else listens at the keeper's port")
    (tmp_path / "navoracle.yaml").write_text(CONFIGURATION, encoding="utf-8")
    (tmp_path / "usdc.csv").write_text("timestamp,price\n1700000000,1\n1700000060,1\n", encoding="utf-8")
    keeper = subprocess.Popen(
        [installed / "bin" / only("ENTRYPOINT").arguments[0], *only("CMD").arguments],
        cwd=tmp_path,
        env={"PATH": f"{installed / 'bin'}:/usr/bin:/bin", "NAVORACLE_CONFIG": str(tmp_path / "navoracle.yaml")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        until = time.monotonic() + 60
        while not healthy():
            assert keeper.poll() is None, keeper.stderr.read().decode() if keeper.stderr else ""
            assert time.monotonic() < until, "it never became healthy"
        keeper.terminate()
        _, said = keeper.communicate(timeout=60)
    finally:
        keeper.kill()
        keeper.wait()
    assert keeper.returncode == 0, said.decode()
    assert all(json.loads(line) for line in said.decode().splitlines())
