"""A body is whole, or it is refused."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from gunicorn.http.errors import InvalidChunkSize
from werkzeug.exceptions import BadRequest, ClientDisconnected

from oneform.runtime.whole_bodies import WholeBody

Read = Callable[[WholeBody], bytes]
WAYS: list[Read] = [
    lambda body: body.read(),
    lambda body: body.readall(),
    lambda body: b"".join(iter(lambda: body.read(3), b"")),
    lambda body: b"".join(io.BufferedReader(body)),
]


@pytest.mark.parametrize("read", WAYS)
@pytest.mark.parametrize("length", [None, 10])
def test_whole_body_is_read(read: Read, length: int | None) -> None:
    assert read(WholeBody(io.BytesIO(b"a\nb\nc\nd\nef"), length)) == b"a\nb\nc\nd\nef"


@pytest.mark.parametrize("read", WAYS)
def test_body_that_was_cut_off_is_refused(read: Read) -> None:
    with pytest.raises(ClientDisconnected):
        read(WholeBody(io.BytesIO(b"a\nb\nc"), 10))


@pytest.mark.parametrize("read", WAYS)
def test_what_comes_after_the_body_is_not_read(read: Read) -> None:
    assert read(WholeBody(io.BytesIO(b"a\nb\nGET /"), 4)) == b"a\nb\n"


class Broken(io.BytesIO):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def read(self, _size: int | None = -1) -> bytes:
        raise self.error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InvalidChunkSize("zz"), BadRequest),
        (BlockingIOError("nothing came"), ClientDisconnected),
        (ConnectionResetError("gone"), ClientDisconnected),
    ],
)
def test_stream_that_breaks_is_the_senders_fault(error: Exception, told: type[BadRequest]) -> None:
    with pytest.raises(told):
        WholeBody(Broken(error), 10).read()
