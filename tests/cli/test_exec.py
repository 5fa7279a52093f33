"""`exec`, `wait` and `env`: a command with a sandbox of its own, whatever ends either of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.cli import main
from tests.support.constants import ROOT
from tests.support.processes import run, serving

SHOW = "import os, json; print(json.dumps({name: os.environ.get(name) for name in os.environ if 'DIMEDOVE' in name}))"
# Sends requests as an SDK with a slip does: `titel` for `title`.
CREATE = """
import json, os, sys, urllib.request
request = urllib.request.Request(
    f"{os.environ['DIMEDOVE_BASE_URL']}/apps/{os.environ['DIMEDOVE_APP_ID']}/conversations",
    json.dumps({sys.argv[1]: "x"}).encode(),
    {"Authorization": f"Bearer {os.environ['DIMEDOVE_API_KEY']}", "Content-Type": "application/json"},
)
print(json.load(urllib.request.urlopen(request))["title"])
sys.exit(int(sys.argv[2]))
"""


CREATE_IN_MANY = """
import os, urllib.request
headers = {"Authorization": f"Bearer {os.environ['DIMEDOVE_API_KEY']}", "Content-Type": "application/json"}
for number in range(101):
    url = f"{os.environ['DIMEDOVE_BASE_URL']}/apps/app_{number:03}/conversations"
    urllib.request.urlopen(urllib.request.Request(url, b"{}", headers)).read()
raise SystemExit(4)
"""


def python(code: str, *words: str) -> list[str]:
    return ["--", sys.executable, "-c", code, *words]


def test_the_command_gets_what_points_a_client_at_the_server() -> None:
    done = run("exec", "--app-id", "app_x", "--env", "MY_DIMEDOVE=base_url", *python(SHOW))
    shown = json.loads(done.stdout)
    url = shown["DIMEDOVE_SANDBOX_URL"]
    assert url.startswith("http://127.0.0.1:")
    assert shown["DIMEDOVE_BASE_URL"] == shown["MY_DIMEDOVE"] == f"{url}/v1"
    assert (shown["DIMEDOVE_API_KEY"], shown["DIMEDOVE_APP_ID"]) == ("sk_test_demo", "app_x")
    assert (done.returncode, done.stderr) == (0, "")


def test_it_takes_the_options_of_serve_and_ends_as_the_command_does() -> None:
    done = run(
        "exec", "--seed", "7", "--strict-apps", "--cors-origin", "https://a.example", *python(CREATE, "title", "5")
    )
    assert (done.returncode, done.stdout) == (5, "x\n")


def test_the_verdict_fails_a_run_that_passed() -> None:
    good = run("exec", "--verdict", *python(CREATE, "title", "0"))
    bad = run("exec", "--verdict", *python(CREATE, "titel", "0"))
    assert (good.returncode, bad.returncode) == (0, 1)
    assert "app_demo: unknown_field" in bad.stderr
    assert "`titel`" in bad.stderr


def test_a_failure_keeps_what_explains_it_and_a_success_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert run("exec", "--artifacts", str(kept), *python(CREATE, "title", "0")).returncode == 0
    assert not kept.exists()
    assert run("exec", "--artifacts", str(kept), *python(CREATE, "title", "4")).returncode == 4
    names = {
        "requests.har",
        "coverage.json",
        "coverage.md",
        "app_demo.verdict.json",
        "app_demo.bundle.zip",
        "server.log",
    }
    assert {path.name for path in kept.iterdir()} == names
    entries = json.loads((kept / "requests.har").read_text())["log"]["entries"]
    assert [entry["request"]["method"] for entry in entries] == ["POST"]
    assert run("replay", str(kept / "app_demo.bundle.zip")).returncode == 0


def test_the_coverage_says_what_the_client_never_met(tmp_path: Path) -> None:
    done = run("exec", "--coverage", "--artifacts", str(tmp_path), *python(CREATE, "title", "0"))
    assert (done.returncode, done.stdout) == (0, "x\n")
    assert "1 requests; met:" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"coverage.json", "coverage.md"}
    assert "`response.failed`" in done.stderr


@pytest.mark.parametrize("question", ["--coverage", "--verdict"])
def test_a_question_to_a_server_without_the_control_api_is_refused(question: str) -> None:
    done = run("exec", question, "--control", "off", *python(SHOW))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"dimedove-sandbox: {question}: needs the control API, which --control off takes away\n"


def test_every_app_is_kept_however_many_there_are(tmp_path: Path) -> None:
    """More apps than a page of the list has."""
    done = run("exec", "--artifacts", str(tmp_path), *python(CREATE_IN_MANY))

    assert done.returncode == 4
    kept = {path.name for path in tmp_path.glob("*.bundle.zip")}
    assert kept == {f"app_{number:03}.bundle.zip" for number in range(101)}


def test_what_cannot_be_kept_costs_no_exit_code(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("exec", "--artifacts", str(tmp_path / "file"), *python("raise SystemExit(4)"))
    assert done.returncode == 4
    assert "--artifacts" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--now", "x", *python("")], 2, "--now: expected a whole number, got 'x'"),
        (
            ["--env", "A=b", *python("")],
            2,
            "--env: expected NAME= and one of url, base_url, api_key, app_id, got 'A=b'",
        ),
        (["--", "no-such-command"], 2, "no-such-command: No such file or directory"),
        ([], 2, "the following arguments are required: COMMAND"),
        (["--host", "192.0.2.1", *python("")], 3, "can't listen on 192.0.2.1:0"),
    ],
    ids=["setting", "env", "command", "no command", "no address"],
)
def test_what_cannot_be_run_is_one_line(words: list[str], code: int, message: str) -> None:
    done = run("exec", *words)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1)
    assert message in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_reaches_the_command_and_the_server_serves_to_its_end(number: signal.Signals) -> None:
    code = """
