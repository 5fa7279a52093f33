"""The settings of a server: one table for flags, environment variables, config keys and docs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sandbox.clock import MAX_UNIX_TIME, looks_like_milliseconds
from sandbox.errors import SandboxError
from sandbox.hosts import parse_host_setting, parse_origin_setting
from sandbox.redaction import escape

_MAX_DIGITS = 19
_INTEGER = re.compile(rf"-?[0-9]{{1,{_MAX_DIGITS}}}")
# Far more than any file of settings has; a device such as /dev/zero never ends.
_MAX_BYTES = 16 * 1024 * 1024
# Characters of a wrong value that a message shows.
_MAX_VALUE_LENGTH = 200

ENV_PREFIX = "DIMEDOVE_SANDBOX_"

# Characters of a token.
MAX_SECRET = 1_000

Kind = Literal["text", "integer", "switch", "list", "origins", "hosts", "choice", "file", "folder", "secret"]


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


class ConfigTable(NamedTuple):
    """A scenario or an agent as a file has it, and the place of its table in that file."""

    table: Mapping[str, Any]
    file: Path
    place: tuple[str, ...]


def _option(default: Any, kind: Kind, help: str, **more: Any) -> Any:  # noqa: A002 - the name in the table
    return field(default=default, metadata={"option": Option(help=help, kind=kind, **more)})


# No repr: a token may be in it.
@dataclass(frozen=True, kw_only=True, repr=False)
class Settings:
    """Everything that can be set for a server.

    `apps`, `scenarios` and `agents` are the tables of the config (`[apps.NAME]`), checked when the server is made.
    """

    host: str = _option(
        "127.0.0.1", "text", "address to listen on; :: takes IPv4 too, localhost all its loopback addresses"
    )
    port: int = _option(8010, "integer", "port to listen on; 0 picks a free one", minimum=0, maximum=65_535)
    seed: int = _option(1, "integer", "source of all texts and ids: same seed, same requests, same bytes")
    now: int | None = _option(
        None, "integer", "freeze the time of all apps at this Unix second", minimum=0, maximum=MAX_UNIX_TIME
    )
    titles: str = _option(
        "at_creation", "choice", "when a conversation gets its titles", choices=("at_creation", "after_first_exchange")
    )
    validation_status: str = _option("422", "choice", "status of what breaks the schema", choices=("400", "422"))
    cors_origin: tuple[str, ...] = _option(
        (),
        "origins",
        "browser origin that may call the API (repeatable; https://*.example.com; * for any; loopback always may)",
        choices=("*",),
    )
    allow_host: tuple[str, ...] = _option(
        (),
        "hosts",
        "host name that this server answers to (repeatable; *.example.com; loopback and IPs always work, "
        "bare names under /v1)",
    )
    strict_apps: bool = _option(False, "switch", "only app_demo and the apps of the config file exist, others are 404")
    like_production: bool = _option(False, "switch", "as in production: late titles, unknown apps 404, no CORS, paced")
    control: str = _option(
        "auto",
        "choice",
        "who may use /_sandbox; auto: a token is needed on any address but loopback",
        choices=("auto", "open", "off"),
    )
    control_token: str | None = _option(
        None, "secret", "file with the token that /_sandbox requires (the environment variable holds the token itself)"
    )
    control_origin: tuple[str, ...] = _option(
        (), "origins", "origin whose pages may call /_sandbox (repeatable; https://*.example.com)"
    )
    webhook_allow: tuple[str, ...] = _option(
        (), "hosts", "host that webhooks may be sent to (repeatable; *.example.com; loopback always may)"
    )
    model: str | None = _option(None, "text", "name of the model that writes the texts of replies and completions")
    model_url: str | None = _option(None, "text", "base URL of the model's OpenAI-compatible endpoint (…/v1)")
    model_key: str | None = _option(None, "secret", "file with the endpoint's key (the variable holds the key itself)")
    model_allow: tuple[str, ...] = _option((), "hosts", "host of the endpoint (repeatable; loopback always may)")
    model_timeout: int = _option(60, "integer", "seconds without a word of the model", minimum=1, maximum=86_400)
    model_cassette: str | None = _option(None, "file", "file that keeps and replays what the model wrote")
    model_replay_only: bool = _option(False, "switch", "ask no model: a reply that isn't in the cassette fails")
    max_apps: int = _option(10_000, "integer", "maximum number of apps", minimum=1, maximum=10_000_000)
    max_bytes: int = _option(1024**3, "integer", "maximum bytes of all apps together", minimum=1, maximum=2**53)
    data: str | None = _option(None, "file", "file that keeps all apps: loaded at the start, saved at the end")
    save_every: int | None = _option(None, "integer", "seconds between saves into --data", minimum=1, maximum=86_400)
    header_timeout: int = _option(
        10, "integer", "seconds for the whole head of a request, silence included; then 408", minimum=1, maximum=86_400
    )
    idle_timeout: int = _option(
        75, "integer", "seconds of silence after which a connection is closed", minimum=1, maximum=86_400
    )
    url_file: str | None = _option(None, "file", "file to write the server's URL into, as soon as it listens")
    tls_cert: str | None = _option(None, "file", "file with the TLS certificate (chain): serve https")
    tls_key: str | None = _option(None, "file", "file with the certificate's private key")
    reload: bool = _option(False, "switch", "apply the apps of a changed config file without a restart; state stays")
    exit_on_stdin_close: bool = _option(
        False, "switch", "stop when standard input closes: with a pipe, no server outlives the process that started it"
    )
    log_format: str = _option("text", "choice", "form of the request log", choices=("text", "json"))
    quiet: bool = _option(False, "switch", "print only the URL of the server: no hints, no line per request")
    scenario_dir: str | None = _option(
        None, "folder", "folder of scenarios, one in each .toml file, beside those of the config file"
    )
    apps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scenarios: Mapping[str, ConfigTable] = field(default_factory=dict)
    agents: Mapping[str, ConfigTable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check origins and host names, which Python code may set without the checks of a command line.

        Raises:
            SettingsError: an origin or a host name is not valid.
        """
        for name, option in options().items():
            if option.kind in ("origins", "hosts"):
                option.parse(getattr(self, name), name)


