"""`dimedove-sandbox doctor`: looks at what a sandbox needs on this machine, and says what to do where it is missing."""

from __future__ import annotations

import argparse
import os
import platform
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import sandbox
from sandbox.cli.process import write_line
from sandbox.clock import SystemClock
from sandbox.redaction import escape
from sandbox.settings import default_of, options

_PACKAGES = ("starlette", "uvicorn", "jsonschema", "faker", "orjson")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_FIRST_DAY = 1_700_000_000  # a clock before November 2023 is wrong
_MIN_FILES = 256


class Diagnosis(NamedTuple):
    """What was looked at, what was found, and what to do about it ("" where all is well)."""

    name: str
    found: str
    remedy: str = ""


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "doctor",
        help="check what a sandbox needs on this machine",
        description="Check what a sandbox needs on this machine: Python, packages, port, IPv4 and IPv6, clock, "
        "folders, proxy variables. Exit code 0: all is well, 1: something is to be done.",
    )
    parser.add_argument("--port", metavar="N", default=str(default_of("port")), help="port that the server will use")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print a line a check, and what to do under those that failed."""
    port = options()["port"].parse(arguments.port, "--port")
    wrong = 0
    for check in checks(port, environ):
        write_line(escape(f"{'!!' if check.remedy else 'ok'}  {check.name:<10} {check.found}"))
        if check.remedy:
            wrong += 1
            write_line(escape(f"    {check.remedy}"))
    return int(wrong > 0)


def checks(port: int, environ: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Yield each check with what it found."""
    yield _python()
    yield _packages()
    yield _port(port)
    yield from _addresses()
    yield _clock()
    yield _folder("temporary", Path(tempfile.gettempdir()))
    yield _folder("current", Path.cwd())
    yield _proxies(environ)
    yield _files()


def _python() -> Diagnosis:
    found = f"{platform.python_version()} at {sys.executable}"
    old = sys.version_info < (3, 11)
    return Diagnosis("Python", found, "Install Python 3.11 or later and make the environment anew." if old else "")


def _packages() -> Diagnosis:
    found, missing = [f"dimedove-sandbox {sandbox.__version__}"], []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    remedy = f"Missing: {', '.join(missing)}. Install the package again: pip install -e ." if missing else ""
    return Diagnosis("packages", ", ".join(found), remedy)


def _port(port: int) -> Diagnosis:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        remedy = f"Another program has it. End that one, or use another port: serve --port {port + 1}"
        return Diagnosis("port", f"{port}: {os.strerror(error.errno or 0)}", remedy)
    return Diagnosis("port", f"{port} is free" if port else "any free port")


def _addresses() -> Iterator[Diagnosis]:
    for name, family, host in (("IPv4", socket.AF_INET, "127.0.0.1"), ("IPv6", socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.bind((host, 0))
            yield Diagnosis(name, f"{host} can be listened on")
        except OSError as error:
            needed = family == socket.AF_INET
            remedy = "The loopback interface is down; the sandbox can't listen." if needed else ""
            yield Diagnosis(name, f"{host}: {error.strerror}; clients should use 127.0.0.1", remedy)
    try:
        found = sorted({str(info[4][0]) for info in socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)})
    except OSError as error:
        remedy = "Add the line `127.0.0.1 localhost` to the hosts file, or use 127.0.0.1 in URLs."
        yield Diagnosis("localhost", str(error.strerror), remedy)
        return
    both = "::1" in found and "127.0.0.1" in found
    hint = "; some clients try ::1 first: use 127.0.0.1 in URLs, or serve --host localhost" if both else ""
    yield Diagnosis("localhost", f"{', '.join(found)}{hint}")


def _clock() -> Diagnosis:
    now = SystemClock().now()
    wrong = now < _FIRST_DAY
    found = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    return Diagnosis("clock", found, "Set the clock of this machine: ids and times come from it." if wrong else "")


def _folder(name: str, folder: Path) -> Diagnosis:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return Diagnosis(name, f"{folder} can be written")
    except OSError as error:
        remedy = "Files of --data, --url-file and --artifacts need another folder."
        return Diagnosis(name, f"{folder}: {error.strerror}", remedy)


def _proxies(environ: Mapping[str, str]) -> Diagnosis:
    """Say whether clients on this machine would send requests for loopback to a proxy."""
    low = {name.lower(): value for name, value in environ.items()}
    named = [name for name in _PROXIES if low.get(name)]
    spared = [host.strip() for host in low.get("no_proxy", "").split(",")]
    if not named or "*" in spared or {"127.0.0.1", "localhost"} <= set(spared):
        return Diagnosis("proxy", ", ".join(named) or "no proxy variables")
    remedy = "Clients may send requests for the sandbox to the proxy: export NO_PROXY=127.0.0.1,localhost"
    return Diagnosis("proxy", f"{', '.join(named)} without 127.0.0.1 and localhost in no_proxy", remedy)


def _files() -> Diagnosis:
    if os.name != "posix":
        return Diagnosis("files", "no limit of open files is known")
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    few = 0 <= limit < _MIN_FILES
    remedy = "Each connection takes one: raise the limit with ulimit -n 1024" if few else ""
    return Diagnosis("files", f"{limit} may be open at once", remedy)
