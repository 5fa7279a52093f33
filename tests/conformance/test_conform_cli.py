"""The command `conform`: what it takes, where it reads it from, what its exit code says."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import Settings, create_app
from sandbox.cli.conform import OPTIONS
from sandbox.options import flag
from tests.conformance.conform_runs import Foreign, Said, conform, ours, overheard
from tests.conformance.test_checks import a_patch_is_forgotten, refuse
from tests.conformance.wire import Request
from tests.support.constants import NOW, ROOT
from tests.support.running import running

pytestmark = pytest.mark.fuzz

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where no conform.toml lies about."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def unused_origin() -> str:
    """An origin where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="module")
def whole() -> tuple[Said, list[Request]]:
    """What came of a quick run with nothing but the URL, and what the server heard."""
    return overheard("--quick")


# Exit codes


def test_0_a_server_that_conforms(capsys: Capture) -> None:
    with running(ours()) as origin:
        said = conform(capsys, origin, "--check", "APP-1")
    assert said.code == 0
    assert "\nconforms\n" in said.out


def test_0_is_said_of_the_whole_sandbox_with_nothing_but_the_url(whole: tuple[Said, list[Request]]) -> None:
    said, _ = whole
    assert said.code == 0, said.out
    assert "\nconforms\n" in said.out


def test_1_a_server_that_does_not(capsys: Capture) -> None:
    with running(ours(a_patch_is_forgotten)) as origin:
        assert conform(capsys, origin, "--check", "UPDATE-2").code == 1


def test_1_a_check_that_could_not_run(capsys: Capture) -> None:
    with running(ours(refuse("/conversations$"))) as origin:
        said = conform(capsys, origin, "--check", "PAGE-1")
    assert said.code == 1
    assert "PAGE-1 could not run" in said.out


def test_1_an_operation_that_never_succeeds(capsys: Capture) -> None:
    with running(ours(refuse("/metrics$"))) as origin:
        said = conform(capsys, origin, "--quick", "--read-only")
    assert said.code == 1
    assert "apps_api_get_app_metrics never answered 2xx" in " ".join(said.out.split())


def test_3_nobody_is_there(capsys: Capture, unused_origin: str) -> None:
    said = conform(capsys, unused_origin)
    assert said.code == 3
    assert said.err == f"dimedove-sandbox: can't reach {unused_origin}: Connection refused\n"


def test_3_there_is_no_such_app(capsys: Capture) -> None:
    with running(ours()) as origin:
        said = conform(capsys, origin, "--app", "app_missing")
    assert said.code == 3
    assert said.err.endswith(": there is no app app_missing (404); the URL's path and --app say what to check\n")


def test_3_the_key_is_refused(capsys: Capture) -> None:
    with running(ours()) as origin:
        said = conform(capsys, origin, "--app", "app_x", "--key", "sk_test_invalid")
    assert (said.code, said.err.count("\n")) == (3, 1)
    assert "the key is refused (401)" in said.err


