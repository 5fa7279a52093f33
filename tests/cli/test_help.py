"""What `--help` says, and the command alone."""

from __future__ import annotations

import pytest

from sandbox.cli import COMMANDS, main


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("columns", ["60", "300"])
def test_no_line_of_a_help_is_long(
    command: str, columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"], {})
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 0
    assert [line for line in lines if len(line) > min(int(columns), 100)] == []


def test_the_command_alone_shows_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], {}) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert [command for command in COMMANDS if f"\n    {command} " not in err] == []


def test_the_help_of_a_setting_says_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"], {})
    assert "port to listen on; 0 picks a free one (default: 8010)" in " ".join(capsys.readouterr().out.split())
