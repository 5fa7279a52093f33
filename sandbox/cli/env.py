"""`dimedove-sandbox env`: prints the variables that point a client at a running server."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Mapping
from typing import Any

from sandbox.cli.process import write_line
from sandbox.options import ENV_PREFIX, SettingsError
from sandbox.settings import default_of

URL_VARIABLE = ENV_PREFIX + "URL"
DEMO_KEY, DEMO_APP = "sk_test_demo", "app_demo"
FORMATS = ("shell", "dotenv", "json", "github")
SOURCES = ("url", "base_url", "api_key", "app_id")


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


def client_variables(url: str, app_id: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a client of the server at `url`; `extra` names others, each with its source."""
    sources = {"url": url, "base_url": f"{url}/v1", "api_key": DEMO_KEY, "app_id": app_id}
    return {
        URL_VARIABLE: url,
        "DIMEDOVE_BASE_URL": sources["base_url"],
        "DIMEDOVE_API_KEY": sources["api_key"],
        "DIMEDOVE_APP_ID": sources["app_id"],
        **{name: sources[source] for name, source in extra.items()},
    }


def parse_extra(given: list[str] | None) -> dict[str, str]:
    """Return names and sources of `--env NAME=base_url`.

    Raises:
        SettingsError: one of them is not of that form.
    """
    extra: dict[str, str] = {}
    for text in given or []:
        name, _, source = text.partition("=")
        if not name.isidentifier() or not name.isascii() or source not in SOURCES:
            raise SettingsError(f"--env: expected NAME= and one of {', '.join(SOURCES)}, got {text!r}")
        extra[name] = source
    return extra


def write_variables(variables: Mapping[str, str], form: str) -> str:
    """Return variables in one of FORMATS."""
    if form == "json":
        return json.dumps(variables, indent=2)
    if form == "shell":
        return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())
    return "\n".join(f"{name}={value}" for name, value in variables.items())
