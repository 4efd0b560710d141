"""Commands are tested in an environment without settings but those that a test gives."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ONEFORM_")]:
        monkeypatch.delenv(name)
