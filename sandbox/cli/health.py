"""`dimedove-sandbox health`: checks a running server of this machine; for the image's HEALTHCHECK."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.cli.client import health_problem
from sandbox.options import ENV_PREFIX
from sandbox.redaction import escape

_FILE_VARIABLE = ENV_PREFIX + "URL_FILE"


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "health",
        help="check the health of a running server",
        description="Check the health of a running server. Exit code 0: healthy, 1: not healthy, or no server.",
    )
    parser.add_argument(
        "url",
        nargs="?",
        metavar="URL",
        help=f"URL of the server; by default the one in the file that {_FILE_VARIABLE} names",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Check the server, and print the problem if there is one."""
    try:
        url = arguments.url or _written(environ)
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
    else:
        problem = health_problem(url)
    if problem:
        print(f"dimedove-sandbox: not healthy: {escape(problem)}", file=sys.stderr)
        return 1
    return 0


def _written(environ: Mapping[str, str]) -> str:
    """Return the URL that the server wrote (`serve --url-file`), with its port and scheme."""
    if not environ.get(_FILE_VARIABLE):
        raise ValueError(f"no URL: give one, or set {_FILE_VARIABLE} as for the server")
    return Path(environ[_FILE_VARIABLE]).read_text(encoding="utf-8").strip()
