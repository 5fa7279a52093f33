"""`dimedove-sandbox wait`: waits until a server is healthy."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from typing import Any

from sandbox.cli.client import health_problem
from sandbox.cli.env import add_url, url_of
from sandbox.options import Option
from sandbox.redaction import escape

_PAUSE = 0.05


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "wait",
        help="wait until a server is healthy",
        description="Wait until a server is healthy. Exit code 0: it is, 1: it was not in time.",
    )
    add_url(parser)
    parser.add_argument("--timeout", metavar="SECONDS", default="30", help="how long to wait (default: 30)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Ask the server until it is healthy."""
    seconds = Option("", "integer", minimum=0, maximum=86_400).parse(arguments.timeout, "--timeout")
    url, late = url_of(arguments.url, environ), time.monotonic() + seconds
    while problem := health_problem(url):
        if time.monotonic() >= late:
            print(f"dimedove-sandbox: not healthy after {seconds} s: {escape(problem)}", file=sys.stderr)
            return 1
        time.sleep(_PAUSE)
    return 0
