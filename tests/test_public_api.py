"""What `import sandbox` gives, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import sandbox

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("starlette", "uvicorn", "faker", "jsonschema", "jsonschema_rs", "orjson", "httpx", "asyncio")


def loaded_after(code: str) -> set[str]:
    """Run code in a fresh interpreter and return the libraries that it has loaded."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_public_names() -> None:
    assert sandbox.__all__ == ["Settings", "SettingsError", "__version__", "create_app"]


def test_nothing_else_is_public() -> None:
    own = {
        name
        for name, value in vars(sandbox).items()
        if getattr(value, "__module__", "").startswith("sandbox") and not name.startswith("_")
    }
    assert own <= set(sandbox.__all__)


@pytest.mark.parametrize("name", sandbox.__all__)
def test_every_public_name_is_there(name: str) -> None:
    value = getattr(sandbox, name)
    assert not isinstance(value, ModuleType)
    assert isinstance(value, str) or value.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'create_apps'"):
        _ = sandbox.create_apps


def test_importing_the_package_loads_no_server() -> None:
    assert loaded_after("import sandbox; sandbox.Settings()") & set(HEAVY) == set()


def test_asking_for_help_loads_no_server() -> None:
    code = """
import contextlib, io
from sandbox.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(["serve", "--help"])
"""
    assert loaded_after(code) & {"starlette", "uvicorn", "faker", "jsonschema"} == set()


def test_making_a_server_loads_nothing_that_its_first_request_can_wait_for() -> None:
    lazy = {"faker", "jsonschema", "httpx", "redis", "schemathesis", "regex"}
    assert loaded_after("import sandbox; sandbox.create_app()") & lazy == set()
