"""The one table of settings: each a flag, an environment variable and a key of the file, each with a good refusal."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox import Settings, SettingsError, create_app
from sandbox.app_config import load_declared_apps
from sandbox.cli import main, serve
from sandbox.contract import load
from sandbox.contract.document import control_folder
from sandbox.options import ENV_PREFIX, flag
from sandbox.settings import default_of, load_settings, options

OPTIONS = options()


def good(name: str, folder: Path) -> tuple[Any, Any]:
    """Return a value of a setting that isn't its default: as a person writes it, and as the server has it."""
    option = OPTIONS[name]
    if option.kind == "integer":
        value = min(4_711, option.maximum or 4_711)
        return value, value
    if option.kind == "switch":
        return True, True
    if option.kind == "hosts":
        return ["one.example", "*.two.example"], ("one.example", "*.two.example")
    if option.kind == "origins":
        return ["https://one.example", "https://*.two.example"], ("https://one.example", "https://*.two.example")
    if option.kind == "choice":
        other = next(choice for choice in option.choices if choice != default_of(name))
        return other, other
    if option.kind == "secret":
        (folder / "token").write_text("the token\n")
        return str(folder / "token"), "the token"
    if option.kind == "store":
        return "redis://localhost:6379/1", "redis://localhost:6379/1"
    if option.kind == "prefix":
        return "team-a", "team-a"
    if option.kind == "folder":
        return str(folder), str(folder)
    return "some text", "some text"


def flags(name: str, value: Any) -> list[str]:
    """Return a setting as it stands on a command line."""
    if isinstance(value, bool):
        return [flag(name) if value else flag(name).replace("--", "--no-", 1)]
    return [word for one in (value if isinstance(value, list) else [value]) for word in (flag(name), str(one))]


def parsed(*words: str) -> dict[str, Any]:
    """Return what the command line says."""
    parser = argparse.ArgumentParser()
    serve.add_parser(parser.add_subparsers())
    return vars(parser.parse_args(["serve", *words]))


def written(folder: Path, text: str) -> Path:
    path = folder / "sandbox.toml"
    path.write_text(text, encoding="utf-8")
    return path


def in_environment(name: str, value: Any) -> dict[str, str]:
    """Return a setting as it stands in the environment; a secret stands there itself."""
    if OPTIONS[name].kind == "secret":
        value = Path(value).read_text().strip()
    return {ENV_PREFIX + name.upper(): ",".join(value) if isinstance(value, list) else str(value)}


# Each row: a way to write a setting, and the settings with it.
Load = Callable[[str, Any, Path], Settings]
WAYS: dict[str, Load] = {
    "flag": lambda name, value, _: load_settings(parsed(*flags(name, value)), {}, None),
    "variable": lambda name, value, _: load_settings(parsed(), in_environment(name, value), None),
    "key": lambda name, value, folder: load_settings(parsed(), {}, written(folder, f"{name} = {json.dumps(value)}")),
    "key spelled as its flag": lambda name, value, folder: load_settings(
        parsed(), {}, written(folder, f"{name.replace('_', '-')} = {json.dumps(value)}")
    ),
}


@pytest.mark.parametrize("load_one", WAYS.values(), ids=WAYS)
def test_a_setting_is_a_flag_a_variable_and_a_key(load_one: Load, tmp_path: Path) -> None:
    for name in OPTIONS:
        value, expected = good(name, tmp_path)
        assert getattr(load_one(name, value, tmp_path), name) == expected, name


def test_a_whole_number_of_the_file_may_have_a_point(tmp_path: Path) -> None:
    settings = load_settings(parsed(), {}, written(tmp_path, "port = 8011.0\nseed = 7.0\nnow = 1.8e9"))
    assert repr((settings.port, settings.seed, settings.now)) == "(8011, 7, 1800000000)"


