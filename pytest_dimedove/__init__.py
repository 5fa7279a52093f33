"""The pytest plugin of the Dimedove Sandbox: one server process a session, one fresh app a test.

It starts the server as a process and speaks HTTP to it. Of the package `sandbox` it imports nothing, so that a test
process stays free of it and a folder `sandbox/` of the user's own does no harm. It needs the standard library alone.

    def test_it_survives_two_bad_answers(dimedove_app: DimedoveApp) -> None:
        client = MyClient(dimedove_app.base_url, dimedove_app.api_key, dimedove_app.app_id)
        dimedove_app.fault("status", status=503, times=2)
        client.create_conversation(title="Support inquiry")
        dimedove_app.verify("apps_api_create_conversation", body={"title": "Support inquiry"}, times=3)

pytest loads this module in every run, also in those that never use a fixture of it. So here is what pytest has to find,
and no more: the other modules are loaded when they are first needed.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Generator, Iterator
from types import ModuleType
from typing import TYPE_CHECKING

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
_PROCESS: pytest.StashKey[Process] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what can be asked of the plugin."""
    text = "write a bundle of each failing test's app into this folder, for `dimedove-sandbox replay`"
    parser.getgroup("dimedove").addoption("--dimedove-bundle", metavar="DIR", default=None, help=text)
    parser.addini("dimedove_bundle", text, default="")


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the marker."""
    config.addinivalue_line(
        "markers",
        "dimedove_verdict(ignore=()): fail the test where the sandbox finds that the client behaved badly; "
        "`ignore` names rules that don't count",
    )


@pytest.fixture(scope="session")
def dimedove(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dimedove]:
    """A running sandbox, started when the first test asks for it and ended with the session.

    `DIMEDOVE_SANDBOX_URL` uses one that runs already (`DIMEDOVE_SANDBOX_CONTROL_TOKEN` is its token, where it asks for
    one); `DIMEDOVE_SANDBOX_COMMAND` names the command of another installation, as `/opt/sandbox/bin/dimedove-sandbox`.
    """
    from pytest_dimedove.server import Process, running_already

    environ = os.environ  # noqa: TID251 - a plugin is told so
    if server := running_already(environ):
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
    """A fresh app for this test alone; everything in it goes with the test."""
    from pytest_dimedove.control import DimedoveError
    from pytest_dimedove.names import app_id, place

    process = request.config.stash.get(_PROCESS, None)
    app = dimedove.app(app_id(request.node.nodeid, "" if process else place()))
    request.node.stash[_APP] = app
    yield app
    try:
        app.delete()
    except DimedoveError:
        # A server that is gone, as after Ctrl-C, has nothing to forget; one that died is said so once.
        if process and not process.death_told and (death := process.death()):
            process.death_told = True
            raise DimedoveError(death) from None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start another server for a test that needs one where ours has ended."""
    process = item.config.stash.get(_PROCESS, None)
    if process and "dimedove" in getattr(item, "fixturenames", ()):
        death = None if process.death_told else process.death()
        process.restart()
        if death:
            item.warn(pytest.PytestWarning(f"{death}\nAnother one was started for {item.nodeid}."))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that is marked so on the verdict on its client, once it has passed otherwise."""
    result = yield
    if mark := item.get_closest_marker("dimedove_verdict"):
        from pytest_dimedove.app import objections

        app = item.stash.get(_APP, None)
        if app is None:
            pytest.fail("dimedove_verdict: this test has no dimedove_app whose client could be judged", pytrace=False)
        if said := objections(app, **{"ignore": (), **mark.kwargs}):
            pytest.fail(said, pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show, where a test failed, what its app was asked and what the server wrote meanwhile."""
    report = yield
    process = item.config.stash.get(_PROCESS, None)
    if report.failed:
        for title, make in _sections(item, report, process):
            if text := _made(make):
                report.sections.append((title, text))
    if report.when == "teardown" and process:
        _made(process.clear_log)
    return report


def _sections(
    item: pytest.Item, report: pytest.TestReport, process: Process | None
) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield what is to be shown of a failure: a title, and what makes the text."""
    app = item.stash.get(_APP, None)
    if process and (death := _made(process.death)):
        if not process.death_told:
            process.death_told = True
            yield "Dimedove Sandbox", lambda: death
        return
    if app and report.when != "teardown":
        yield f"Dimedove requests of {app.app_id}", lambda: _app_module().story(app)
        if folder := _bundles(item.config):
            yield f"Dimedove bundle of {app.app_id}", lambda: _app_module().kept(app, folder)
    if process:
        yield "Dimedove Sandbox log", process.new_log


def _app_module() -> ModuleType:
    from pytest_dimedove import app

    return app


def _made(make: Callable[[], str | None]) -> str | None:
    """Return a section's text, or why there is none: an exception in a report would end the whole run.

    A test may have replaced whatever it likes, the file system and the network first, by what raises anything.
    """
    try:
        return make()
    except (KeyboardInterrupt, pytest.exit.Exception):
        raise
    except BaseException as error:
        return "".join(["can't be shown: ", *traceback.format_exception_only(error)])


def _bundles(config: pytest.Config) -> Path | None:
    """Return the folder for bundles, if they are asked for: of the flag from here on, of the ini file from there on."""
    if flag := config.getoption("--dimedove-bundle"):
        return config.invocation_params.dir / str(flag)
    ini = str(config.getini("dimedove_bundle"))
    return config.rootpath / ini if ini else None


# A type checker would take every name there is for one of ours. No `__dir__` beside it: pytest reads what that names.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Return a public name, loading its module now."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from pytest_dimedove import app, control, fields

        return next(vars(module)[name] for module in (app, control, fields) if name in vars(module))
