"""`dimedove-sandbox env`: prints the variables that point a client at a running server."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from sandbox.cli.process import write_line
from sandbox.cli.variables import DEMO_APP, FORMATS, URL_VARIABLE, client_variables, parse_extra, write_variables
from sandbox.settings import default_of


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "env",
        help="print the variables that point a client at a server",
        usage="%(prog)s [options] [URL]",
        description='Print the environment variables for a client of a running server: eval "$(dimedove-sandbox env)". '
        "Exit code 0.",
    )
    add_url(parser)
    add_client_flags(parser)
    parser.add_argument("--format", choices=FORMATS, default="shell", help="form of the lines (default: shell)")
    parser.set_defaults(run=run)


def add_url(parser: argparse.ArgumentParser) -> None:
    """Add the argument for the URL of a running server."""
    parser.add_argument(
        "url",
        nargs="?",
        metavar="URL",
        help=f"URL of the server; by default that of {URL_VARIABLE}, else http://127.0.0.1:{default_of('port')}",
    )


def add_client_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say which variables a client gets."""
    parser.add_argument(
        "--app-id", metavar="ID", default=DEMO_APP, help=f"value of DIMEDOVE_APP_ID (default: {DEMO_APP})"
    )
    parser.add_argument(
        "--env",
        metavar="NAME=SOURCE",
        action="append",
        help="another variable, whose value is url, base_url, api_key or app_id (repeatable)",
    )


def url_of(given: str | None, environ: Mapping[str, str]) -> str:
    """Return the URL of the server that a command is about."""
    return (given or environ.get(URL_VARIABLE) or f"http://127.0.0.1:{default_of('port')}").rstrip("/")


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print the variables."""
    extra = parse_extra(arguments.env)
    variables = client_variables(url_of(arguments.url, environ), arguments.app_id, extra)
    write_line(write_variables(variables, arguments.format))
    return 0
