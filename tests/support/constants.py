"""What every test may rely on: the repository, a frozen time, a good key."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = 1_790_000_000
KEY = "sk_test_spec"
AUTH = {"Authorization": f"Bearer {KEY}"}
