"""What is on record of data that is let out: as many values as left the house."""

from __future__ import annotations

import pytest
from factories import NEXT_VILLAGE, VILLAGE
from sharing_world import AID, PEOPLE, Sharing

from oneform.requests.data import Layout, stream
from oneform.requests.models import CellStatus


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize(
    ("more", "values"),
    [({}, 2), ({"status": CellStatus.HELD}, 2), ({"status": CellStatus.ASKED}, 0), ({"area": VILLAGE}, 1)],
)  # fmt: skip
def test_a_release_has_as_many_values_as_were_let_out(
    sharing: Sharing, layout: Layout, more: dict[str, object], values: int
) -> None:
    sharing.hold(PEOPLE, {VILLAGE: 4711, NEXT_VILLAGE: 4712})
    request = sharing.request(PEOPLE)
    rows = sharing.rows(sharing.export(request, layout=layout, **more))
    assert sum("471" in row for row in rows) == values
    assert sharing.on_record() == (values, True)


def test_what_awaits_its_being_resolved_anew_is_not_counted(sharing: Sharing) -> None:
    sharing.hold(PEOPLE, {VILLAGE: 7})
    request = sharing.request(PEOPLE, AID)
    sharing.grant()
    export = sharing.export(request)
    assert sharing.on_record() == (0, False)
    assert sharing.rows(export) == []
    assert sharing.on_record() == (0, True)


def test_values_that_come_after_the_export_began_are_counted(sharing: Sharing) -> None:
    export = sharing.export(sharing.request(PEOPLE))
    sharing.hold(PEOPLE, {VILLAGE: 7})
    assert sum(",7,shared," in row for row in sharing.rows(export)) == 1
    assert sharing.on_record() == (1, True)


def test_values_that_come_while_it_is_streamed_are_neither_let_out_nor_counted(
    sharing: Sharing,
) -> None:
    sharing.hold(PEOPLE, {VILLAGE: 7})
    chunks = stream(sharing.runtime.engine, sharing.export(sharing.request(PEOPLE)))
    begun = [next(chunks), next(chunks)]
    sharing.hold(PEOPLE, {NEXT_VILLAGE: 8})
    text = b"".join([*begun, *chunks]).decode()
    assert (",7,held," in text, ",8," in text) == (True, False)
    assert sharing.on_record() == (1, True)


def test_a_release_whose_reader_went_away_keeps_its_first_number(sharing: Sharing) -> None:
    sharing.hold(PEOPLE, {VILLAGE: 7})
    chunks = stream(sharing.runtime.engine, sharing.export(sharing.request(PEOPLE)))
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    assert sharing.on_record() == (1, False)
