"""`serve --reload`: no change of the config file is missed. What is taken over: tests/control/test_settings.py."""

from __future__ import annotations

from pathlib import Path

from sandbox import Settings
from sandbox.cli.config_file import ConfigFile, ConfigReloader


def test_a_change_before_the_server_is_up_is_taken_once(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.toml"
    path.write_text("")
    file = ConfigFile(path)
    path.write_text("[apps.app_new]\n")
    taken: list[Settings] = []
    reloader = ConfigReloader(file, Settings(), Settings, taken.append)
    for _ in range(2):
        reloader.poll()
    assert taken == [Settings()]
