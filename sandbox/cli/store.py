"""`dimedove-sandbox store wipe`: deletes what is kept in a store under a prefix."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from sandbox.cli.flags import add_flag
from sandbox.cli.process import write_line
from sandbox.options import ENV_PREFIX, SettingsError, resolve_options
from sandbox.settings import options

_NAMES = ("store", "store_prefix")


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "store",
        help="delete what is kept in a store",
        description="Delete all apps that are kept in a store under a prefix. No server may use it meanwhile. "
        "Exit code 0: it is empty, 2: a wrong setting, 3: the store can't be used.",
    )
    parser.add_argument("action", choices=("wipe",), help="what to do")
    table = options()
    add_flag(parser, "store", table["store"])
    parser.add_argument("--prefix", dest="store_prefix", required=True, metavar="TEXT", help=table["store_prefix"].help)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Delete, and say how much it was."""
    table = {name: options()[name] for name in _NAMES}
    given = resolve_options(table, {"store": ENV_PREFIX + "STORE"}, vars(arguments), environ, {}, None)
    if "store" not in given:
        raise SettingsError(f"--store, or the variable {ENV_PREFIX}STORE: expected the URL of the store")
    # Late: nothing of Redis is needed where no store is.
    from sandbox.redis_store.opening import wipe

    count = wipe(given["store"], given["store_prefix"])
    write_line(f"keys deleted under the prefix {given['store_prefix']}: {count:,}")
    return 0
