"""The settings of a server: one table, from which flags, environment variables, config keys and docs are all made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sandbox.clock import MAX_UNIX_TIME, looks_like_milliseconds
from sandbox.errors import SandboxError
from sandbox.origins import parse_host_setting, parse_origin_setting
from sandbox.redaction import escape

_MOST_DIGITS = 19
_INTEGER = re.compile(rf"-?[0-9]{{1,{_MOST_DIGITS}}}")
# Far more than any file of settings has: a device has no end.
_MOST_BYTES = 16 * 1024 * 1024
# Characters of a wrong value that a message shows.
_MOST_SHOWN = 200

ENV_PREFIX = "DIMEDOVE_SANDBOX_"

Kind = Literal["text", "integer", "switch", "list", "origins", "hosts", "choice", "secret"]


class SettingsError(SandboxError):
    """A setting has a value that it can't have; the text names where it came from."""


class Option(NamedTuple):
    """How one setting is written by a person."""

    help: str
    kind: Kind
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None

    def read(self, value: Any, where: str) -> Any:
        """Turn what came from a flag, the environment or a file into the setting's value.

        Raises:
            SettingsError: it can't be one.
        """
        return _READERS[self.kind](self, value, where)


def _option(default: Any, kind: Kind, help: str, **more: Any) -> Any:  # noqa: A002 - the name in the table
    return field(default=default, metadata={"option": Option(help=help, kind=kind, **more)})


# No repr: a token may be in it.
@dataclass(frozen=True, kw_only=True, repr=False)
class Settings:
    """Everything that can be set for a server.

    `apps` are the apps of the config file with their settings (`[apps.NAME]`), checked when the server is made.
    """

    host: str = _option(
        "127.0.0.1", "text", "address to listen on; :: takes IPv4 too, localhost all its loopback addresses"
    )
    port: int = _option(8010, "integer", "port to listen on; 0 picks a free one", least=0, most=65_535)
    seed: int = _option(1, "integer", "where all texts and ids come from: same seed, same requests, same bytes")
    now: int | None = _option(
        None, "integer", "freeze the time of all apps at this Unix second", least=0, most=MAX_UNIX_TIME
    )
    titles: str = _option(
        "at_creation",
        "choice",
        "when a conversation gets its generated titles",
        choices=("at_creation", "after_first_exchange"),
    )
    validation_status: str = _option(
        "422", "choice", "status of a request that breaks the schema", choices=("400", "422")
    )
    cors_origin: tuple[str, ...] = _option(
        (),
        "origins",
        "browser origin that may call the API (repeatable; https://*.example.com; * for any; loopback always may)",
        choices=("*",),
    )
    allow_host: tuple[str, ...] = _option(
        (),
        "hosts",
        "host name that this server answers to (repeatable; *.example.com; loopback, IPs and bare names always work)",
    )
    strict_apps: bool = _option(False, "switch", "only app_demo and the apps of the config file exist, others are 404")
    like_production: bool = _option(
        False, "switch", "behave as the real API will: late titles, unknown apps 404, no CORS, paced streams"
    )
    control: str = _option(
        "auto", "choice", "who may use /_sandbox: auto asks for a token off loopback", choices=("auto", "open", "off")
    )
    control_token: str | None = _option(
        None, "secret", "file with the token that /_sandbox asks for (the environment variable holds the token itself)"
    )
    control_origin: tuple[str, ...] = _option(
        (), "origins", "origin whose pages may call /_sandbox (repeatable; https://*.example.com)"
    )
    webhook_allow: tuple[str, ...] = _option(
        (), "hosts", "host off loopback that webhooks may be sent to (repeatable; *.example.com; loopback always may)"
    )
    max_apps: int = _option(10_000, "integer", "how many apps are kept at most", least=1, most=10_000_000)
    max_bytes: int = _option(1024**3, "integer", "how many bytes of state are kept at most", least=1, most=2**53)
    data: str | None = _option(None, "text", "file that keeps all apps: loaded at the start, saved at the stop")
    save_every: int | None = _option(
        None, "integer", "save into the file of --data every so many seconds as well", least=1, most=86_400
    )
    header_timeout: int = _option(
        10, "integer", "seconds for the whole head of a request, silence included; then 408", least=1, most=86_400
    )
    idle_timeout: int = _option(
        75, "integer", "seconds of silence between two requests or inside a body; then closed", least=1, most=86_400
    )
    url_file: str | None = _option(None, "text", "file to write the server's URL into, as soon as it listens")
    tls_cert: str | None = _option(None, "text", "file with the TLS certificate (chain): serve https")
    tls_key: str | None = _option(None, "text", "file with the certificate's private key")
    reload: bool = _option(False, "switch", "take apps of a changed config file without a restart; state stays")
    exit_on_stdin_close: bool = _option(
        False, "switch", "end when standard input does: give it a pipe, and the server never outlives who started it"
    )
    log_format: str = _option("text", "choice", "form of the request log", choices=("text", "json"))
    quiet: bool = _option(False, "switch", "only say where the server is: no hints, no line a request")
    apps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse doors that would never open; whoever sets them in Python has no reader that does.

        Raises:
            SettingsError: an origin or a host name is none.
        """
        for name, option in options().items():
            if option.kind in ("origins", "hosts"):
                option.read(getattr(self, name), name)


def options() -> Mapping[str, Option]:
    """Return the table: how each setting is written, by name."""
    return {f.name: f.metadata["option"] for f in fields(Settings) if "option" in f.metadata}


def default_of(name: str) -> Any:
    """Return the default of a setting."""
    found: Field[Any] = next(f for f in fields(Settings) if f.name == name)
    return None if found.default is MISSING else found.default


def load_settings(flags: Mapping[str, Any], environ: Mapping[str, str], config: Path | None) -> Settings:
    """Make settings from flags, then the environment, then a config file: the first that says something counts.

    Raises:
        SettingsError: a value is wrong, a name unknown or the file unreadable.
    """
    table = options()
    from_file = read_file(config, (*table, "apps")) if config else {}
    variables = {name: ENV_PREFIX + name.upper() for name in table}
    values = resolve_options(table, variables, flags, environ, from_file, config)
    apps = from_file.get("apps", {})
    if not isinstance(apps, dict) or not all(isinstance(app, dict) for app in apps.values()):
        raise SettingsError(f"{config}: apps: expected tables such as [apps.app_support]")
    return Settings(**values, apps=apps)


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
    """Return the options of a table that are set: by a flag, else by their environment variable, else by the file.

    Raises:
        SettingsError: a value is wrong.
    """
    values: dict[str, Any] = {}
    for name, option in table.items():
        variable = variables.get(name, "")
        if flags.get(name) is not None:
            values[name] = option.read(flags[name], flag(name))
        elif environ.get(variable):
            values[name] = option.read(environ[variable], variable)
        elif name in from_file:
            values[name] = option.read(from_file[name], f"{file}: {name}")
    return values


def read_file(path: Path, known: Sequence[str]) -> dict[str, Any]:
    """Read a TOML file that may set these names; each may be written as its flag is: cors-origin or cors_origin.

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
        if name not in known:
            raise SettingsError(f"{path}: {escape(name)}: there is no such setting; known are {', '.join(known)}")
    return values


