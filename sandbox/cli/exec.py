"""`dimedove-sandbox exec`: runs a command with a server of its own, and ends with the command's exit code."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

from sandbox.cli import client
from sandbox.cli.env import add_client_flags, client_variables, parse_extra
from sandbox.cli.flags import add_flag
from sandbox.errors import SandboxError
from sandbox.options import ENV_PREFIX, SettingsError, flag
from sandbox.redaction import escape
from sandbox.settings import default_of, options

_BANNER = re.compile(r"Dimedove Sandbox on (https?://\S+)/v1\b")
_TOKEN = re.compile(r"^ *control token +(\S+)", re.MULTILINE)
_START_SECONDS = 60
_END_SECONDS = 10
_PAUSE = 0.01
_MAX_LOG = 4_000
# Signals that end a program; they are handed to the command, and what it makes of them counts.
_HANDED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
# What `exec` decides itself.
_OWN = ("port", "exit_on_stdin_close", "quiet", "url_file")


class _StartError(SandboxError):
    """The server doesn't start: a wrong setting (code 2), or something else (3)."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def add_parser(commands: Any) -> None:
    """Add the command, with the flags of `serve`."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "exec",
        help="run a command with a sandbox of its own",
        usage="%(prog)s [options] -- COMMAND ...",
        description="Start a sandbox on a free port, run a command with the variables that point a client at it, and "
        "end the sandbox with the command: dimedove-sandbox exec -- npm test. Takes the options of serve. "
        "Exit code: the command's; 1: only the verdict failed, 3: the sandbox did not start.",
    )
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="the command and its arguments, after --")
    add_client_flags(parser)
    parser.add_argument(
        "--artifacts",
        metavar="DIR",
        type=Path,
        help="folder for the coverage, and what explains a failure: HAR, and of each app verdict and bundle",
    )
    parser.add_argument("--coverage", action="store_true", help="print what of the contract the client has met")
    parser.add_argument("--verdict", action="store_true", help="fail where the verdict on the client has findings")
    parser.add_argument("--config", metavar="FILE", help="settings in TOML, as for serve")
    for name, option in options().items():
        if name not in _OWN:
            add_flag(parser, name, option, default=default_of(name))
    parser.add_argument("--port", metavar="N", default="0", help="port to listen on; 0, the default, picks a free one")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the command beside a server."""
    extra = parse_extra(arguments.env)
    with tempfile.TemporaryDirectory(prefix="dimedove-sandbox-", ignore_cleanup_errors=True) as folder:
        try:
            server = ChildServer(_serve_flags(arguments), environ, Path(folder) / "server.log")
        except _StartError as error:
            print(f"dimedove-sandbox: {error}", file=sys.stderr)
            return error.code
        with closing(server):
            _check_questions(arguments, server)
            variables = client_variables(server.url, arguments.app_id, extra)
            code = _run_command(arguments.command, {**environ, **variables})
            if server.has_died():
                print(f"dimedove-sandbox: the sandbox ended by itself:\n{server.log_end()}", file=sys.stderr)
                return code or 3
            if arguments.coverage:
                print(server.get("/_sandbox/coverage", "text/markdown").decode(), file=sys.stderr)
            findings = _findings(server) if arguments.verdict else []
            for finding in findings:
                print(f"dimedove-sandbox: verdict: {escape(finding)}", file=sys.stderr)
            code = code or int(bool(findings))
            if arguments.artifacts and (code or arguments.coverage):
                _keep(arguments.artifacts, server, is_failure=code != 0)
            return code