import os, signal, sys, time, urllib.request
def ended(number, _):
    print(urllib.request.urlopen(os.environ["DIMEDOVE_SANDBOX_URL"] + "/_sandbox/health").status, flush=True)
    sys.exit(9)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, ended)
print("ready", flush=True)
time.sleep(60)
"""
    with _exec(*python(code)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
    assert (out, process.returncode) == ("200\n", 9)


def test_a_command_ended_by_a_signal_is_128_and_its_number() -> None:
    assert run("exec", *python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")).returncode == 137


def test_no_server_outlives_a_killed_exec() -> None:
    code = "import os, sys; print(os.environ['DIMEDOVE_SANDBOX_URL'], flush=True); sys.stdin.read()"
    with _exec(*python(code)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert main(["wait", url, "--timeout", "0"], {}) == 0
        process.kill()
        process.wait()
        while main(["health", url], {}) == 0:
            pass  # it ends with the pipe; one that doesn't makes this test end by its time limit


def _exec(*words: str) -> subprocess.Popen[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "sandbox", "exec", *words]
    return subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    )


def test_wait_ends_when_the_server_is_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as server:
        assert main(["wait", server.url], {}) == 0
        assert main(["wait"], {"DIMEDOVE_SANDBOX_URL": server.url}) == 0
    assert main(["wait", server.url, "--timeout", "0"], {}) == 1
    assert "not healthy after 0 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("shell", "export DIMEDOVE_BASE_URL=http://127.0.0.1:9/v1\n"),
        ("dotenv", "\nDIMEDOVE_BASE_URL=http://127.0.0.1:9/v1\n"),
        ("github", "\nDIMEDOVE_BASE_URL=http://127.0.0.1:9/v1\n"),
        ("json", '"DIMEDOVE_BASE_URL": "http://127.0.0.1:9/v1",\n'),
    ],
)
def test_env_writes_each_form(form: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "http://127.0.0.1:9/", "--format", form], {}) == 0
    assert line in capsys.readouterr().out


def test_env_can_be_evaluated_by_a_shell() -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        ["/bin/sh", "-c", f'eval "$({sys.executable} -P -m sandbox env)"; echo "$DIMEDOVE_BASE_URL"'],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout == "http://127.0.0.1:8010/v1\n"
