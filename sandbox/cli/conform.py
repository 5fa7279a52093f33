"""`dimedove-sandbox conform`: checks a server that claims to be this API, and reports its findings.

Exit codes: 0 it conforms, 1 it doesn't or some checks could not run, 2 wrong usage, 3 the run failed.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import io
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.cli.flags import add_flag
from sandbox.clock import monotonic
from sandbox.conformance.baseline import BaselinedResult, apply_baseline, parse_baseline
from sandbox.conformance.checks import all_checks
from sandbox.conformance.output import escape
from sandbox.conformance.preparation import RunPlan, UsageError
from sandbox.conformance.reports import Report, job_summary, json_report, junit_report, wrapped
from sandbox.conformance.run import run_conformance
from sandbox.conformance.transport import CannotRun
from sandbox.contract import load
from sandbox.options import Option, SettingsError, read_file, resolve_options

CONFIG = "conform.toml"
KEY_VARIABLE, OTHER_KEY_VARIABLE = "DIMEDOVE_API_KEY", "DIMEDOVE_OTHER_API_KEY"

# Every flag of the command; each is a key of conform.toml too.
OPTIONS: Mapping[str, Option] = {
    "url": Option(help="URL of the server; `/v1` is added if the URL has no path", kind="text"),
    "key": Option(help=f"API key; better in the environment, as {KEY_VARIABLE}", kind="text"),
    "app": Option(help="app to check; on the sandbox by default a new one", kind="text"),
    "other_key": Option(help=f"key that must not open the app (or in {OTHER_KEY_VARIABLE})", kind="text"),
    "check": Option(help="run only this check or topic, such as PAGE-3 or PAGE (repeatable)", kind="list"),
    "quick": Option(help="all checks, and a short fuzz phase", kind="switch"),
    "read_only": Option(help="send no request that could write", kind="switch"),
    "allow_writes": Option(help="write to a server that isn't the sandbox", kind="switch"),
    "max_messages": Option(
        "at most so many messages and completions to such a server (default: 40)", "integer", minimum=0, maximum=10_000
    ),
    "max_wait": Option(help="seconds to wait for 429s in all (default: 60)", kind="integer", minimum=0, maximum=86_400),
    "deadline": Option(
        help="seconds for the whole run (default: 600); the report has the findings until then",
        kind="integer",
        minimum=1,
        maximum=86_400,
    ),
    "sandbox_rules": Option(help="check what the sandbox decided, [D], on any server", kind="switch"),
    "shared_app": Option(
        help="others use the app during the run: its counts may grow by more than the run adds", kind="switch"
    ),
    "rate": Option(
        help="at most so many requests per second (default: 0, no limit)", kind="integer", minimum=0, maximum=10_000
    ),
    "seed": Option(help="same seed, same requests (default: 1)", kind="integer", minimum=0, maximum=2**53),
    "baseline": Option(help="file of known findings and waived checks", kind="file"),
    "junit": Option(help="write JUnit XML to this file", kind="file"),
    "json": Option(help="write a JSON report to this file", kind="file"),
}
# What an option was called before, and may still be.
_FORMER_NAMES = {"check": "law"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arguments:
    """The values of the run's plan, and the files."""

    plan: Mapping[str, Any]
    baseline: str | None
    junit: str | None
    json: str | None


def add_parser(commands: Any) -> None:
    """Add the command with a flag for each option of the table."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "conform",
        help="check a server that claims to be this API",
        usage="%(prog)s [options] [URL]",
        description="Check a server that claims to be this API. Every flag is also a key of conform.toml, which is "
        "read from the current folder if it is there. Exit code 0: it conforms, 1: there are findings, or something "
        "could not be checked, 2: wrong usage, 3: the run failed.",
    )
    parser.add_argument("url", nargs="?", default=None, metavar="URL", help=OPTIONS["url"].help)
    parser.add_argument("--config", metavar="FILE", help="read this file instead of conform.toml")
    parser.add_argument("--list", action="store_true", help="list every check and stop")
    for name, option in OPTIONS.items():
        if name == "url":
            continue
        add_flag(parser, name, option, *([_FORMER_NAMES[name]] if name in _FORMER_NAMES else ()))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Check the server, and return the exit code."""
    if arguments.list:
        _list_checks()
        return 0
    try:
        return _run_conformance(_resolve_arguments(vars(arguments), environ), environ)
    except (UsageError, SettingsError) as error:
        return _fail(str(error), 2)
    except CannotRun as error:
        return _fail(str(error), 3)
    except KeyboardInterrupt:
        return _fail("interrupted", 3)