class ChildServer:
    """A server process of our own: it ends with the pipe that we hold, and that with us, however we end.

    It is in a session of its own, so that Ctrl-C reaches the command alone, which may still need the server.
    """

    def __init__(self, flags: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-P", "-m", "sandbox", "serve", *flags, "--quiet", "--exit-on-stdin-close"],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=dict(environ),
                start_new_session=True,
            )
        late = time.monotonic() + _START_SECONDS
        while not (found := _BANNER.search(self._text())):
            if self._process.poll() is not None or time.monotonic() > late:
                self.close()
                reason = self._text().strip().removeprefix("dimedove-sandbox: ")
                code = 2 if self._process.returncode == 2 else 3  # as `serve` ends for a wrong setting
                raise _StartError(reason or "the sandbox did not start", code)
            time.sleep(_PAUSE)
        self.url = found[1]
        token = _TOKEN.search(self._text())
        self.token = token[1] if token else environ.get(ENV_PREFIX + "CONTROL_TOKEN")

    def has_died(self) -> bool:
        """Say whether the server has ended by itself."""
        return self._process.poll() is not None

    def has_control_api(self) -> bool:
        """Say whether the server's control API can be asked."""
        return client.get(self.url, "/_sandbox/apps?limit=1", self.token, seconds=_END_SECONDS)[0] == 200

    def log_end(self) -> str:
        """Return the end of the server's output."""
        return escape(self._text()[-_MAX_LOG:].strip())

    def get(self, path: str, accept: str = "*/*") -> bytes:
        """Return what the control API answers.

        Raises:
            ValueError: it does not answer with 200.
        """
        status, body = client.get(self.url, path, self.token, accept=accept, seconds=_END_SECONDS)
        if status != 200:
            raise ValueError(f"{path}: answered with status {status}")
        return body

    def close(self) -> None:
        """End the server by its pipe, or else by force."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _text(self) -> str:
        # By a file of its own: one that both had would have one place, where the server writes and this reads.
        return self._log.read_bytes().decode("utf-8", "replace")


def _check_questions(arguments: argparse.Namespace, server: ChildServer) -> None:
    """Refuse what only the control API can tell, where there is none."""
    questions = [name for name in ("coverage", "verdict") if getattr(arguments, name)]
    if questions and not server.has_control_api():
        raise SettingsError(f"{flag(questions[0])}: needs the control API, which --control off takes away")


def _serve_flags(arguments: argparse.Namespace) -> list[str]:
    """Return the flags for `serve` that stand for those given to `exec`."""
    flags = ["--port", arguments.port, *(["--config", arguments.config] if arguments.config is not None else [])]
    for name, option in options().items():
        value = getattr(arguments, name, None)
        if name in _OWN or value is None:
            continue
        if option.kind == "switch":
            flags.append(flag(name) if value else flag(f"no_{name}"))
        else:
            for each in value if isinstance(value, list) else [value]:
                flags += [flag(name), each]
    return flags


def _run_command(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command, hand signals on to it, and return its exit code (128 and the number of the signal that ended it).

    Raises:
        SettingsError: there is no such command.
    """
    try:
        process = subprocess.Popen(command, env=dict(environ))  # noqa: S603 - the user's command
    except OSError as error:
        raise SettingsError(f"{command[0]}: {error.strerror}") from None

    def hand_on(number: int, _: FrameType | None) -> None:
        # What comes from the terminal has reached the command already.
        if number not in (signal.SIGINT, getattr(signal, "SIGQUIT", None)) or not sys.stdin or not sys.stdin.isatty():
            process.send_signal(number)

    numbers = [getattr(signal, name) for name in _HANDED_ON if hasattr(signal, name)]
    before = {number: signal.signal(number, hand_on) for number in numbers}
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code


def _used_apps(server: ChildServer) -> list[str]:
    """Return the apps that got requests."""
    used, page = list[str](), json.loads(server.get("/_sandbox/apps"))
    while True:
        used += [app["app_id"] for app in page["data"] if app["counts"]["requests"]]
        if not page["has_more"]:
            return used
        page = json.loads(server.get(f"/_sandbox/apps?after={page['last_id']}"))


def _findings(server: ChildServer) -> list[str]:
    """Return what the verdict found on the client, in all apps that it used."""
    found = []
    for app_id in _used_apps(server):
        verdict = json.loads(server.get(f"/_sandbox/apps/{app_id}/verdict"))
        found += [f"{app_id}: {finding['rule']}: {finding['message']}" for finding in verdict["findings"]]
    return found


def _keep(folder: Path, server: ChildServer, *, is_failure: bool) -> None:
    """Keep the coverage, and what explains a failure; a folder that can't be written costs no exit code."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "coverage.json").write_bytes(server.get("/_sandbox/coverage"))
        (folder / "coverage.md").write_bytes(server.get("/_sandbox/coverage", "text/markdown"))
        if not is_failure:
            return
        (folder / "requests.har").write_bytes(server.get("/_sandbox/requests.har"))
        for app_id in _used_apps(server):
            (folder / f"{app_id}.verdict.json").write_bytes(server.get(f"/_sandbox/apps/{app_id}/verdict"))
            (folder / f"{app_id}.bundle.zip").write_bytes(server.get(f"/_sandbox/apps/{app_id}/bundle"))
        (folder / "server.log").write_text(server.log_end() + os.linesep, encoding="utf-8")
        print(f"dimedove-sandbox: what the command did is in {escape(str(folder))}", file=sys.stderr)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        print(f"dimedove-sandbox: --artifacts {escape(str(folder))}: {reason}", file=sys.stderr)
