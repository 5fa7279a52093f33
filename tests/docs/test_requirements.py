"""A test that skips itself is skipped on a developer's machine, and fails in `.ci/run`, which requires everything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.constants import ROOT
from tests.support.environments import environ
from tests.support.requirements import VARIABLE

IN_A_TEST = "import pytest\ndef test_it(): pytest.skip('needs a piano')\n"
WHOLE_MODULE = "import pytest\npytest.skip('needs a piano', allow_module_level=True)\n"
PASSES = "def test_it(): pass\n"


@pytest.mark.parametrize(
    ("text", "required", "code", "expected"),
    [
        (IN_A_TEST, "", 0, "1 skipped"),
        (IN_A_TEST, "1", 1, "needs a piano"),
        # pytest's own code for a run that was left with no test
        (WHOLE_MODULE, "", 5, "1 skipped"),
        (WHOLE_MODULE, "1", 2, "needs a piano"),
        # what passes is not touched
        (PASSES, "1", 0, "1 passed"),
    ],
)
def test_a_skip_is_a_failure_where_it_is_demanded(
    text: str, required: str, code: int, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "test_piano.py").write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        "/dev/null",
        "-p",
        "tests.support.requirements",
        "--rootdir",
        str(tmp_path),
    ]
    env = environ(PYTHONPATH=str(ROOT), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", **{VARIABLE: required})
    done = subprocess.run(  # noqa: S603 - pytest
        [*command, "test_piano.py"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout
    assert expected in done.stdout
