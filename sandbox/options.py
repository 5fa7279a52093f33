"""Options: how a setting is written as a flag, a variable or a key of a file, and how its value is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sandbox.clock import MAX_UNIX_TIME, looks_like_milliseconds
from sandbox.errors import SandboxError
from sandbox.hosts import parse_host_setting, parse_origin_setting
from sandbox.redaction import escape

_MAX_DIGITS = 19
_INTEGER = re.compile(rf"-?[0-9]{{1,{_MAX_DIGITS}}}")
_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Far more than any file of settings has; a device such as /dev/zero never ends.
_MAX_BYTES = 16 * 1024 * 1024
# Characters of a wrong value that a message shows.
_MAX_VALUE_LENGTH = 200

ENV_PREFIX = "DIMEDOVE_SANDBOX_"

# Characters of a token.
MAX_SECRET = 1_000

Kind = Literal[
    "text", "integer", "switch", "list", "origins", "hosts", "choice", "file", "folder", "secret", "store", "prefix"
]


class SettingsError(SandboxError):
    """A setting has a wrong value; the text names where it came from."""


class Option(NamedTuple):
    """How to write one setting."""

    help: str
    kind: Kind
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None

    def parse(self, value: Any, where: str) -> Any:
        """Parse a value from a flag, the environment or a file.

        Raises:
            SettingsError: it is not valid.
        """
        return _PARSERS[self.kind](self, value, where)


def flag(name: str) -> str:
    """Return the command-line flag of a setting."""
    return "--" + name.replace("_", "-")


def resolve_options(
    table: Mapping[str, Option],
    variables: Mapping[str, str],
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    from_file: Mapping[str, Any],
    file: Path | None,
) -> dict[str, Any]:
    """Resolve the options of a table: a flag counts first, then the environment variable, then the file.

    Raises:
        SettingsError: a value is wrong.
    """
    values: dict[str, Any] = {}
    for name, option in table.items():
        variable = variables.get(name, "")
        if flags.get(name) is not None:
            values[name] = option.parse(flags[name], flag(name))
        elif environ.get(variable):
            values[name] = option.parse(environ[variable], variable)
        elif name in from_file:
            values[name] = option.parse(from_file[name], f"{file}: {name}")
    return values


def read_file(path: Path, known: Sequence[str] | None = None) -> dict[str, Any]:
    """Read a TOML file that may set these names (None: any); each may be written as its flag: cors-origin, cors_origin.

    Raises:
        SettingsError: the file can't be read, or sets another name.
    """
    import tomllib  # late: most servers have no such file

    text = _text_of(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None
    except RecursionError:
        raise SettingsError(f"{path}: can't be read: nested too deeply") from None
    except ValueError:  # Python reads no decimal number of more than 4,300 digits
        raise SettingsError(f"{path}: can't be read: a number has too many digits") from None
    values = {name.replace("-", "_"): value for name, value in values.items()}
    for name in values:
        if known is not None and name not in known:
            raise SettingsError(f"{path}: {escape(name)}: there is no such setting; known are {', '.join(known)}")
    return values


def _text_of(path: Path) -> str:
    """Return a file's text, without the byte order mark that some editors write."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise SettingsError(f"{path}: can't be read: larger than {_MAX_BYTES:,} bytes")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: can't be read: {getattr(error, 'strerror', None) or error}") from None


