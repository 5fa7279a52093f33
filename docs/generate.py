"""Writes what is made from the code: docs/settings.md, and the examples of answers in schemas/openapi.json.

Run it as `python -m docs.generate`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from docs import examples
from sandbox.contract.document import control_folder
from sandbox.options import ENV_PREFIX, Option, flag
from sandbox.settings import default_of, options

SETTINGS = Path(__file__).parent / "settings.md"

_TOP = """\
# Settings

<!-- Made by `python -m docs.generate` from sandbox/settings.py and schemas/control/app-settings.json. -->

Set a server by a flag of `serve`, an environment variable or a key of a config file; the first of them counts.

```sh
DIMEDOVE_SANDBOX_SEED=7 .venv/bin/dimedove-sandbox serve --titles after_first_exchange
```

For a list repeat the flag, write commas in the variable (`a,b`) and a list in the file. A switch has a flag that turns
it off, too (`--no-quiet`); in the environment it is `true` or `false`. A wrong setting ends `serve` with one line that
says where, and exit code 2; a port that is taken ends it with 3.

## Of a server

"""

_FILE = """
## The config file

`--config FILE`, or the variable `DIMEDOVE_SANDBOX_CONFIG`, names a TOML file. Its keys are those above, with `-` or
`_`; `[apps.NAME]` configures one app.

```toml
port = 8010
seed = 7
titles = "after_first_exchange"
cors-origin = ["https://app.example.com"]

[apps.app_support]
generative_ui = true
keys = ["sk_test_support"]
rate_limit = { per_minute = 60 }
agent = { name = "Léa", primary_color = "#1d4e89" }

[apps.app_closed]
status = "inactive"
```

## Of an app

The keys of `[apps.NAME]`; the default of `titles` is the server's. By default `app_demo` streams, has generative UI
on and writes at the pace of a real agent. The apps of [clause 10.2](contract.md#10.2) can't be configured.

"""


_PYTHON = """
## Inside a Python test

The server is an ASGI application, and `Settings` takes the settings above, by name. To use `/_sandbox` as well, call it
by a name of this machine: `TestClient(app, base_url="http://localhost")`.

```python
from starlette.testclient import TestClient

from sandbox import Settings, create_app

client = TestClient(create_app(Settings(seed=7, now=1_790_000_000)))
answer = client.get("/v1/apps/app_test/config", headers={"Authorization": "Bearer sk_test_demo"})
print(answer.json()["app_id"])
```

```text
app_test
```
"""


def settings_page() -> str:
    """Return docs/settings.md."""
    server = [_server_row(name, option) for name, option in options().items()]
    return "".join(
        (
            _TOP,
            _table(("flag", "variable", "values", "default", "meaning"), server),
            _FILE,
            _table(("key", "values", "default", "meaning"), _rows("app-settings.json")),
            "\nA tool of `tools` is a table:\n\n",
            _table(("key", "values", "default", "meaning"), _rows("tool.json")),
            "\nA webhook of `webhooks` is a table too (see [webhooks](webhooks.md)):\n\n",
            _table(("key", "values", "default", "meaning"), _rows("webhook.json")),
            _PYTHON,
        )
    )


def _server_row(name: str, option: Option) -> tuple[str, ...]:
    variable = ENV_PREFIX + name.upper()
    return (f"`{flag(name)}`", f"`{variable}`", _values(option), _format(default_of(name)), _sentence(option.help))


def _values(option: Option) -> str:
    if option.choices:
        named = ["origins"] if option.kind == "origins" else []
        return ", ".join([*named, *(f"`{choice}`" for choice in option.choices)])
    if option.minimum is not None and option.maximum is not None:
        return f"{option.minimum:,} to {option.maximum:,}"
    return {
        "integer": "whole number",
        "switch": "on or off",
        "origins": "origins",
        "hosts": "host names",
        "file": "file",
        "folder": "folder",
        "secret": "file",
    }.get(option.kind, "text")


def _rows(schema_file: str) -> list[tuple[str, ...]]:
    """Return a row for each property of a schema of the control API."""
    schema = json.loads((control_folder() / schema_file).read_text(encoding="utf-8"))
    return [
        (f"`{name}`", _kind(part), _format(part.get("default")), _sentence(part["description"]))
        for name, part in schema["properties"].items()
    ]


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "properties" in schema:
        return "table of " + ", ".join(f"`{name}`" for name in schema["properties"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    names = {"array": "list", "boolean": "`true`, `false`", "string": "text", "object": "table"}
    return " or ".join(names.get(kind, str(kind)) for kind in kinds if kind != "null")


def _format(value: Any) -> str:
    if value is None or value == ():
        return "–"
    return f"`{json.dumps(value) if isinstance(value, bool) else value}`"


def _sentence(text: str) -> str:
    """Return a description as it stands in a table."""
    return (text[:1].lower() + text[1:]).rstrip(".").replace("|", "\\|")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    SETTINGS.write_text(settings_page(), encoding="utf-8")
    examples.write()
