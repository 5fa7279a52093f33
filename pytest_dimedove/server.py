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

from pytest_dimedove.app import Dimedove
from pytest_dimedove.control import DimedoveError

# A failure is shown where the test stands, not in here.
__tracebackhide__ = True

URL_VARIABLE = "DIMEDOVE_SANDBOX_URL"
COMMAND_VARIABLE = "DIMEDOVE_SANDBOX_COMMAND"
TOKEN_VARIABLE = "DIMEDOVE_SANDBOX_CONTROL_TOKEN"  # noqa: S105 - the name of a variable

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
    """The server process of this session; what it writes goes to a file."""

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        command = _command(environ)
        self._command = " ".join(command)
        self._token = environ.get(TOKEN_VARIABLE)
        self._log = log
        self._seen = 0
        try:
            with log.open("wb") as out:
                self._process = subprocess.Popen(  # noqa: S603 - our own command, or the user's
                    command,
                    env=_without_shadows(environ),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                )
        except OSError as error:
            raise DimedoveError(f"The sandbox can't be started: {self._command}: {error.strerror}") from None

    def server(self) -> Dimedove:
        """Return the server, once it says where it is."""
        late = time.monotonic() + _LONGEST_START
        while not (found := _GREETING.search(self.new_log())):
            if self._process.poll() is not None or time.monotonic() > late:
                code, said = self._process.returncode, self.new_log().strip()
                raise DimedoveError(f"The sandbox did not start: {self._command}: exit code {code}\n{said}")
            time.sleep(0.01)
        self.clear_log()
        return Dimedove(found[1], token=self._token)

    def new_log(self) -> str:
        """Return what the server has written since the log was cleared."""
        return self._log.read_bytes()[self._seen :].decode("utf-8", "replace")

    def clear_log(self) -> None:
        """Begin the log anew: what was written belongs to a test that is over."""
        self._seen = self._log.stat().st_size

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _command(environ: Mapping[str, str]) -> list[str]:
    """Return the command that starts a server."""
    own = environ.get(COMMAND_VARIABLE)
    command = shlex.split(own) if own else [sys.executable, "-P", "-m", "sandbox"]
    # On loopback and on a free port, whatever a config file or the environment say.
    return [*command, "serve", "--host", "127.0.0.1", "--port", "0", "--quiet"]


def _without_shadows(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without folders of PYTHONPATH in which a `sandbox` of the user's own would hide ours."""
    folders = environ.get("PYTHONPATH", "").split(os.pathsep)
    return {**environ, "PYTHONPATH": os.pathsep.join(folder for folder in folders if folder and not _shadows(folder))}


def _shadows(folder: str) -> bool:
    package = Path(folder, "sandbox")
    return (package.exists() and not (package / "contract").exists()) or package.with_suffix(".py").exists()