def _run_conformance(arguments: _Arguments, environ: Mapping[str, str]) -> int:
    file = Path(arguments.baseline) if arguments.baseline else None
    entries = parse_baseline(read_file(file), file) if file else ()
    for report in filter(None, (arguments.junit, arguments.json)):
        if not Path(report).absolute().parent.is_dir():
            raise SettingsError(f"{report}: can't be written: there is no such folder")
    # The garbage collector would go through each long response many times while it is read.
    gc.set_threshold(5_000, 10, 10)
    progress = _Progress()
    started = monotonic()
    baselined = apply_baseline(run_conformance(RunPlan(**arguments.plan), load(), progress.say, progress.note), entries)
    progress.end()
    colour = sys.stdout.isatty() and not environ.get("NO_COLOR")
    lines = [*Report(baselined, colour=colour).lines(), f"took {monotonic() - started:.0f} s"]
    if environ.get("GITHUB_ACTIONS") == "true":
        # Text from the server must not command the runner; nobody can guess the word that enables commands again.
        word = hashlib.sha256(f"{started!r} {monotonic()!r} {arguments.plan.get('key')}".encode()).hexdigest()
        lines = [f"::stop-commands::{word}", *lines, f"::{word}::"]
    _print(lines)
    _write_reports(arguments, baselined, environ)
    return baselined.exit_code


def _write_reports(arguments: _Arguments, baselined: BaselinedResult, environ: Mapping[str, str]) -> None:
    if arguments.junit:
        _write(arguments.junit, junit_report(baselined))
    if arguments.json:
        _write(arguments.json, json_report(baselined))
    if environ.get("GITHUB_STEP_SUMMARY"):
        _write(environ["GITHUB_STEP_SUMMARY"], job_summary(baselined), mode="a")


class _Progress:
    """Prints progress on stderr: messages as lines, the current step as one line that changes, on a terminal only."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Print a message."""
        self.end()
        print("\n".join(wrapped(text, "")), file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Print the current step."""
        if self._live:
            print(f"\r\033[K{text[:78]}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Remove the line that changes."""
        if self._live:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _resolve_arguments(flags: Mapping[str, Any], environ: Mapping[str, str]) -> _Arguments:
    """Resolve the arguments: flags, then the environment (keys only), then the file.

    Raises:
        SettingsError: a value is wrong, a name unknown, the file unreadable, the URL missing.
    """
    path = Path(flags["config"] or CONFIG)
    known = (*OPTIONS, *_FORMER_NAMES.values())
    from_file = read_file(path, known) if flags["config"] or path.exists() else {}
    for name, former in _FORMER_NAMES.items():
        if former in from_file:
            from_file.setdefault(name, from_file[former])
    variables = {"key": KEY_VARIABLE, "other_key": OTHER_KEY_VARIABLE}
    values = resolve_options(OPTIONS, variables, flags, environ, from_file, path)
    if "url" not in values:
        raise SettingsError(f"no URL: give one, or write url = … into {path}")
    files = {name: values.pop(name, None) for name, option in OPTIONS.items() if option.kind == "file"}
    plan = {"checks" if name == "check" else name: value for name, value in values.items()}
    return _Arguments(plan=plan, **files)


def _list_checks() -> None:
    _print(
        [f"{check.id:14} {check.clause:5} [{check.source}] {check.needs:8} {check.sentence}" for check in all_checks()]
    )


def _print(lines: Iterable[str]) -> None:
    """Write lines to stdout, as far as its encoding allows."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print("\n".join(lines).encode(encoding, "replace").decode(encoding), flush=True)
    except BrokenPipeError:
        # `head` closes the pipe after the first lines; Python would flush the rest into it at its end.
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
