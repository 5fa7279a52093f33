"""docs/settings.md is made from the code and never drifts from it."""

from __future__ import annotations

from docs.generate import settings_page
from sandbox.app_settings import AppSettings
from sandbox.options import ENV_PREFIX, flag
from sandbox.settings import options
from tests.docs.pages import read


def test_the_page_is_what_the_code_says() -> None:
    assert read("docs/settings.md") == settings_page(), "run: python -m docs.generate"


def test_a_setting_has_its_row() -> None:
    rows = [f"| `{flag(name)}` | `{ENV_PREFIX}{name.upper()}` |" for name in options()]
    rows += [f"\n| `{name}` |" for name in AppSettings._fields]
    assert [row for row in rows if row not in read("docs/settings.md")] == []
