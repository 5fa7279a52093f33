"""The flags of the commands, made from tables of options, and the form of every `--help`."""

from __future__ import annotations

import argparse
from typing import Any

from sandbox.options import Kind, Option, flag

_MAX_COLUMNS = 100
_METAVARS: dict[Kind, str] = {
    "integer": "N",
    "file": "FILE",
    "folder": "DIR",
    "secret": "FILE",
    "origins": "ORIGIN",
    "hosts": "HOST",
    "list": "NAME",
    "store": "URL",
}


def add_flag(parser: argparse.ArgumentParser, name: str, option: Option, *aliases: str, default: Any = None) -> None:
    """Add the flag of an option. Its help names the default, but None counts as "not given" for whoever resolves it."""
    names = [flag(each) for each in (name, *aliases)]
    text = option.help if default in (None, (), False) else f"{option.help} (default: {default})"
    if option.kind == "switch":
        parser.add_argument(*names, action=argparse.BooleanOptionalAction, default=None, help=text)
        return
    action = "append" if option.kind in ("list", "origins", "hosts") else "store"
    metavar = _METAVARS.get(option.kind, "|".join(option.choices) or "TEXT")
    parser.add_argument(*names, dest=name, action=action, default=None, metavar=metavar, help=text)


def help_formatter(prog: str) -> argparse.HelpFormatter:
    """Return a formatter for the terminal's width, but for short lines on a wide one."""
    import shutil  # slow to load, and only help needs it

    return argparse.HelpFormatter(prog, width=min(shutil.get_terminal_size().columns - 2, _MAX_COLUMNS))
