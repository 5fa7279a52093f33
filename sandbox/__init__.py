"""A faithful local sandbox of the Dimedove Apps API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.options import SettingsError
from sandbox.settings import Settings

if TYPE_CHECKING:
    from sandbox.sandbox import create_app

__version__ = "0.1.0"

__all__ = ["Settings", "SettingsError", "__version__", "create_app"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: a command such as --help, or the settings alone, need no server.
    if name == "create_app":
        from sandbox.sandbox import create_app

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