def test_without_a_value_the_default_counts(tmp_path: Path) -> None:
    defaults = {name: default_of(name) for name in OPTIONS}
    empty = {ENV_PREFIX + name.upper(): "" for name in OPTIONS}
    loaded = [load_settings(parsed(), {}, written(tmp_path, "")), load_settings(parsed(), empty, None), Settings()]
    assert [{name: getattr(settings, name) for name in OPTIONS} for settings in loaded] == [defaults] * 3


def test_the_flag_comes_first_then_the_environment_then_the_file(tmp_path: Path) -> None:
    config = written(tmp_path, "seed = 3\nport = 3\nnow = 3")
    environ = {ENV_PREFIX + "SEED": "2", ENV_PREFIX + "PORT": "2"}
    settings = load_settings(parsed("--seed", "1"), environ, config)
    assert (settings.seed, settings.port, settings.now) == (1, 2, 3)


@pytest.mark.parametrize("name", [name for name, option in OPTIONS.items() if option.kind == "switch"])
def test_a_switch_can_be_switched_off_again(name: str, tmp_path: Path) -> None:
    config = written(tmp_path, f"{name} = true")
    assert getattr(load_settings(parsed(*flags(name, False)), {}, config), name) is False
    assert getattr(load_settings(parsed(), in_environment(name, False), config), name) is False


@pytest.mark.parametrize("word", ["1", "true", "TRUE", "yes", "on"])
def test_a_variable_says_yes_in_several_words(word: str) -> None:
    assert load_settings({}, {ENV_PREFIX + "QUIET": word}, None).quiet is True


def test_help_mentions_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--help"], {})
    text = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert [name for name in OPTIONS if flag(name) not in text] == []
    assert [name for name, option in OPTIONS.items() if " ".join(option.help.split())[:20] not in text] == []


# What can't be

BAD: dict[str, list[Any]] = {
    "text": [""],
    "file": [""],
    "folder": ["", "/nowhere"],
    "prefix": ["", "a b", "x" * 65, "{a}"],
    "integer": ["x", "5.5", "1e3", "0x10", "--5", "5 5", " ", "\u00bd"],
    "choice": ["nonsense", "AUTO", " "],
    "secret": ["/nowhere/token"],
    "origins": [
        *("https://app.example.com/app", "https://app.example.com?x", "https://*", "https://*:8443", "https://a.*.com"),
        *(
            "https://*app.example.com",
            "https://*.*.com",
            "app.example.com",
            "https://",
            "https:// a.com",
            "https://a b",
        ),
        *("null", "https://a.com:99999", "https://u@a.com", "https://[::1", "https://[abc]", "*.example.com"),
    ],
    "hosts": ["https://a.com", "a.com/x", "*", "*.", "a.*.com", "*a.com", "*.10.0.0.1/8", "a b", "a..com", "[::1"],
}
BAD_IN_A_FILE: dict[str, list[Any]] = {
    "integer": [1.5, True, [1], "x", "--5"],
    "text": [5, True, ["a"], ""],
    "file": [5, True, ["a"], ""],
    "folder": [5, True, ["a"], "", "/nowhere"],
    "prefix": [5, True, ["a"], ""],
    "switch": [2, "perhaps", []],
    "origins": [5, [5], [["a"]], True, [""], ["https://*"]],
    "hosts": [5, [5], [["a"]], True, [""], ["*"]],
    "choice": ["nonsense", True, []],
    "secret": [5, "/nowhere/token"],
}


def refusal(*argv: str, **environ: str) -> str:
    """Return the one line about settings that can't be: `serve` prints it and exits with 2."""
    words = parsed(*argv)
    with pytest.raises(SettingsError) as refused:
        create_app(load_settings(words, environ, Path(words["config"]) if words["config"] else None))
    line = str(refused.value)
    assert line.isprintable()
    return line


@pytest.mark.parametrize("name", OPTIONS)
def test_a_bad_flag_is_named_with_what_was_expected(name: str) -> None:
    lines = {bad: refusal(f"{flag(name)}={bad}") for bad in BAD.get(OPTIONS[name].kind, [])}
    assert {bad: line for bad, line in lines.items() if not is_named(line, flag(name), bad)} == {}


