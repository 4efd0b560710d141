"""What holds for every command, however many there will be."""

from __future__ import annotations

from cli_refusals import REFUSED, WELL, commands


def test_every_command_is_tried_with_bad_input() -> None:
    names = {name for name, _ in commands()}
    assert set(WELL) == names
    assert {case.command for case in REFUSED} == names
