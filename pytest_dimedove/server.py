"""The server of a session: one that runs already, or a process of our own."""

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
# Bytes of the log that are shown of a server that died.
_MOST_SHOWN = 4_000
_LONGEST_START = 60
_GREETING = re.compile(r"Dimedove Sandbox on (https?://\S+)/v1\b")


def running_already(environ: Mapping[str, str]) -> Dimedove | None:
    """Return the server that the environment names, if it names one.

    Raises:
        DimedoveError: nobody answers there, or something that is no sandbox.
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
        raise DimedoveError(f"{URL_VARIABLE}={url}: this is no Dimedove Sandbox")
    return server


class Process:
    """The server process of this session; what it writes goes to a file.

    `server` is where it stands, also after a restart. `death_told` says that somebody was told of an end that nobody
    asked for.
    """

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        self._command = _command(environ)
        self._environ = _without_shadows(_handed_on(environ))
        self._written = log.open("ab")
        # Kept open: the tests of a user may replace the file system, or forbid it.
        self._log = log.open("rb")
        self._seen = 0
        self.death_told = False
        try:
            self._process, url = self._started(0)
        except DimedoveError:
            self._written.close()
            self._log.close()
            raise
        self.server = Dimedove(url, token=environ.get(TOKEN_VARIABLE))
        if hasattr(os, "register_at_fork"):
            # A forked child holds the pipe open as well, and may outlive this process.
            os.register_at_fork(after_in_child=self._let_go)

    def death(self) -> str | None:
        """Return how the server ended, with the end of its log; None while it runs, or where it was asked to end."""
        code = self._process.poll()
        if not code:
            return None
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - _MOST_SHOWN))
        end = self._log.read().decode("utf-8", "replace").strip()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"The sandbox ended by itself: {how}. The end of its log:\n{end}"

    def restart(self) -> None:
        """Start another server where this one has ended: at its address, if nobody took that.

        Raises:
            DimedoveError: it does not start.
        """
        if self._process.poll() is None:
            return
        _end(self._process)
        self.clear_log()
        self.death_told = False
        try:
            self._process, url = self._started(urlsplit(self.server.url).port or 0)
        except DimedoveError:
            self._process, url = self._started(0)
        self.server.move(url)

    def new_log(self) -> str:
        """Return what the server has written since the log was cleared."""
        self._log.seek(self._seen)
        return self._log.read().decode("utf-8", "replace")

    def clear_log(self) -> None:
        """Begin the log anew: what was written belongs to a test that is over."""
        self._seen = self._log.seek(0, os.SEEK_END)

    def stop(self) -> None:
        """End the process."""
        _end(self._process)

    def close(self) -> None:
        """End the process and close its log."""
        self.stop()
        self._written.close()
        self._log.close()

    def _started(self, port: int) -> tuple[subprocess.Popen[bytes], str]:
        """Start a server on a port and return it with its address, once it says where it is."""
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
        late = time.monotonic() + _LONGEST_START
        while not (found := _GREETING.search(self.new_log())):
            if process.poll() is not None or time.monotonic() > late:
                said = self.new_log().strip()
                self.clear_log()
                _end(process)
                raise DimedoveError(
                    f"The sandbox did not start: {' '.join(command)}: exit code {process.returncode}\n{said}"
                )
            time.sleep(0.01)
        self.clear_log()
        return process, found[1]

    def _let_go(self) -> None:
        _close_pipe(self._process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server by its pipe; by force where that does not help."""
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
    # On loopback and to be driven, whatever a config file says.
    return [*command, "serve", "--host", "127.0.0.1", "--control", "auto", "--quiet", "--exit-on-stdin-close"]


def _handed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without settings that are meant for another server, the developer's own."""
    named = (CONFIG_VARIABLE, TOKEN_VARIABLE)
    return {name: value for name, value in environ.items() if name in named or not name.upper().startswith(_PREFIX)}


def _without_shadows(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without folders of PYTHONPATH in which a `sandbox` of the user's own would hide ours."""
    folders = environ.get("PYTHONPATH", "").split(os.pathsep)
    return {**environ, "PYTHONPATH": os.pathsep.join(folder for folder in folders if folder and not _shadows(folder))}


def _shadows(folder: str) -> bool:
    package = Path(folder, "sandbox")
    return (package.exists() and not (package / "contract").exists()) or package.with_suffix(".py").exists()
