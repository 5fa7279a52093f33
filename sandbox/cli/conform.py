"""`dimedove-sandbox conform`: judges a server that claims to be this API, and says what it found.

Exit codes: 0 it conforms, 1 it doesn't or not all could be seen, 2 wrong usage, 3 the run could not be carried out.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.clock import monotonic
from sandbox.conformance.baseline import BaselinedResult, apply_baseline, load_baseline
from sandbox.conformance.checks import all_checks
from sandbox.conformance.output import escape
from sandbox.conformance.preparation import CannotRun, RunPlan, UsageError
from sandbox.conformance.reports import Report, job_summary, json_report, junit_report, wrapped
from sandbox.conformance.run import run_conformance
from sandbox.conformance.transport import Unreachable
from sandbox.contract import load
from sandbox.settings import Option, SettingsError, flag, read_file, resolve_options

CONFIG = "conform.toml"
KEY_VARIABLE, OTHER_KEY_VARIABLE = "DIMEDOVE_API_KEY", "DIMEDOVE_OTHER_API_KEY"

# Every flag of the command; each is a key of conform.toml too.
OPTIONS: Mapping[str, Option] = {
    "url": Option(help="where the server is; `/v1` is added where the URL has no path", kind="text"),
    "key": Option(help=f"API key; better in the environment, as {KEY_VARIABLE}", kind="text"),
    "app": Option(help="app to judge; on the sandbox by default one of its own", kind="text"),
    "other_key": Option(help=f"key that must not open the app (or in {OTHER_KEY_VARIABLE})", kind="text"),
    "law": Option(help="hold it to this law or topic alone, such as PAGE-3 or PAGE (repeatable)", kind="list"),
    "quick": Option(help="all laws, and a short part one", kind="switch"),
    "read_only": Option(help="send nothing that could write", kind="switch"),
    "allow_writes": Option(help="write to a server that isn't the sandbox", kind="switch"),
    "max_messages": Option(
        help="messages and completions that are sent there at most (40)", kind="integer", least=0, most=10_000
    ),
    "max_wait": Option(help="seconds to wait out 429s in all (60)", kind="integer", least=0, most=86_400),
    "deadline": Option(
        help="seconds for the whole run (600); what was found by then is reported", kind="integer", least=1, most=86_400
    ),
    "sandbox_rules": Option(help="hold any server to what the sandbox decided, [D]", kind="switch"),
    "rate": Option(help="requests a second at most (0: any number)", kind="integer", least=0, most=10_000),
    "seed": Option(help="same seed, same requests (1)", kind="integer", least=0, most=2**53),
    "baseline": Option(help="file with what is known and waived", kind="text"),
    "junit": Option(help="write JUnit XML to this file", kind="text"),
    "json": Option(help="write a JSON report to this file", kind="text"),
}
_OF_FILES = ("baseline", "junit", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a person asked for: the plan's values, and the files."""

    plan: Mapping[str, Any]
    baseline: str | None
    junit: str | None
    json: str | None


def add_parser(commands: Any) -> None:
    """Add the command with a flag for each option of the table."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "conform",
        help="judge a server that claims to be this API",
        description="Judge a server that claims to be this API. Every flag is also a key of conform.toml, which is "
        "read from the current folder if it is there.",
    )
    parser.add_argument("url", nargs="?", default=None, metavar="URL", help=OPTIONS["url"].help)
    parser.add_argument("--config", metavar="FILE", help="read this file instead of conform.toml")
    parser.add_argument("--list", action="store_true", help="show every law and stop")
    for name, option in OPTIONS.items():
        if name == "url":
            continue
        if option.kind == "switch":
            parser.add_argument(flag(name), action=argparse.BooleanOptionalAction, default=None, help=option.help)
        elif option.kind == "list":
            parser.add_argument(flag(name), action="append", default=None, metavar="NAME", help=option.help)
        else:
            metavar = "FILE" if name in _OF_FILES else "N" if option.kind == "integer" else "TEXT"
            parser.add_argument(flag(name), default=None, metavar=metavar, help=option.help)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Judge the server, and return the exit code."""
    if arguments.list:
        _list_checks()
        return 0
    try:
        return _run_conformance(_asked(vars(arguments), environ), environ)
    except (UsageError, SettingsError) as error:
        return _fail(str(error), 2)
    except Unreachable as error:
        return _fail(f"can't reach {error}", 3)
    except CannotRun as error:
        return _fail(str(error), 3)
    except KeyboardInterrupt:
        return _fail("interrupted", 3)