def _parse_text(option: Option, value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong(where, "text", value)
    if not value:
        raise _wrong(where, "text that isn't empty", value)
    if "\0" in value:
        raise _wrong(where, "text without the character NUL", value)
    return value


def _parse_folder(option: Option, value: Any, where: str) -> str:
    path = _parse_text(option, value, where)
    if not Path(path).is_dir():
        raise _wrong(where, "a folder", path)
    return path


def _parse_store(option: Option, value: Any, where: str) -> str:
    # Never shown: there may be a password in it.
    if not isinstance(value, str) or not value.startswith(("redis://", "rediss://", "unix://")):
        raise SettingsError(f"{where}: expected a URL of redis://, rediss:// or unix://, got another text")
    return value


def _parse_prefix(option: Option, value: Any, where: str) -> str:
    if not isinstance(value, str) or not _PREFIX.fullmatch(value):
        raise _wrong(where, "1 to 64 letters, digits and ._-", value)
    return value


def _parse_integer(option: Option, value: Any, where: str) -> int:
    if (isinstance(value, str) and _INTEGER.fullmatch(value.strip())) or (
        isinstance(value, float) and value.is_integer()
    ):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(where, "a whole number", value)
    if (option.minimum is not None and value < option.minimum) or (
        option.maximum is not None and value > option.maximum
    ):
        raise _wrong(where, f"a whole number from {option.minimum} to {option.maximum}", value, _hint(option, value))
    if abs(value) >= 10**_MAX_DIGITS:
        raise _wrong(where, f"a whole number of at most {_MAX_DIGITS} digits", value)
    return value


def _hint(option: Option, value: int) -> str:
    """Explain a number that is no time."""
    if option.maximum != MAX_UNIX_TIME:
        return ""
    milliseconds = "; that looks like milliseconds" if looks_like_milliseconds(value) else ""
    return f" (Unix seconds, up to the end of the year 9999{milliseconds})"


def _parse_switch(option: Option, value: Any, where: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    if not isinstance(value, bool):
        raise _wrong(where, "true or false", value)
    return value


def _parse_list(option: Option, value: Any, where: str) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, Sequence) or not all(isinstance(part, str) for part in value):
        raise _wrong(where, "a list of texts", value)
    return tuple(value)


def _parse_origins(option: Option, value: Any, where: str) -> tuple[str, ...]:
    return _parse_each(option, value, where, parse_origin_setting)


def _parse_hosts(option: Option, value: Any, where: str) -> tuple[str, ...]:
    return _parse_each(option, value, where, parse_host_setting)


def _parse_each(option: Option, value: Any, where: str, parse: Callable[[str], object]) -> tuple[str, ...]:
    texts = _parse_list(option, value, where)
    for text in texts:
        try:
            text in option.choices or parse(text)
        except ValueError as error:
            raise _wrong(where, ", or ".join([str(error), *option.choices]), text) from None
    return texts


def _parse_choice(option: Option, value: Any, where: str) -> str:
    if str(value) not in option.choices:
        raise _wrong(where, " or ".join(option.choices), value)
    return str(value)


def _parse_secret(option: Option, value: Any, where: str) -> str:
    if where.startswith(ENV_PREFIX):
        return _parse_text(option, value, where)
    path = Path(_parse_text(option, value, where))
    try:
        secret = _text_of(path).strip()
    except SettingsError:
        raise SettingsError(f"{where}: expected a readable file with the token, got {str(path)!r}") from None
    if not secret:
        raise SettingsError(f"{where}: the file {str(path)!r} is empty, expected the token")
    if len(secret) > MAX_SECRET:
        raise SettingsError(f"{where}: expected a token of at most {MAX_SECRET:,} characters, got {len(secret):,}")
    return secret


def _wrong(where: str, expected: str, value: Any, hint: str = "") -> SettingsError:
    return SettingsError(f"{where}: expected {expected}, got {_format(value)}{hint}")


def _format(value: Any) -> str:
    """Return a value as Python writes it; a file may hold what it can't write."""
    try:
        text = repr(value)
    except RecursionError:
        return "tables that are nested too deeply"
    except ValueError:
        return "a number with too many digits"
    return text if len(text) <= _MAX_VALUE_LENGTH else text[: _MAX_VALUE_LENGTH - 1] + "…"


_PARSERS: Mapping[Kind, Callable[[Option, Any, str], Any]] = {
    "text": _parse_text,
    "file": _parse_text,
    "folder": _parse_folder,
    "integer": _parse_integer,
    "switch": _parse_switch,
    "list": _parse_list,
    "origins": _parse_origins,
    "hosts": _parse_hosts,
    "choice": _parse_choice,
    "secret": _parse_secret,
    "store": _parse_store,
    "prefix": _parse_prefix,
}
