"""The pytest plugin of the Dimedove Sandbox: one server process per session, one new app per test.

It starts the server as a process and calls it over HTTP. It imports nothing of the package `sandbox`, so that a folder
`sandbox/` of the user does no harm, and only the standard library.

    def test_it_survives_two_bad_answers(dimedove_app: DimedoveApp) -> None:
        client = MyClient(dimedove_app.base_url, dimedove_app.api_key, dimedove_app.app_id)
        dimedove_app.fault("status", status=503, times=2)
        client.create_conversation(title="Support inquiry")
        dimedove_app.verify("apps_api_create_conversation", body={"title": "Support inquiry"}, times=3)

pytest loads this module in every run, also without its fixtures. So here is only what pytest must find; the other
modules are loaded on first use.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Generator, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_dimedove.app import Clock, Dimedove, DimedoveApp
    from pytest_dimedove.control import DimedoveError
    from pytest_dimedove.fields import (
        Entry,
        FaultFields,
        FaultKind,
        Operation,
        ReplyRules,
        SettingChanges,
        Times,
        Verdict,
        VerdictFinding,
        VerdictRule,
        Wanted,
    )
    from pytest_dimedove.server import Process

__all__ = [
    "Clock",
    "Dimedove",
    "DimedoveApp",
    "DimedoveError",
    "Entry",
    "FaultFields",
    "FaultKind",
    "Operation",
    "ReplyRules",
    "SettingChanges",
    "Times",
    "Verdict",
    "VerdictFinding",
    "VerdictRule",
    "Wanted",
]

# A failure is shown where the test stands, not in here.
__tracebackhide__ = True

_APP: pytest.StashKey[DimedoveApp] = pytest.StashKey()
_COVERAGE: pytest.StashKey[dict[str, Any]] = pytest.StashKey()
_PROCESS: pytest.StashKey[Process] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    text = "write a bundle of each failing test's app into this folder, for `dimedove-sandbox replay`"
    parser.getgroup("dimedove").addoption("--dimedove-bundle", metavar="DIR", default=None, help=text)
    parser.addini("dimedove_bundle", text, default="")
    text = "show at the end what of the contract the clients under test have met, and never met"
    parser.getgroup("dimedove").addoption("--dimedove-coverage", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "dimedove_verdict(ignore=()): fail the test if the sandbox finds that the client behaved badly; "
        "`ignore` names rules that don't count",
    )


@pytest.fixture(scope="session")
def dimedove(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dimedove]:
    """A running sandbox, started for the first test that needs it and stopped with the session.

    `DIMEDOVE_SANDBOX_URL` uses one that is running already (`DIMEDOVE_SANDBOX_CONTROL_TOKEN` is its token, if it needs
    one); `DIMEDOVE_SANDBOX_COMMAND` names the command of another installation, as `/opt/sandbox/bin/dimedove-sandbox`.
    """
    from pytest_dimedove.server import Process, connect_to_running

    environ = os.environ  # noqa: TID251 - the settings of the plugin
    if server := connect_to_running(environ):
        yield server
        return
    process = Process(environ, tmp_path_factory.mktemp("dimedove") / "sandbox.log")
    pytestconfig.stash[_PROCESS] = process
    try:
        yield process.server
    finally:
        del pytestconfig.stash[_PROCESS]
        process.close()


@pytest.fixture
def dimedove_app(dimedove: Dimedove, request: pytest.FixtureRequest) -> Iterator[DimedoveApp]:
    """A new app for this test, deleted after it."""
    from pytest_dimedove.control import DimedoveError
    from pytest_dimedove.names import app_id, worker_name

    process = request.config.stash.get(_PROCESS, None)
    app = dimedove.app(app_id(request.node.nodeid, "" if process else worker_name()))
    request.node.stash[_APP] = app
    yield app
    try:
        if request.config.getoption("--dimedove-coverage"):
            _keep_coverage(request.config, app.coverage())
        app.delete()
    except DimedoveError:
        # A stopped server (Ctrl-C) has nothing to delete; a server that died is reported once.
        if process and not process.is_death_reported and (death := process.death()):
            process.is_death_reported = True
            raise DimedoveError(death) from None


def _keep_coverage(config: pytest.Config, coverage: dict[str, Any]) -> None:
    from pytest_dimedove.report import merge_coverage

    before: dict[str, Any] = config.stash.get(_COVERAGE, {})
    config.stash[_COVERAGE] = merge_coverage(before, coverage)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what a worker of pytest-xdist has counted to the run that started it."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None and _COVERAGE in session.config.stash:
        output["dimedove_coverage"] = session.config.stash[_COVERAGE]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:  # noqa: ARG001 - the hook's signature
    """Take what a worker has counted."""
    if coverage := getattr(node, "workeroutput", {}).get("dimedove_coverage"):
        _keep_coverage(node.config, coverage)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the coverage of the run."""
    if coverage := config.stash.get(_COVERAGE, None):
        from pytest_dimedove.report import describe_coverage

        terminalreporter.section("Dimedove coverage of the contract")
        terminalreporter.write_line("\n".join(describe_coverage(coverage)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start another server for a test that needs one, if ours has ended."""
    process = item.config.stash.get(_PROCESS, None)
    if process and "dimedove" in getattr(item, "fixturenames", ()):
        death = None if process.is_death_reported else process.death()
        process.restart()
        if death:
            item.warn(pytest.PytestWarning(f"{death}\nAnother one was started for {item.nodeid}."))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a marked test that has passed otherwise on the verdict on its client."""
    result = yield
    if mark := item.get_closest_marker("dimedove_verdict"):
        from pytest_dimedove.app import describe_failure

        app = item.stash.get(_APP, None)
        if app is None:
            pytest.fail("dimedove_verdict: this test does not use the fixture dimedove_app", pytrace=False)
        if failure := describe_failure(app, **{"ignore": (), **mark.kwargs}):
            pytest.fail(failure, pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the app's requests and the server's log to the report of a failed test."""
    report = yield
    process = item.config.stash.get(_PROCESS, None)
    if report.failed:
        for title, make in _sections(item, report, process):
            if text := _text_or_error(make):
                report.sections.append((title, text))
    if report.when == "teardown" and process:
        _text_or_error(process.clear_log)
    return report


def _sections(
    item: pytest.Item, report: pytest.TestReport, process: Process | None
) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield the sections of a failure: a title, and a function that makes the text."""
    app = item.stash.get(_APP, None)
    if process and (death := _text_or_error(process.death)):
        if not process.is_death_reported:
            process.is_death_reported = True
            yield "Dimedove Sandbox", lambda: death
        return
    if app and report.when != "teardown":
        yield f"Dimedove requests of {app.app_id}", lambda: _app_module().describe_requests(app)
        if folder := _bundle_folder(item.config):
            yield f"Dimedove bundle of {app.app_id}", lambda: _app_module().write_bundle(app, folder)
    if process:
        yield "Dimedove Sandbox log", process.new_log


def _app_module() -> ModuleType:
    from pytest_dimedove import app

    return app


def _text_or_error(make: Callable[[], str | None]) -> str | None:
    """Return a section's text, or why there is none: an exception in a report would end the whole run.

    A test may have replaced anything, such as the file system and the network, by something that raises anything.
    """
    try:
        return make()
    except (KeyboardInterrupt, pytest.exit.Exception):
        raise
    except BaseException as error:
        return "".join(["can't be shown: ", *traceback.format_exception_only(error)])


def _bundle_folder(config: pytest.Config) -> Path | None:
    """Return the folder for bundles, if one is set: the flag is relative to here, the ini file's value to that file."""
    if flag := config.getoption("--dimedove-bundle"):
        return config.invocation_params.dir / str(flag)
    ini = str(config.getini("dimedove_bundle"))
    return config.rootpath / ini if ini else None


# A type checker would accept every name. No `__dir__` beside it: pytest reads all names in that.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Return a public name, loading its module now."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from pytest_dimedove import app, control, fields

        return next(vars(module)[name] for module in (app, control, fields) if name in vars(module))
