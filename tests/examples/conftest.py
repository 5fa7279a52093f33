"""A folder for the tests of the guides."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs.pages import blocks
from tests.support.constants import ROOT


@pytest.fixture
def sdk(tmp_path: Path) -> Path:
    """A folder with an SDK and the conftest.py of the guide to testing one."""
    shutil.copy(ROOT / "examples" / "python" / "dimedove_client.py", tmp_path / "my_sdk.py")
    conftest = next(block.text for block in blocks(ROOT / "docs" / "testing-an-sdk.md") if block.language == "python")
    (tmp_path / "conftest.py").write_text(conftest, encoding="utf-8")
    return tmp_path