@pytest.mark.parametrize("url", ["", "localhost:6379", "http://:secret@localhost"])
def test_a_store_that_is_none_is_refused_without_its_password(url: str) -> None:
    expected = "--store: expected a URL of redis://, rediss:// or unix://, got another text"
    assert refusal(f"--store={url}") == expected


@pytest.mark.parametrize(
    "name",
    [name for name, option in OPTIONS.items() if option.kind not in {"secret", "text", "file", "folder", "prefix"}],
)
def test_a_bad_variable_is_named_with_what_was_expected(name: str) -> None:
    variable = ENV_PREFIX + name.upper()
    lines = {bad: refusal(**{variable: bad}) for bad in BAD.get(OPTIONS[name].kind, [])}
    assert {bad: line for bad, line in lines.items() if not is_named(line, variable, bad)} == {}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_bad_key_is_named_with_its_file(tmp_path: Path, name: str) -> None:
    for bad in BAD_IN_A_FILE.get(OPTIONS[name].kind, []):
        config = written(tmp_path, f"{name} = {json.dumps(bad)}")
        assert f"{config}: {name}: expected " in refusal("--config", str(config)), bad


def is_named(line: str, where: str, bad: str) -> bool:
    return f"{where}: expected " in line and repr(bad) in line


BOUNDED = {name: option for name, option in OPTIONS.items() if option.maximum is not None}


def test_a_number_has_bounds() -> None:
    for name, option in BOUNDED.items():
        assert option.minimum is not None
        for bad in (option.minimum - 1, (option.maximum or 0) + 1, -(10**17), 10**17):
            assert f"from {option.minimum} to {option.maximum}, got {bad}" in refusal(f"{flag(name)}={bad}")
        assert getattr(load_settings({name: str(option.maximum)}, {}, None), name) == option.maximum


ARGUMENTS = "[[apps.a.tools]]\nname = 'lookup'\nkind = 'mapping'\narguments = {{x = {}}}"

# Each row: a file that can't be taken, and what the refusal names.
BAD_FILES = {
    "no TOML": ("port = ", "not valid TOML"),
    "unknown key": ("prot = 8010", "prot"),
    "unknown table": ("[app.x]\nstatus = 'live'", "app"),
    "apps is no table": ("apps = 5", "apps"),
    "an app is no table": ("[apps]\nx = 5", "apps"),
    "unknown setting of an app": ("[apps.app_support]\nstatsu = 'live'", "apps.app_support: statsu"),
    "bad setting of an app": ("[apps.app_support]\nstatus = 'on'", "apps.app_support: status: expected "),
    "two bad settings": ("[apps.a]\nstatus = 'on'\nstream = 5", "stream: expected boolean"),
    "a date": ("[apps.a]\nstatus = 2026-08-06", "apps.a: status: expected "),
    "not a number": ("[apps.a.pace]\nfirst_ms = nan", "apps.a: pace.first_ms: expected "),
    "a number of 5,000 digits": ("seed = " + "1" * 5_000, "too many digits"),
    "a seed of 5,000 digits": ("seed = 0x" + "f" * 5_000, "at most 19 digits, got a number with too many digits"),
    "arrays in arrays": ("seed = " + "[" * 5_000 + "]" * 5_000, "nested too deeply"),
    "tables in tables": ("seed" + ".a" * 5_000 + " = 1", "seed: expected a whole number, got tables"),
    "not a number at all": ("seed = nan", "seed: expected a whole number, got nan"),
    "arguments that are no number": (
        ARGUMENTS.format("nan"),
        "apps.a: tools[0].arguments.x: expected a number, got nan",
    ),
    "endless arguments": (ARGUMENTS.format("[inf]"), "apps.a: tools[0].arguments.x[0]: expected a number, got inf"),
    "large arguments": (
        ARGUMENTS.format("0x" + "f" * 5_000),
        "apps.a: tools[0].arguments.x: expected a number of at most",
    ),
    "deep arguments": (ARGUMENTS.format("[" * 300 + "]" * 300), "expected at most 100 levels"),
    "a number beyond 64 bits": ("[apps.a.rate_limit]\nper_minute = 99999999999999999999", "per_minute"),
    "a magic app": ("[apps.app_missing]\nstatus = 'live'", "apps.app_missing"),
    "an app id that can't exist": ("[apps.'no app']\nstatus = 'live'", "no app"),
    "an app id with a line feed": ('[apps."a\\nb"]\nstatus = "on"', "a"),
    "a key with a line feed": ('"a\\nb" = 1', "a"),
    "a tool with a line feed": ('[[apps.a.tools]]\nname = "a\\n"\nkind = "client"', "apps.a: tools[0].name: expected "),
    "a bad key": ("[apps.a]\nkeys = ['pk_test_a']", "apps.a: keys[0]: expected "),
    "a bad colour": ("[apps.a.agent]\nprimary_color = 'red'", "apps.a: agent.primary_color: expected "),
}


