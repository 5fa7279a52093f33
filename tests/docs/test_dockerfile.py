"""The image, played as far as a machine without Docker allows: built in a fresh environment, run, asked for its health.

The base image, the layers and the network of a container are not seen here; hadolint reads the file in `.ci/run`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.docs.dockerfile import Played, build, context_of, health_command, read_steps, the
from tests.docs.pages import every_block, read
from tests.support.constants import AUTH, ROOT
from tests.support.environments import Started, clone, free_port, starting
from tests.support.requirements import requires_packages

STEPS = read_steps(read("Dockerfile"))


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The built image."""
    requires_packages()
    place = tmp_path_factory.mktemp("docker")
    context = context_of(clone(place / "clone"), read(".dockerignore"), place / "context")
    return build(STEPS, context, place / "root")


@pytest.fixture(scope="module")
def container(image: Played) -> Iterator[Started]:
    """The running container, on a free port instead of its own."""
    image.variables["DIMEDOVE_SANDBOX_URL_FILE"] = str(image.cwd / "url")
    # Not where the variable says: the health check finds it all the same.
    command = [*the("ENTRYPOINT", STEPS).words, *the("CMD", STEPS).words, "--port", "0"]
    with starting([*as_user(image.user), *command], cwd=image.cwd, env=image.env) as running:
        yield running


def as_user(number: int) -> list[str]:
    """Return what makes a command run as a user who may write nothing here, where this run may choose that."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return []
    # Reading stays free: the Python of this machine may be in a home that others can't enter, that of an image is not.
    capability = "+dac_read_search"
    user = [f"--reuid={number}", f"--regid={number}", "--clear-groups"]
    return ["setpriv", *user, f"--inh-caps={capability}", f"--ambient-caps={capability}"]


def health(image: Played) -> int:
    command = health_command(STEPS)
    return subprocess.run(command, cwd=image.cwd, env=image.env, stderr=subprocess.DEVNULL, check=False).returncode  # noqa: S603 - ours


def test_it_builds_and_serves(container: Started) -> None:
    assert urlopen(f"{container.url}/openapi.json").status == 200  # noqa: S310 - our own server


def test_the_package_and_its_schemas_come_from_the_image(image: Played) -> None:
    command = [
        str(image.programs / "python"),
        "-c",
        "from sandbox.contract.document import control_folder as f; print(f())",
    ]
    folder = subprocess.run(command, cwd=image.cwd, env=image.env, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    assert Path(folder.strip()).is_relative_to(image.programs.parent)


def test_the_health_check_sees_a_server(image: Played, container: Started) -> None:
    assert container.process.poll() is None
    assert health(image) == 0


def test_the_health_check_misses_a_server_that_is_not_there(image: Played) -> None:
    (image.cwd / "gone").write_text(f"http://127.0.0.1:{free_port()}")
    gone = Played(image.root, image.programs, {"DIMEDOVE_SANDBOX_URL_FILE": str(image.cwd / "gone")}, image.folder)
    assert health(gone) != 0


def test_its_user_keeps_data_in_its_folder(image: Played) -> None:
    """A fresh volume that is mounted there takes over whom the folder belongs to."""
    command = [*as_user(image.user), *the("ENTRYPOINT", STEPS).words, "serve", "--port", "0", "--data", "sandbox.data"]
    with starting(command, cwd=image.cwd, env=image.env) as running:
        assert urlopen(Request(f"{running.url}/v1/apps/app_x/config", headers=AUTH)).status == 200  # noqa: S310 - our own server
    assert (image.cwd / "sandbox.data").stat().st_size > 0


def test_it_listens_to_the_world_outside_its_container() -> None:
    assert "DIMEDOVE_SANDBOX_HOST=0.0.0.0" in the("ENV", STEPS).words


def test_it_does_not_run_as_root() -> None:
    assert re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", the("USER", STEPS).rest)


def test_it_is_slim() -> None:
    assert re.fullmatch(r"python:3\.\d+-slim(-\w+)?", the("FROM", STEPS).rest)


def test_the_command_of_the_documents_publishes_the_port_that_is_exposed() -> None:
    port = the("EXPOSE", STEPS).rest
    command = "docker build -t dimedove-sandbox . && docker run --rm -p 127.0.0.1:{0}:{0} dimedove-sandbox"
    commands = [line for block in every_block() for line in block.text.splitlines() if line.startswith("docker ")]
    assert command.format(port) in commands
    assert [line for line in commands if f"docker run --rm -p 127.0.0.1:{port}:{port} " not in line] == []


def test_nothing_else_of_a_clone_reaches_the_image(tmp_path: Path) -> None:
    context = context_of(clone(tmp_path / "clone"), read(".dockerignore"), tmp_path / "context")
    built_from = {"LICENSE", "README.md", "pyproject.toml", "pytest_dimedove", "sandbox", "schemas"}
    assert {path.name for path in context.iterdir()} == built_from
    assert (ROOT / "tests").is_dir()
