"""The settings of a server: one table for flags, environment variables, config keys and docs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sandbox.clock import MAX_UNIX_TIME
from sandbox.options import ENV_PREFIX, Kind, Option, SettingsError, read_file, resolve_options


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
        "host name that this server answers to (repeatable; *.example.com; loopback and IPs always work, "
        "bare names under /v1)",
    )
    strict_apps: bool = _option(False, "switch", "only app_demo and the apps of the config file exist, others are 404")
    like_production: bool = _option(
        False, "switch", "behave as in production: late titles, unknown apps 404, no CORS, paced streams"
    )
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
    app_ttl: int | None = _option(
        None,
        "integer",
        "seconds after which an app that nobody used is deleted (not declared ones)",
        minimum=1,
        maximum=10**9,
    )
    max_bytes: int = _option(1024**3, "integer", "maximum bytes of all apps together", minimum=1, maximum=2**53)
    data: str | None = _option(None, "file", "file that keeps all apps: loaded at the start, saved at the end")
    save_every: int | None = _option(
        None, "integer", "save into the file of --data every so many seconds as well", minimum=1, maximum=86_400
    )
    store: str | None = _option(
        None, "store", "Redis that keeps all apps: redis://, rediss:// or unix:// (a password rather in the variable)"
    )
    store_prefix: str = _option("dimedove", "prefix", "what the names of all keys in the store begin with")
    store_timeout: int = _option(
        1, "integer", "seconds that the store may take to answer; then 503", minimum=1, maximum=60
    )
    store_connections: int = _option(
        32, "integer", "maximum number of connections to the store", minimum=1, maximum=10_000
    )
    workers: int = _option(1, "integer", "processes that serve; more than one needs --store", minimum=1, maximum=256)
    drain: int = _option(
        0, "integer", "seconds that open responses get to complete when the server stops", minimum=0, maximum=86_400
    )
    header_timeout: int = _option(
        10, "integer", "seconds for the whole head of a request, silence included; then 408", minimum=1, maximum=86_400
    )
    idle_timeout: int = _option(
        75,
        "integer",
        "seconds of silence between two requests or inside a body; then the connection is closed",
        minimum=1,
        maximum=86_400,
    )
    url_file: str | None = _option(None, "file", "file to write the server's URL into, as soon as it listens")
    tls_cert: str | None = _option(None, "file", "file with the TLS certificate (chain): serve https")
    tls_key: str | None = _option(None, "file", "file with the certificate's private key")
    reload: bool = _option(False, "switch", "apply the apps of a changed config file without a restart; state stays")
    exit_on_stdin_close: bool = _option(
        False, "switch", "stop when standard input closes: with a pipe, no server outlives the process that started it"
    )
    metrics: bool = _option(False, "switch", "count for Prometheus: GET /_sandbox/metrics")
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


def secrets_of(settings: Settings) -> Sequence[str]:
    """Return what nothing that is shown or logged may have in it."""
    return [settings.control_token or "", settings.model_key or "", urlsplit(settings.store or "").password or ""]


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
