"""The house rules: who may import whom. Read from the source, deferred imports and imports for types included."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "sandbox"

# What stands on the ground floor beside the rooms `contract` and `state`: single modules, each with one topic.
GROUND = {
    "errors",
    "clock",
    "rng",
    "settings",
    "options",
    "reply",
    "app_settings",
    "magic",
    "suggestions",
    "redaction",
    "webhook_url",
    "hosts",
    "outbound",
    "repeatable",
    "long_work",
    "webhook_samples",
    "junit",
    "scenario",
    "agent_profile",
}

# Each room, and what it may import of ours beside itself. A new room or module has to find its floor here.
MAY_IMPORT: dict[str, set[str]] = {
    # floor 1: the law and what exists know nothing of each other
    "errors": set(),
    "clock": set(),
    "rng": set(),
    "reply": set(),
    "suggestions": set(),
    "redaction": set(),
    "repeatable": set(),
    "long_work": {"clock"},
    "webhook_samples": {"reply", "rng"},
    "webhook_url": {"errors", "hosts"},
    "hosts": set(),
    "outbound": {"hosts", "webhook_url"},
    "junit": set(),
    "scenario": set(),
    "agent_profile": {"app_settings"},
    "toml_lines": set(),
    "settings": {"options", "clock"},
    "options": {"errors", "redaction", "hosts", "clock"},
    "magic": {"errors"},
    "app_settings": {"errors", "reply"},
    "contract": {"errors"},
    "apps": {
        "app_settings",
        "errors",
        "magic",
        "reply",
        "long_work",
        "clock",
        "rng",
        "scenario",
        "agent_profile",
        "suggestions",
    },
    # floor 2: what is said is pure; a judge who knows the accused is no judge
    "agent": {"app_settings", "suggestions", "reply", "rng"},
    "handler_types": {"app_settings", "clock", "contract", "reply"},
    "conformance": {"clock", "contract", "junit"},
    "replay": {"contract", "errors", "redaction", "repeatable"},
    # floor 3: what leaves the process and what survives it
    "webhooks": {"apps", "contract", "handler_types", *GROUND},
    "redis_store": {"apps", "contract", "handler_types", *GROUND},
    "persistence": {"apps", "contract", "handler_types", *GROUND},
    "model": {"persistence", *GROUND},
    # floor 4: neighbours that don't know each other; HTTP lives in one of them alone
    "server": {"handler_types", "contract", "apps", "webhooks", *GROUND},
    "api": {"agent", "handler_types", "contract", "apps", *GROUND},
    "control": {"agent", "handler_types", "contract", "apps", "persistence", "webhooks", *GROUND},
    # floors 5 and 6
    "app_config": {"contract", *GROUND},
    "scenario_config": {"app_config", "contract", "toml_lines", *GROUND},
    "control_api": {"api", "apps", "contract", "control", "server", *GROUND},
    "sandbox": {
        "control_api",
        "agent",
        "api",
        "handler_types",
        "contract",
        "control",
        "app_config",
        "scenario_config",
        "apps",
        "model",
        "persistence",
        "preload",
        "redis_store",
        "server",
        "webhooks",
        *GROUND,
    },
    "preload": {"agent", "contract"},
    "cli": {"apps", "sandbox", "conformance", "contract", "redis_store", "replay", "server", *GROUND},
    # the two doors
    "__init__": {"sandbox", "settings", "options"},
    "__main__": {"cli"},
}

# What works with handles: locks, fsync, writing in place.
FILES = {"persistence.atomic_file"}

# Who may ask the machine for the time, for randomness, for its environment.
AMBIENT: dict[str, set[str]] = {
    # the time of day of a log line; how long a command waits; how a time is written
    "time": {"clock", "server.access_log", "cli.exec", "cli.wait", "cli.doctor"},
    "uuid": set(),
    "secrets": {"cli.serve", "redis_store.hub"},  # a token that must not be guessed, a name that no other server has
    # walking a folder; handles of files; reading a descriptor without a buffer's lock
    "os": {
        "cli.__init__",
        "cli.doctor",
        "cli.exec",
        "cli.process",
        "cli.serve",
        "cli.workers",
        "contract.document",
        *FILES,
    },
}

MAX_LINES, MAX_PATHS, MAX_LATE_IMPORTS, MAX_FILE_LINES = 50, 14, 12, 400
BRANCHES = (
    *(ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While),
    *(ast.ExceptHandler, ast.comprehension, ast.match_case, ast.Assert),
)
# What is still too long or has two homes. Take a name off when it is done; none may be added.
LONG: set[str] = set()
TWICE: set[str] = set()

PATHS = ("/apps", "/v1/apps")


@cache
def modules() -> dict[str, ast.Module]:
    """Return the modules of the package, parsed; not while tests are collected: each worker of xdist does that."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