def options() -> Mapping[str, Option]:
    """Return the table of settings by name."""
    return {f.name: f.metadata["option"] for f in fields(Settings) if "option" in f.metadata}


def default_of(name: str) -> Any:
    """Return the default of a setting."""
    found: Field[Any] = next(f for f in fields(Settings) if f.name == name)
    return None if found.default is MISSING else found.default


def load_settings(flags: Mapping[str, Any], environ: Mapping[str, str], config: Path | None) -> Settings:
    """Load settings: a flag counts first, then the environment, then the config file.

    Raises:
        SettingsError: a value is wrong, a name unknown or the file unreadable.
    """
    table = options()
    from_file = read_file(config, (*table, "apps", "scenarios", "agents")) if config else {}
    variables = {name: ENV_PREFIX + name.upper() for name in table}
    values = resolve_options(table, variables, flags, environ, from_file, config)
    agents, scenarios = (
        {
            name: ConfigTable(each, config or Path(), (kind, name))
            for name, each in _tables(from_file, kind, config).items()
        }
        for kind in ("agents", "scenarios")
    )
    for name, found in _scenario_files(values.get("scenario_dir")).items():
        if name in scenarios:
            raise SettingsError(f"{found.file}: there is a scenario {name} in {config} too")
        scenarios[name] = found
    return Settings(**values, apps=_tables(from_file, "apps", config), scenarios=scenarios, agents=agents)


def _tables(values: Mapping[str, Any], name: str, file: Path | None) -> Mapping[str, Mapping[str, Any]]:
    tables = values.get(name, {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise SettingsError(f"{file}: {name}: expected tables such as [{name}.app_support]")
    return tables


def _scenario_files(folder: str | None) -> dict[str, ConfigTable]:
    """Read the files of a folder of scenarios, each under its name without the ending."""
    return {path.stem: ConfigTable(read_file(path), path, ()) for path in scenario_files(folder)}


def scenario_files(folder: str | None) -> list[Path]:
    """Return the files of a folder of scenarios, in order; none without a folder."""
    return sorted(Path(folder).glob("*.toml")) if folder else []


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
}
