"""docs/settings.md is made from the code and never drifts from it."""

from __future__ import annotations

import pytest

from docs.generate import settings_page
from sandbox.app_settings import AppSettings
from sandbox.settings import ENV_PREFIX, flag, options
from tests.docs.pages import read


def test_the_page_is_what_the_code_says() -> None:
    assert read("docs/settings.md") == settings_page(), "run: python -m docs.generate"


@pytest.mark.parametrize("name", options())
def test_a_setting_of_a_server_has_its_row(name: str) -> None:
    assert f"| `{flag(name)}` | `{ENV_PREFIX}{name.upper()}` |" in read("docs/settings.md")


@pytest.mark.parametrize("name", AppSettings._fields)
def test_a_setting_of_an_app_has_its_row(name: str) -> None:
    assert f"\n| `{name}` |" in read("docs/settings.md")