@cache
def imported(tree: ast.AST) -> Sequence[str]:
    """Return every name that is imported, dotted: `from a import b` is both `a` and `a.b`."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names += [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def modules_of_ours(tree: ast.AST) -> set[str]:
    """Return the modules of the package that a module needs, by their names in `modules`."""
    names = {name.removeprefix("sandbox.") for name in imported(tree) if name.startswith("sandbox.")}
    return {known for name in names for known in (name, f"{name}.__init__") if known in modules()}


def room(module: str) -> str:
    return module.split(".")[0]


def test_a_room_imports_only_from_the_floors_below() -> None:
    upwards = [
        f"{module} imports {other}"
        for module, tree in modules().items()
        for other in modules_of_ours(tree)
        if room(other) not in {room(module), *MAY_IMPORT[room(module)]}
    ]
    assert upwards == []


def test_no_module_needs_itself_by_a_detour() -> None:
    graph = {module: modules_of_ours(tree) - {module} for module, tree in modules().items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_the_front_door_is_used_from_outside_alone() -> None:
    """`sandbox/__init__.py` re-exports what stands above: only the top floors may read the version from it."""
    front = {"sandbox.Settings", "sandbox.SettingsError", "sandbox.create_app", "sandbox.__version__"}
    users = {room(module) for module, tree in modules().items() if front & set(imported(tree)) or _whole(tree)}
    assert users <= {"control_api", "sandbox", "cli"}


@pytest.mark.parametrize("library", ["starlette", "uvicorn", "httptools", "uvloop"])
def test_servers_are_imported_on_the_wire_and_above_alone(library: str) -> None:
    users = {room(module) for module, tree in modules().items() if library in map(_library, imported(tree))}
    # The parser of requests parses the model's responses too.
    assert users <= {"server", "sandbox", "cli", *(["model"] if library == "httptools" else [])}


@pytest.mark.parametrize("library", ["faker", "jsonschema", "httpx", "redis", "schemathesis", "regex"])
def test_what_is_slow_to_load_is_loaded_on_first_use(library: str) -> None:
    eager = [
        module
        for module, tree in modules().items()
        if library in {_library(name) for node in _run_at_import(tree) for name in imported(node)}
        # Only a server with a store loads this room at all.
        and room(module) != "redis_store"
    ]
    assert eager == []


@pytest.mark.parametrize("library", AMBIENT)
def test_few_ask_the_machine(library: str) -> None:
    """What ruff's banned names can't say: `random` and `datetime` may be imported, for their types."""
    users = {module for module, tree in modules().items() if library in map(_library, imported(tree))}
    assert users <= AMBIENT[library]


def test_no_path_of_the_contract_stands_in_code() -> None:
    paths = [
        f"{module}: {node.value!s}"
        for module, tree in modules().items()
        if room(module) in {"server", "api", "sandbox", "agent"}
        for node in _without_docstrings(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(PATHS)
    ]
    assert paths == []


def test_every_module_says_what_it_owns() -> None:
    assert [module for module, tree in modules().items() if not ast.get_docstring(tree)] == []


def test_no_two_public_classes_share_a_name() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for module, tree in modules().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(module)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1 and name not in TWICE} == {}
    assert [name for name in TWICE if len(homes[name]) < 2] == [], "take it off the list"


def test_a_function_is_short_and_has_few_paths() -> None:
    """At most 50 lines and 14 paths. Ruff's rule counts no boolean operands, comprehensions and conditionals."""
    sizes = {
        f"{module}:{node.name}": (1 + int(node.end_lineno or 0) - node.lineno, _paths(node))
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    offenders = {name for name, (lines, paths) in sizes.items() if lines > MAX_LINES or paths > MAX_PATHS}
    assert {name: sizes[name] for name in offenders - LONG} == {}
    assert sorted(LONG - offenders) == [], "take it off the list"


def test_a_file_is_one_topic() -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FILE_LINES} == {}


def test_few_functions_import_a_module_of_ours() -> None:
    late = [
        f"{module}:{node.lineno}"
        for module, tree in modules().items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in _own(function)
        if isinstance(node, ast.Import | ast.ImportFrom) and "sandbox" in map(_library, imported(node))
    ]
    assert len(late) <= MAX_LATE_IMPORTS, late


def _paths(function: ast.AST) -> int:
    """Count the paths through a function: one more for each branch, condition and boolean operand."""
    nodes = list(_own(function))
    operands = [node.values if isinstance(node, ast.BoolOp) else [] for node in nodes]
    conditions = [node.ifs if isinstance(node, ast.comprehension) else [] for node in nodes]
    branches = sum(isinstance(node, BRANCHES) for node in nodes)
    return 1 + branches + sum(map(len, conditions)) + sum(len(values) - 1 for values in operands if values)


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function, without those of the functions and classes inside it."""
    for node in ast.iter_child_nodes(function):
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _own(node)


def _without_docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return (node for node in ast.walk(tree) if id(node) not in docstrings)


def _whole(tree: ast.AST) -> bool:
    """Say whether a module has an `import sandbox`."""
    return any(
        alias.name == "sandbox" for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    )


def _library(name: str) -> str:
    return name.split(".")[0]


def _run_at_import(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements that run when the module is imported: no bodies of functions, nothing for types alone."""
    for node in tree.body:
        for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not for_types and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node
