"""What can be wrong with a call to the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog.places import BundleMistake
from oneform.kernel.errors import Invalid, NotFound


class BadBundle(Invalid):
    """A bundle with mistakes; nothing of it was taken, if it was to be."""

    code = "invalid-bundle"
    title = "The bundle has mistakes"

    def __init__(
        self, mistakes: Sequence[BundleMistake], *, only_checked: bool = False, **data: Any
    ) -> None:
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
        super().__init__(
            f"The bundle has {count}" + ("." if only_checked else "; nothing of it was taken."),
            mistakes=[mistake.as_mistake() for mistake in mistakes],
            data=data,
        )


class NoSuchField(NotFound):
    title = "No such field"


class NoSuchCodeList(NotFound):
    title = "No such code list"