@pytest.mark.parametrize(("text", "named"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_cannot_be_taken_is_one_line(tmp_path: Path, text: str, named: str) -> None:
    assert named in refusal("--config", str(written(tmp_path, text)))


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"port = 0\x00"], ids=["missing", "not UTF-8", "with a NUL"])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    config = tmp_path / "sandbox.toml"
    if content is not None:
        config.write_bytes(content)
    assert str(config) in refusal("--config", str(config))


def test_a_file_without_end_is_one_line() -> None:
    assert "larger than" in refusal("--config", "/dev/zero")


def test_a_byte_order_mark_says_nothing(tmp_path: Path) -> None:
    """Some editors of Windows write one."""
    (tmp_path / "token").write_bytes(b"\xef\xbb\xbfthe token\r\n")
    config = written(tmp_path, f"\ufeffseed = 7\ncontrol-token = '{tmp_path / 'token'}'")
    settings = load_settings(parsed(), {}, config)
    assert (settings.seed, settings.control_token) == (7, "the token")


@pytest.mark.parametrize("source", ["--now", ENV_PREFIX + "NOW", "file"])
def test_a_time_in_milliseconds_is_named_as_such(source: str, tmp_path: Path) -> None:
    words = {"file": ["--config", str(written(tmp_path, "now = 1790000000000"))], "--now": ["--now", "1790000000000"]}
    line = refusal(*words.get(source, []), **({source: "1790000000000"} if source.isupper() else {}))
    assert "253402300799" in line
    assert "the end of the year 9999; that looks like milliseconds" in line
    assert "milliseconds" not in refusal("--now", "1790000000000000")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert str(tmp_path) in refusal("--config", str(tmp_path))


# In Python


@pytest.mark.parametrize("settings", [{"keys": None}, {"rate_limit": None}, {}])
def test_what_an_app_may_leave_unset_may_be_null(settings: dict[str, Any]) -> None:
    assert create_app(Settings(apps={"app_x": settings}))


@pytest.mark.parametrize(
    ("apps", "named"),
    [
        ({"app_x": {"status": "on"}}, "apps.app_x: status: expected "),
        ({"app_error": {}}, "apps.app_error"),
        ({"app_x": {"rate_limit": {"per_minute": -1}}}, "apps.app_x: rate_limit.per_minute: expected "),
    ],
)
def test_a_server_is_not_made_of_settings_that_cannot_be(apps: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        create_app(Settings(apps=apps))
    assert named in str(refusal.value)


def test_nor_of_a_time_past_all_dates() -> None:
    with pytest.raises(SettingsError, match="that looks like milliseconds"):
        create_app(Settings(now=1_790_000_000_000))


def test_a_date_of_a_file_is_a_text(tmp_path: Path) -> None:
    settings = load_settings({}, {}, written(tmp_path, ARGUMENTS.format("2026-08-06")))
    declared, _ = load_declared_apps(settings, lambda: load(control_folder()))
    [tool] = declared["a"].tools or ()
    assert tool.arguments == {"x": "2026-08-06"}


def test_settings_are_a_value() -> None:
    assert replace(Settings(seed=2), seed=1) == Settings()
