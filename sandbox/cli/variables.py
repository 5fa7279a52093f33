"""The environment variables that point a client at a sandbox, and how they are written for a shell, a file, a CI."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from sandbox.options import ENV_PREFIX, SettingsError

URL_VARIABLE = ENV_PREFIX + "URL"
DEMO_KEY, DEMO_APP = "sk_test_demo", "app_demo"
FORMATS = ("shell", "dotenv", "json", "github")
SOURCES = ("url", "base_url", "api_key", "app_id")


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
