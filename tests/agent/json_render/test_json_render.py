"""Our forms in the eyes of @json-render/core: valid after every step but the first, which only names the root.

SANDBOX_NODE_MODULES names a folder with the package in its `node_modules`.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.agent.turns import patches_of_all_forms
from tests.support.requirements import requires_node

VARIABLE = "SANDBOX_NODE_MODULES"
SCRIPT = Path(__file__).with_name("check.mjs")


def need_json_render() -> str:
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"needs @json-render/core from npm, and {VARIABLE} names no folder")
    if not Path(folder, "node_modules", "@json-render", "core").is_dir():
        pytest.skip(f"needs @json-render/core from npm, which is not in {folder}/node_modules")
    return folder


@pytest.mark.node
def test_a_form_fills_in_to_a_valid_spec() -> None:
    environment = {**os.environ, VARIABLE: need_json_render()}
    forms = patches_of_all_forms()
    done = subprocess.run(  # noqa: S603 - our own script
        [requires_node(), str(SCRIPT)],
        input=json.dumps({"forms": forms}),
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    results = json.loads(done.stdout)
    assert len(results) == len(forms) > 30
    for patches, result in zip(forms, results, strict=True):
        first, *others = result["steps"]
        assert set(first) == {"root_not_found", "empty_spec"}
        # The card names its children before they come; nothing else is ever wrong.
        assert {issue for step in others for issue in step} == {"missing_child"}, (patches, others)
        assert [len(step) for step in others] == list(range(len(others) - 1, -1, -1))
        assert result["end"] == []
        assert result["spec"]["root"] == "form"
