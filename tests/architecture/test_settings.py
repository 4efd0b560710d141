"""Every setting is in docs/settings.md, with its default and what it is for; and none besides."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import oneform
from oneform.config import Settings, variable

PAGE = Path(oneform.__file__).parents[1] / "docs" / "settings.md"
ROW = re.compile(r"^\| `(ONEFORM_\w+)` \| (.*?) \| (.*) \|$", re.MULTILINE)


def test_page_lists_every_setting_as_it_is_declared() -> None:
    written = {name: (default, help) for name, default, help in ROW.findall(PAGE.read_text())}
    declared = {
        variable(setting.name): (
            f"`{setting.metadata['shown']}`" if setting.metadata["shown"] else "unset",
            setting.metadata["help"],
        )
        for setting in dataclasses.fields(Settings)
    }
    assert written == declared
