"""The server of a session: one that is running already, or a process of our own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pytest_dimedove.app import Dimedove
from pytest_dimedove.control import DimedoveError

# A failure is shown where the test stands, not in here.
__tracebackhide__ = True

URL_VARIABLE = "DIMEDOVE_SANDBOX_URL"
COMMAND_VARIABLE = "DIMEDOVE_SANDBOX_COMMAND"
TOKEN_VARIABLE = "DIMEDOVE_SANDBOX_CONTROL_TOKEN"  # noqa: S105 - the name of a variable

CONFIG_VARIABLE = "DIMEDOVE_SANDBOX_CONFIG"

_PREFIX = "DIMEDOVE_SANDBOX_"
# Bytes of the log in the report of a server that died.
_MAX_LOG_BYTES = 4_000
_START_TIMEOUT = 60
_BANNER = re.compile(r"Dimedove Sandbox on (https?://\S+)/v1\b")


def connect_to_running(environ: Mapping[str, str]) -> Dimedove | None:
    """Return the server in the environment, if there is one.

    Raises:
        DimedoveError: there is no response, or not that of a sandbox.
    """
    url = environ.get(URL_VARIABLE)
    if not url:
        return None
    server = Dimedove(url, token=environ.get(TOKEN_VARIABLE))
    try:
        health = server.control("GET", "/health")
    except DimedoveError as error:
        raise DimedoveError(f"{URL_VARIABLE}={url}: {error}") from None
    if not isinstance(health, dict) or health.get("sandbox") is not True:
        raise DimedoveError(f"{URL_VARIABLE}={url}: this is not a Dimedove Sandbox")
    return server


class Process:
    """The server process of this session; its output goes to a file.

    `server` has its address, also after a restart. `is_death_reported` says that a report has named its unexpected end.
    """

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        self._command = _command(environ)
        self._environ = _without_shadows(_own_environment(environ))
        self._written = log.open("ab")
        # Kept open: the tests of a user may replace the file system, or forbid it.
        self._log = log.open("rb")
        self._seen = 0
        self.is_death_reported = False
        try:
            self._process, url = self._start(0)
        except DimedoveError:
            self._written.close()
            self._log.close()
            raise
        self.server = Dimedove(url, token=environ.get(TOKEN_VARIABLE))
        if hasattr(os, "register_at_fork"):
            # A forked child holds the pipe open as well, and may outlive this process.
            os.register_at_fork(after_in_child=self._close_in_child)

    def death(self) -> str | None:
        """Return how the server ended, with the end of its log; None while it runs, or if it was stopped."""
        code = self._process.poll()
        if not code:
            return None
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - _MAX_LOG_BYTES))
        end = self._log.read().decode("utf-8", "replace").strip()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"The sandbox ended by itself: {how}. The end of its log:\n{end}"

    def restart(self) -> None:
        """Start another server if this one has ended: at its address, if that is free.

        Raises:
            DimedoveError: it does not start.
        """
        if self._process.poll() is None:
            return
        _end(self._process)
        self.clear_log()
        self.is_death_reported = False
        try:
            self._process, url = self._start(urlsplit(self.server.url).port or 0)
        except DimedoveError:
            self._process, url = self._start(0)
        self.server.move(url)

    def new_log(self) -> str:
        """Return the log since it was cleared."""
        self._log.seek(self._seen)
        return self._log.read().decode("utf-8", "replace")

    def clear_log(self) -> None:
        """Clear the log of the previous test."""
        self._seen = self._log.seek(0, os.SEEK_END)

    def stop(self) -> None:
        """End the process."""
        _end(self._process)

    def close(self) -> None:
        """End the process and close its log."""
        self.stop()
        self._written.close()
        self._log.close()

    def _start(self, port: int) -> tuple[subprocess.Popen[bytes], str]:
        """Start a server on a port and return it with its address, once it has printed that."""
        command = [*self._command, "--port", str(port)]
        try:
            process = subprocess.Popen(  # noqa: S603 - our own command, or the user's
                command,
                env=self._environ,
                # It ends with this pipe, and this pipe with this process, however that ends.
                stdin=subprocess.PIPE,
                stdout=self._written,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise DimedoveError(f"The sandbox can't be started: {' '.join(command)}: {error.strerror}") from None
        late = time.monotonic() + _START_TIMEOUT
        while not (found := _BANNER.search(self.new_log())):
            if process.poll() is not None or time.monotonic() > late:
                log = self.new_log().strip()
                self.clear_log()
                _end(process)
                raise DimedoveError(
                    f"The sandbox did not start: {' '.join(command)}: exit code {process.returncode}\n{log}"
                )
            time.sleep(0.01)
        self.clear_log()
        return process, found[1]

    def _close_in_child(self) -> None:
        _close_pipe(self._process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server by its pipe, or else by force."""
    _close_pipe(process)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _close_pipe(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()


def _command(environ: Mapping[str, str]) -> list[str]:
    """Return the command that starts a server."""
    own = environ.get(COMMAND_VARIABLE)
    command = shlex.split(own) if own else [sys.executable, "-P", "-m", "sandbox"]
    # On loopback and with the control API, whatever a config file says.
    return [*command, "serve", "--host", "127.0.0.1", "--control", "auto", "--quiet", "--exit-on-stdin-close"]


def _own_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without the settings of another server, the developer's own."""
    named = (CONFIG_VARIABLE, TOKEN_VARIABLE)
    return {name: value for name, value in environ.items() if name in named or not name.upper().startswith(_PREFIX)}


def _without_shadows(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without folders of PYTHONPATH with another `sandbox`, which would hide ours."""
    folders = environ.get("PYTHONPATH", "").split(os.pathsep)
    return {**environ, "PYTHONPATH": os.pathsep.join(folder for folder in folders if folder and not _shadows(folder))}


def _shadows(folder: str) -> bool:
    package = Path(folder, "sandbox")
    return (package.exists() and not (package / "contract").exists()) or package.with_suffix(".py").exists()
