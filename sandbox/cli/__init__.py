"""The command `dimedove-sandbox`: one module a command, each imported only when it is called.

Exit codes: 0 done, 1 findings, 2 wrong usage or setting, 3 could not be carried out.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

import sandbox
from sandbox.cli.flags import help_formatter
from sandbox.cli.process import flush_streams, open_closed_streams
from sandbox.errors import ContractError, StoreError
from sandbox.options import SettingsError
from sandbox.redaction import escape

COMMANDS = ("serve", "exec", "wait", "env", "doctor", "conform", "replay", "health", "store")


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one command and return its exit code."""
    open_closed_streams()
    environ = os.environ if environ is None else environ  # noqa: TID251 - the one place
    parser = _Parser(
        prog="dimedove-sandbox",
        description="A local sandbox of the Dimedove Apps API. Most people need: dimedove-sandbox serve",
        epilog="dimedove-sandbox COMMAND --help says more about a command.",
    )
    parser.add_argument("--version", action="version", version=f"dimedove-sandbox {sandbox.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name in _called(sys.argv[1:] if argv is None else argv):
        import_module(f"{__name__}.{name}").add_parser(commands)
    arguments = parser.parse_args(argv)
    if "run" not in arguments:
        parser.print_help(sys.stderr)
        return 2
    try:
        code: int = arguments.run(arguments, environ)
    except SettingsError as error:
        return _fail(error, 2)
    except (ContractError, StoreError) as error:
        return _fail(error, 3)
    flush_streams()
    return code


def _called(argv: Sequence[str]) -> Sequence[str]:
    """Return the command that is called; all of them where none is: help and complaints list them."""
    return argv[:1] if argv and argv[0] in COMMANDS else COMMANDS


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command in one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=help_formatter, **options)

    def error(self, message: str) -> NoReturn:
        """End with the code of wrong usage."""
        print(f"{self.prog}: {escape(message)}; --help says more", file=sys.stderr)
        raise SystemExit(2)


def _fail(error: Exception, code: int) -> int:
    print(f"dimedove-sandbox: {error}", file=sys.stderr)
    return code