def test_3_schemathesis_is_missing() -> None:
    """In an environment where it can't be found, the checks still run, and a whole run says what to install."""
    program = (
        "import sys; sys.path_importer_cache.clear(); import importlib.util as u; real = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'schemathesis' else real(name, *a)\n"
        "from sandbox.cli import main; sys.exit(main(['conform', 'http://127.0.0.1:1']))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 3
    assert (
        done.stderr
        == "dimedove-sandbox: schemathesis is missing: pip install 'dimedove-sandbox[conform]'; --check needs none\n"
    )


# Each row: words that make no sense, and what is said of them.
WRONG = [
    ([], "no URL"),
    (["ftp://example.com"], "expected a URL"),
    (["localhost:8010"], "expected a URL"),
    (["http://"], "expected a URL"),
    (["http://user:pw@127.0.0.1"], "expected a URL"),
    (["http://127.0.0.1:99999"], "expected a URL"),
    (["http://127.0.0.1/?x=1"], "expected a URL"),
    (["http://127.0.0.1:1", "--check", "PAGE-99"], "--check PAGE-99: there is no such check"),
    (["http://127.0.0.1:1", "--seed", "x"], "--seed: expected a whole number"),
    (["http://127.0.0.1:1", "--max-messages", "-1"], "--max-messages: expected a whole number from 0"),
    (["http://127.0.0.1:1", "--baseline", "none.toml"], "none.toml: can't be read"),
    (["http://127.0.0.1:1", "--config", "none.toml"], "none.toml: can't be read"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_2_what_makes_no_sense_is_refused_in_one_line(capsys: Capture, words: list[str], said: str) -> None:
    result = conform(capsys, *words)
    assert result.code == 2
    assert said in result.err
    assert result.err.count("\n") == 1


UNREADABLE: dict[str, bytes] = {
    "many digits": b"seed = " + b"1" * 5_000,
    "deep": b"seed = " + b"[" * 5_000 + b"]" * 5_000,
    "nan": b"seed = nan\nknown = nan",
    "infinite": b"deadline = inf\nwaived = inf",
    "no tables": b"law = [1]\nknown = [1]",
    "not UTF-8": b"key = '\xff'",
    "no TOML": b"key = ::error::\x1b[2J",
    "a name that commands": b'"\\n::error::x" = 1',
    "large": b"#" * 20_000_000,
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_2_any_file_that_can_t_be_read_is_named_in_one_line(capsys: Capture, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "some.toml").write_bytes(content)
    for words in (["--config", "some.toml"], ["--baseline", "some.toml"]):
        said = conform(capsys, "http://127.0.0.1:1", *words)
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
        assert "some.toml" in said.err
        assert said.err[:-1].isprintable()
        assert " ::" not in said.err


def test_2_a_folder_is_no_config_and_a_byte_order_mark_does_no_harm(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "conform.toml").write_bytes(b"\xef\xbb\xbfseed = 1\n")
    (tmp_path / "baseline.toml").write_bytes(b"\xef\xbb\xbf")
    assert conform(capsys, "http://127.0.0.1:1", "--check", "APP-1", "--baseline", "baseline.toml").code == 3
    for flag_of_file in ("--config", "--baseline"):
        assert conform(capsys, "http://127.0.0.1:1", flag_of_file, str(tmp_path)).code == 2


def test_2_a_server_that_is_not_the_sandbox_needs_a_key_and_an_app(capsys: Capture) -> None:
    with running(ours(Foreign())) as origin:
        said = conform(capsys, origin)
    assert said.code == 2
    assert "doesn't say that it is the sandbox: --app and --key are needed" in said.err


# Options


def test_every_option_is_in_the_help(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        conform(capsys, "--help")
    out, _ = capsys.readouterr()
    assert [name for name in OPTIONS if (flag(name) if name != "url" else "URL") not in out] == []


def test_options_are_read_from_a_file_in_the_folder(capsys: Capture, empty_folder: Path) -> None:
    with running(ours()) as origin:
        text = f'url = "{origin}"\napp = "app_of_the_file"\ncheck = ["APP-1"]\njson = "report.json"\n'
        (empty_folder / "conform.toml").write_text(text, encoding="utf-8")
        assert conform(capsys).code == 0
    report = json.loads((empty_folder / "report.json").read_text(encoding="utf-8"))
    assert report["app"] == "app_of_the_file"


def test_the_former_name_of_an_option_is_taken_too(capsys: Capture, empty_folder: Path) -> None:
    (empty_folder / "conform.toml").write_text('law = ["APP-1"]\n', encoding="utf-8")
    with running(ours()) as origin:
        assert "checks: 1 kept" in conform(capsys, origin).out
        assert "checks: 2 kept" in conform(capsys, origin, "--law", "APP-1", "--law", "APP-2").out


def test_a_flag_goes_before_the_file(capsys: Capture, empty_folder: Path) -> None:
    (empty_folder / "conform.toml").write_text('app = "app_of_the_file"\njson = "report.json"\n', encoding="utf-8")
    with running(ours()) as origin:
        assert conform(capsys, origin, "--check", "APP-1", "--app", "app_of_the_flag").code == 0
    report = json.loads((empty_folder / "report.json").read_text(encoding="utf-8"))
    assert report["app"] == "app_of_the_flag"


def test_keys_are_read_from_the_environment(capsys: Capture) -> None:
    with running(ours()) as origin:
        env = {"DIMEDOVE_API_KEY": "sk_test_denied"}
        said = conform(capsys, origin, "--app", "app_x", env=env)
    assert "the key doesn't open the app (403)" in said.err


def test_an_unknown_option_of_the_file_is_named(capsys: Capture, empty_folder: Path) -> None:
    (empty_folder / "conform.toml").write_text("quik = true\n", encoding="utf-8")
    said = conform(capsys, "http://127.0.0.1:1")
    assert said.code == 2
    assert "conform.toml: quik: there is no such setting" in said.err


def test_a_list_shows_every_check(capsys: Capture) -> None:
    said = conform(capsys, "--list")
    assert said.code == 0
    assert len(said.out.splitlines()) > 60
    assert "PAGE-8         5.4   [V] any " in said.out


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
def test_the_url_may_have_its_base_or_not(capsys: Capture, path: str) -> None:
    with running(ours()) as origin:
        assert conform(capsys, origin + path, "--check", "APP-1").code == 0


def test_laws_that_are_not_asked_for_are_listed_and_do_not_fail(capsys: Capture) -> None:
    with running(ours()) as origin:
        said = conform(capsys, origin, "--check", "KEY-8", "--check", "APP-1")
    assert said.code == 0
    assert "not asked for: needs --other-key: KEY-8" in said.out


def test_another_key_is_held_to_open_nothing(capsys: Capture) -> None:
    with running(ours()) as origin:
        assert conform(capsys, origin, "--check", "KEY-8", "--other-key", "sk_test_denied").code == 0
        assert conform(capsys, origin, "--check", "KEY-8", "--other-key", "sk_test_other").code == 1


@pytest.mark.parametrize("status", ["400", "422"])
def test_a_sandbox_that_refuses_with_another_status_conforms(capsys: Capture, status: str) -> None:
    with running(create_app(Settings(now=NOW, validation_status=status))) as origin:
        assert conform(capsys, origin, "--check", "ERROR", "--check", "BODY-2", "--check", "PAGE-5").code == 0


def test_one_seed_sends_the_same_requests_to_fresh_servers(whole: tuple[Said, list[Request]]) -> None:
    """In both parts, and all phases of the first; the seed is 1 where none is given."""
    _, again = overheard("--quick", "--seed", "1")
    assert sent(again) == sent(whole[1])


def sent(requests: list[Request]) -> list[tuple[str, str, str, bytes]]:
    """Return what was sent, apart from the headers: some name a request."""
    return [(request.method, request.path, request.query, request.body) for request in requests]


def test_serve_pays_nothing_for_the_suite() -> None:
    program = (
        "import sys; from sandbox.cli import main\n"
        "try: main(['serve', '--port', 'x'])\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if 'conformance' in name or 'schemathesis' in name])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stdout == "[]\n"
