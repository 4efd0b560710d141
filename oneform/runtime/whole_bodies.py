"""Requests whose body is whole, or refused: what a server leaves to the application.

Gunicorn says that it ends the stream, and then gives what there is: of a body that
was cut off the part that came. Werkzeug believes it, and at a limit reads no further
without a word. A file of values that is half there must not be taken for a whole one.
"""

from __future__ import annotations

import io
from typing import IO, Any, cast

import flask
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import BadRequest, ClientDisconnected
from werkzeug.utils import cached_property

BLOCK = 64 * 1024


class WholeBody(io.RawIOBase):
    """A stream that ends where the body ends, and nowhere else.

    ClientDisconnected when it is cut off or stands still; BadRequest for chunks that are none;
    RequestEntityTooLarge (from the stream within) beyond the limit.
    """

    def __init__(self, stream: IO[bytes], length: int | None) -> None:
        self._stream = stream
        self._left = length

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return self.readall()
        if self._left == 0 or size == 0:
            return b""
        block = self._read(size if self._left is None else min(size, self._left))
        if self._left is not None:
            if not block:
                raise ClientDisconnected("The body ends before its length.")
            self._left -= len(block)
        return block

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except ParseException:
            raise BadRequest("The chunks of the body cannot be read.") from None
        except OSError:
            raise ClientDisconnected("The body did not arrive in time.") from None

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self.read(BLOCK), b""))

    def readinto(self, buffer: Any) -> int:
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


class Request(flask.Request):
    """Flask's, with a body that is whole."""

    @cached_property
    def stream(self) -> IO[bytes]:
        return cast(IO[bytes], WholeBody(super().stream, self.content_length))
