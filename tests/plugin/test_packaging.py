"""How an installation brings the plugin along: pytest finds it by itself, asked for by name or not."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.running import PLUGIN, run_in
from tests.support.constants import ROOT

# It is found among other plugins; these take longer to load than all else here together.
OTHERS = ("-p", "no:schemathesis", "-p", "no:hypothesispytest")

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("plugin", [(), PLUGIN], ids=["by itself", "asked for"])
def test_pytest_finds_the_plugin(plugin: tuple[str, ...], tmp_path: Path) -> None:
    entries = PROJECT["project"]["entry-points"]["pytest11"]
    installed = tmp_path / "dimedove_sandbox-0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: dimedove-sandbox\nVersion: 0\n", encoding="utf-8")
    lines = ["[pytest11]", *(f"{name} = {module}" for name, module in entries.items())]
    (installed / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    own = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": ""}
    ran = run_in(tmp_path, "def test_it(pytestconfig): pass", "--fixtures", plugin=(*OTHERS, *plugin), env=own)
    assert "dimedove_app -- " in ran.output


def test_an_editable_installation_uses_the_plugin_of_the_clone() -> None:
    """What is force-included is copied once, at installation, and hides the file that is being worked on."""
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "pytest_dimedove" in wheel["packages"]
    assert "pytest_dimedove" not in wheel["force-include"]