def _run_conformance(asked: _Asked, environ: Mapping[str, str]) -> int:
    entries = load_baseline(Path(asked.baseline)) if asked.baseline else ()
    for report in filter(None, (asked.junit, asked.json)):
        if not Path(report).absolute().parent.is_dir():
            raise SettingsError(f"{report}: can't be written: there is no such folder")
    progress = _Progress()
    began = monotonic()
    baselined = apply_baseline(run_conformance(RunPlan(**asked.plan), load(), progress.say, progress.note), entries)
    progress.end()
    colour = sys.stdout.isatty() and not environ.get("NO_COLOR")
    lines = [*Report(baselined, colour=colour).lines(), f"took {monotonic() - began:.0f} s"]
    if environ.get("GITHUB_ACTIONS") == "true":
        # What a server says must not command the runner; nobody can guess the word that gives it its ear back.
        word = hashlib.sha256(f"{began!r} {monotonic()!r} {asked.plan.get('key')}".encode()).hexdigest()
        lines = [f"::stop-commands::{word}", *lines, f"::{word}::"]
    _print(lines)
    _write_reports(asked, baselined, environ)
    return baselined.exit_code


def _write_reports(asked: _Asked, baselined: BaselinedResult, environ: Mapping[str, str]) -> None:
    if asked.junit:
        _write(asked.junit, junit_report(baselined))
    if asked.json:
        _write(asked.json, json_report(baselined))
    if environ.get("GITHUB_STEP_SUMMARY"):
        _write(environ["GITHUB_STEP_SUMMARY"], job_summary(baselined), mode="a")


class _Progress:
    """Says what goes on, on stderr: what lasts as lines, what passes as one line that changes, on a terminal alone."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Say something that is to be read."""
        self.end()
        print("\n".join(wrapped(text, "")), file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Say where the run is."""
        if self._live:
            print(f"\r\033[K{text[:78]}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Take the line that changes away."""
        if self._live:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _asked(flags: Mapping[str, Any], environ: Mapping[str, str]) -> _Asked:
    """Gather what was asked for: flags, then the environment (keys alone), then the file.

    Raises:
        SettingsError: a value is wrong, a name unknown, the file unreadable, the URL missing.
    """
    path = Path(flags["config"] or CONFIG)
    from_file = read_file(path, tuple(OPTIONS)) if flags["config"] or path.exists() else {}
    variables = {"key": KEY_VARIABLE, "other_key": OTHER_KEY_VARIABLE}
    values = resolve_options(OPTIONS, variables, flags, environ, from_file, path)
    if "url" not in values:
        raise SettingsError(f"no URL: give one, or write url = … into {path}")
    files = {name: values.pop(name, None) for name in _OF_FILES}
    plan = {"checks" if name == "law" else name: value for name, value in values.items()}
    return _Asked(plan=plan, **files)


def _list_checks() -> None:
    _print(
        [f"{check.id:14} {check.clause:5} [{check.source}] {check.needs:8} {check.sentence}" for check in all_checks()]
    )


def _print(lines: Iterable[str]) -> None:
    """Write lines to stdout, as well as its encoding can."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print("\n".join(lines).encode(encoding, "replace").decode(encoding), flush=True)
    except BrokenPipeError:
        # Whoever reads no further than the first lines closes the pipe; Python would flush the rest into it at its end.
        sys.stdout = io.StringIO()


def _write(path: str, text: str, mode: str = "w") -> None:
    try:
        with Path(path).open(mode, encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise SettingsError(f"{path}: can't be written: {error.strerror}") from None


def _fail(text: str, code: int) -> int:
    print(f"dimedove-sandbox: {escape(text)}", file=sys.stderr)
    return code
