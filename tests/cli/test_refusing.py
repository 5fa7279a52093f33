"""`serve` that can't: exit 2 for what is wrong in its settings, 3 for what is wrong around it, and one line."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.cli import main
from sandbox.contract import load
from sandbox.errors import ContractError
from sandbox.server.router import Router
from tests.support.constants import ROOT
from tests.support.processes import VARIABLE, run

CONFIG = "apps_api_get_app_config"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of this machine that is in use: whatever else is right, nothing is served there."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    [line] = captured.err.splitlines()
    return line


def test_a_port_in_use_is_exit_3(capsys: pytest.CaptureFixture[str], taken: int) -> None:
    assert main(["serve", "--port", str(taken)], {}) == 3
    line = one_line(capsys)
    assert f"127.0.0.1:{taken}" in line
    assert "--port 0" in line


@pytest.mark.parametrize("host", ["192.0.2.1", "256.1.1.1", "[::1", "a..b", "x" * 70, "\u00e9" * 80, "a b"])
def test_a_host_that_is_not_ours_is_exit_3(capsys: pytest.CaptureFixture[str], host: str) -> None:
    assert main(["serve", "--port", "0", "--host", host], {}) == 3
    assert host in one_line(capsys)


def test_a_bad_flag_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "http"], {}) == 2
    assert "--port: expected a whole number" in one_line(capsys)


def test_a_bad_variable_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve"], {VARIABLE + "PORT": "http"}) == 2
    assert f"{VARIABLE}PORT: expected a whole number" in one_line(capsys)


@pytest.mark.parametrize("setting", ["host", "data", "url_file", "control_token", "tls_cert"])
def test_no_text_has_the_character_that_ends_texts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, setting: str
) -> None:
    config = tmp_path / "sandbox.toml"
    config.write_text(f'{setting} = "a\\u0000"')
    assert main(["serve", "--port", "0", "--config", str(config)], {}) == 2
    assert f"{setting}: expected text without" in one_line(capsys)


@pytest.mark.parametrize("named", ["by flag", "by variable"])
@pytest.mark.parametrize("text", ["seed = 'x'", "port =", "prot = 1"])
def test_a_bad_file_is_exit_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, taken: int, named: str, text: str
) -> None:
    config = tmp_path / "sandbox.toml"
    config.write_text(text)
    words, environ = (["--config", str(config)], {}) if named == "by flag" else ([], {VARIABLE + "CONFIG": str(config)})
    assert main(["serve", "--port", str(taken), *words], environ) == 2
    assert str(config) in one_line(capsys)


@pytest.mark.parametrize(
    "words",
    [
        ["serve", "--bogus"],
        ["serve", "--port"],
        ["serve", "extra"],
        ["serve", "--quiet=perhaps"],
        ["nonsense"],
        ["--bogus"],
    ],
    ids=" ".join,
)
def test_a_command_line_that_makes_no_sense_is_exit_2(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words, {})
    assert ended.value.code == 2
    assert one_line(capsys)


@pytest.mark.parametrize(("cert", "key"), [("cert.pem", None), (None, "key.pem"), ("nowhere.pem", "nowhere.pem")])
def test_https_needs_both_its_files(
    capsys: pytest.CaptureFixture[str], taken: int, cert: str | None, key: str | None
) -> None:
    words = [*(["--tls-cert", cert] if cert else []), *(["--tls-key", key] if key else [])]
    assert main(["serve", "--port", str(taken), *words], {}) == 2
    assert "--tls-cert" in one_line(capsys)


def test_what_is_wrong_with_an_app_is_one_line_of_the_process_too(tmp_path: Path) -> None:
    config = tmp_path / "sandbox.toml"
    config.write_text("[apps.app_x]\nstatus = 'on'")
    done = run("serve", "--port", "0", "--config", str(config))
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert "apps.app_x: status: expected " in line


# A broken contract


def _spoil(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def apply(schemas: Path) -> None:
        document = json.loads((schemas / "openapi.json").read_text())
        change(document)
        (schemas / "openapi.json").write_text(json.dumps(document))

    return apply


def _new_operation(document: dict[str, Any]) -> None:
    item = document["paths"]["/apps/{app_id}/config"]
    item["put"] = {**item["get"], "operationId": "apps_api_replace_app_config"}


# Each row: what is wrong with the contract, and what is named.
BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "no handler": (_spoil(_new_operation), "apps_api_replace_app_config"),
    "no operation": (_spoil(lambda doc: doc["paths"].pop("/apps/{app_id}/config")), "apps_api_get_app_config"),
    "no files": (lambda schemas: shutil.rmtree(schemas), "openapi.json"),
}


@pytest.mark.parametrize(("spoil", "named"), BROKEN.values(), ids=BROKEN)
def test_a_broken_contract_is_exit_3(tmp_path: Path, spoil: Callable[[Path], None], named: str) -> None:
    for folder in ("sandbox", "schemas"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    spoil(tmp_path / "schemas")
    done = run("serve", "--port", "0", path=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    [line] = done.stderr.splitlines()
    assert named in line


@pytest.mark.parametrize(("more", "less", "named"), [(set(), {CONFIG}, CONFIG), ({"other"}, set(), "other")])
def test_contract_and_code_have_to_fit(more: set[str], less: set[str], named: str) -> None:
    contract = load()
    handlers = {operation.id for operation in contract.operations} - less | more
    with pytest.raises(ContractError, match=rf"\b{named}\b"):
        Router(contract, handlers)
