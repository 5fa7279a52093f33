"""`dimedove-sandbox replay`: starts a server in the state of a bundle and repeats its requests."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from sandbox.cli.process import SigintFlag, StopRequest, write_line
from sandbox.cli.serve import banner
from sandbox.cli.server import configure_logging, run_server
from sandbox.cli.sockets import listen
from sandbox.options import SettingsError
from sandbox.redaction import Redactor
from sandbox.replay.bundle import Bundle, BundleError, load_bundle
from sandbox.replay.run import Replay, escape_line
from sandbox.replay.transport import Address
from sandbox.sandbox import create_app
from sandbox.settings import Settings, options

HOST = "127.0.0.1"


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "replay",
        help="repeat the requests of a bundle",
        description="Start a server in the state of a bundle (GET /_sandbox/apps/{app_id}/bundle), send its requests "
        "again and print where the responses differ. Exit code 0: all the same, 1: some differ, 2: no such bundle.",
    )
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="the zip file")
    parser.add_argument("--port", metavar="N", default="0", help="port to listen on; 0, the default, picks a free one")
    parser.add_argument(
        "--keep-serving", action="store_true", help="keep the server running afterwards, to look at its state"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:  # noqa: ARG001 - the signature of a command
    """Replay a bundle."""
    port = options()["port"].parse(arguments.port, "--port")
    try:
        bundle = load_bundle(arguments.bundle)
        return _replay(bundle, port, keep=arguments.keep_serving)
    except (BundleError, SettingsError) as error:
        raise SettingsError(escape_line(str(error))) from None


def _replay(bundle: Bundle, port: int, *, keep: bool) -> int:
    settings = settings_of(bundle, port)
    sockets = listen(settings)
    if sockets is None:
        return 3
    stop = StopRequest()
    sigint = SigintFlag(stop)
    with sockets:
        configure_logging(Redactor().redact_text, quiet=True)
        app = create_app(settings)
        write_line(banner(settings, sockets, None))
        sender = _Sender(bundle, sockets.port, None if keep else stop)
        sender.start()
        run_server(app, sockets, settings, tls={}, pollers=(), stop=stop)
    if sender.problem and not sigint.is_set():
        raise sender.problem
    return 1 if sender.differing or sender.problem or not sender.is_done else 0


def settings_of(bundle: Bundle, port: int) -> Settings:
    """Return the settings of the recorded server, as far as its responses depend on them.

    Raises:
        SettingsError: one of them is not valid.
    """
    table = options()
    taken = ("validation_status", "cors_origin", "like_production")
    values = {name: table[name].parse(bundle.server.get(name), f"the bundle's {name}") for name in taken}
    return Settings(
        host=HOST,
        port=port,
        quiet=True,
        seed=int(bundle.seed),
        # The real API knows an app that it serves.
        apps={bundle.app_id: {}},
        **values,
    )


class _Sender(Thread):
    """Sends the requests of a bundle, beside the server, in a thread that the end of the process does not wait for.

    Asks for the end of the server, if it is to, when it has sent them all.
    """

    def __init__(self, bundle: Bundle, port: int, stop: StopRequest | None) -> None:
        super().__init__(daemon=True)
        self._bundle = bundle
        self._port = port
        self._stop_server = stop
        self.is_done = False
        self.differing = 0
        self.problem: Exception | None = None

    def run(self) -> None:
        try:
            self.differing = Replay(self._bundle, Address(HOST, self._port), _say).run()
        except BundleError as error:
            self.problem = error
        except Exception as error:  # a bug must not look like "some differ"
            self.problem = BundleError(f"the replay broke off: {error!r}")
        self.is_done = True
        if self._stop_server:
            self._stop_server.set()


def _say(line: str) -> None:
    with suppress(BrokenPipeError):
        print(line, flush=True, file=sys.stdout)
