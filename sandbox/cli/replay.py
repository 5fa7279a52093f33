"""`dimedove-sandbox replay`: starts a server in the state of a bundle and does again what was done to it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from sandbox.cli.listening import listen
from sandbox.cli.output import say
from sandbox.cli.serve import greeting
from sandbox.cli.server import Interrupted, prepare_logs, serve_on
from sandbox.redaction import Redactor
from sandbox.settings import Settings, SettingsError, options

if TYPE_CHECKING:
    from sandbox.replay.bundle import Bundle

HOST = "127.0.0.1"


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "replay",
        help="do again what a bundle tells",
        description="Start a server in the state of a bundle (GET /_sandbox/apps/{app_id}/bundle), send its requests "
        "again and say where the answers differ. Exit code 0: all the same, 1: some differ, 2: no such bundle.",
    )
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="the file")
    parser.add_argument("--port", metavar="N", default="0", help="port to listen on; 0, the default, picks a free one")
    parser.add_argument("--keep-serving", action="store_true", help="go on serving afterwards, for a look at the state")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:  # noqa: ARG001 - the signature of a command
    """Replay a bundle."""
    # Imported late: the other commands need none of it.
    from sandbox.replay.bundle import BundleError, read
    from sandbox.replay.shown import shown

    port = options()["port"].read(arguments.port, "--port")
    try:
        bundle = read(arguments.bundle)
        return _replay(bundle, port, keep=arguments.keep_serving)
    except (BundleError, SettingsError) as error:
        raise SettingsError(shown(str(error))) from None


def _replay(bundle: Bundle, port: int, *, keep: bool) -> int:
    settings = settings_of(bundle, port)
    listening = listen(settings)
    if listening is None:
        return 3
    interrupted = Interrupted()
    with listening:
        prepare_logs(Redactor().redact_text, quiet=True)
        from sandbox.app import create_app

        app = create_app(settings)
        say(greeting(settings, listening, None))
        told = _Told(bundle, listening.port)
        told.start()
        serve_on(app, listening, settings, {}, (), until=lambda: interrupted() or (not keep and not told.is_alive()))
    if told.problem and not interrupted():
        raise told.problem
    return 1 if told.differing or told.problem or told.is_alive() else 0


def settings_of(bundle: Bundle, port: int) -> Settings:
    """Return the settings of the server that there was, as far as answers depend on them.

    Raises:
        SettingsError: one of them is none.
    """
    table = options()
    taken = ("validation_status", "cors_origin", "like_production")
    values = {name: table[name].read(bundle.server.get(name), f"the bundle's {name}") for name in taken}
    return Settings(
        host=HOST,
        port=port,
        quiet=True,
        seed=int(bundle.seed),
        # The real API knows an app that it serves.
        apps={bundle.app_id: {}},
        **values,
    )


class _Told(Thread):
    """Sends what the bundle tells, beside the server; a thread that the end of the process does not wait for."""

    def __init__(self, bundle: Bundle, port: int) -> None:
        super().__init__(daemon=True)
        self._bundle = bundle
        self._port = port
        self.differing = 0
        self.problem: Exception | None = None

    def run(self) -> None:
        from sandbox.replay.bundle import BundleError
        from sandbox.replay.run import Replay
        from sandbox.replay.sending import Address

        try:
            self.differing = Replay(self._bundle, Address(HOST, self._port), _say).run()
        except BundleError as error:
            self.problem = error
        except Exception as error:  # what nobody expected must not look like "some differ"
            self.problem = BundleError(f"the replay broke off: {error!r}")


def _say(line: str) -> None:
    with suppress(BrokenPipeError):
        print(line, flush=True, file=sys.stdout)