def _text_of(path: Path) -> str:
    """Return a file's text, without the byte order mark that some editors write."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise SettingsError(f"{path}: can't be read: larger than {_MOST_BYTES:,} bytes")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: can't be read: {getattr(error, 'strerror', None) or error}") from None


def _read_text(option: Option, value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong(where, "text", value)
    if not value:
        raise _wrong(where, "text that isn't empty", value)
    if "\0" in value:
        raise _wrong(where, "text without the character NUL", value)
    return value


def _read_integer(option: Option, value: Any, where: str) -> int:
    if (isinstance(value, str) and _INTEGER.fullmatch(value.strip())) or (
        isinstance(value, float) and value.is_integer()
    ):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(where, "a whole number", value)
    if (option.least is not None and value < option.least) or (option.most is not None and value > option.most):
        raise _wrong(where, f"a whole number from {option.least} to {option.most}", value, _hint(option, value))
    if abs(value) >= 10**_MOST_DIGITS:
        raise _wrong(where, f"a whole number of at most {_MOST_DIGITS} digits", value)
    return value


def _hint(option: Option, value: int) -> str:
    """Say more of a number that is no time."""
    if option.most != MAX_UNIX_TIME:
        return ""
    milliseconds = "; that looks like milliseconds" if looks_like_milliseconds(value) else ""
    return f" (Unix seconds, up to the end of the year 9999{milliseconds})"


def _read_switch(option: Option, value: Any, where: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    if not isinstance(value, bool):
        raise _wrong(where, "true or false", value)
    return value


def _read_list(option: Option, value: Any, where: str) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, Sequence) or not all(isinstance(part, str) for part in value):
        raise _wrong(where, "a list of texts", value)
    return tuple(value)


def _read_origins(option: Option, value: Any, where: str) -> tuple[str, ...]:
    return _read_each(option, value, where, parse_origin_setting)


def _read_hosts(option: Option, value: Any, where: str) -> tuple[str, ...]:
    return _read_each(option, value, where, parse_host_setting)


def _read_each(option: Option, value: Any, where: str, read: Callable[[str], object]) -> tuple[str, ...]:
    texts = _read_list(option, value, where)
    for text in texts:
        try:
            text in option.choices or read(text)
        except ValueError as error:
            raise _wrong(where, ", or ".join([str(error), *option.choices]), text) from None
    return texts


def _read_choice(option: Option, value: Any, where: str) -> str:
    if str(value) not in option.choices:
        raise _wrong(where, " or ".join(option.choices), value)
    return str(value)


def _read_secret(option: Option, value: Any, where: str) -> str:
    if where.startswith(ENV_PREFIX):
        return _read_text(option, value, where)
    path = Path(_read_text(option, value, where))
    try:
        secret = _text_of(path).strip()
    except SettingsError:
        raise SettingsError(f"{where}: expected a readable file with the token, got {str(path)!r}") from None
    if not secret:
        raise SettingsError(f"{where}: the file {str(path)!r} is empty, expected the token")
    return secret


def _wrong(where: str, expected: str, value: Any, hint: str = "") -> SettingsError:
    return SettingsError(f"{where}: expected {expected}, got {_shown(value)}{hint}")


def _shown(value: Any) -> str:
    """Return a value as Python writes it; a file may hold what it can't write."""
    try:
        text = repr(value)
    except RecursionError:
        return "tables that are nested too deeply"
    except ValueError:
        return "a number with too many digits"
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"


_READERS: Mapping[Kind, Callable[[Option, Any, str], Any]] = {
    "text": _read_text,
    "integer": _read_integer,
    "switch": _read_switch,
    "list": _read_list,
    "origins": _read_origins,
    "hosts": _read_hosts,
    "choice": _read_choice,
    "secret": _read_secret,
}
