"""Bodies that are not JSON: read from the network once, kept on disk when large, read again at will."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from typing import IO, Any, BinaryIO, cast

import flask

from oneform.api.strictjson import json_body

IN_MEMORY = 1024 * 1024


def raw_body() -> BinaryIO:
    """The body of the request in hand as a file at its beginning.

    Ends with the request. A body over the limit is refused with 413 while it is read.
    """
    if "oneform_body" not in flask.g:
        # Closed by `close_body`, when the request ends.
        file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
        flask.g.oneform_body = file
        shutil.copyfileobj(flask.request.stream, file, IN_MEMORY)
    found = cast(BinaryIO, flask.g.oneform_body)
    found.seek(0)
    return found


def close_body(_error: BaseException | None = None) -> None:
    """At the end of the request: give the space back."""
    file: IO[bytes] | None = flask.g.pop("oneform_body", None)
    if file is not None:
        file.close()


def fingerprint() -> bytes:
    """SHA-256 of method, address and body of the request in hand.

    JSON bodies are the same when they are equal as JSON: order of members, white space and
    the way a number is written (1, 1.0, 1e0) do not matter. Anything else: the same bytes.
    """
    request = flask.request
    digest = hashlib.sha256()
    query = sorted(request.args.items(multi=True))
    digest.update(json.dumps([request.method, request.path, query]).encode() + b"\0")
    if request.mimetype == "multipart/form-data":
        # A part may have no name at all.
        texts = sorted((name or "", text) for name, text in request.form.items(multi=True))
        digest.update(json.dumps(texts).encode())
        uploads = [(name or "", upload) for name, upload in request.files.items(multi=True)]
        for name, upload in sorted(uploads, key=lambda item: item[0]):
            digest.update(b"\0" + name.encode(errors="surrogatepass") + b"\0")
            digest.update(_digest(upload.stream))
    elif request.mimetype == "application/json" or request.mimetype.endswith("+json"):
        digest.update(canonical(json_body()))
    else:
        digest.update(_digest(raw_body()))
    return digest.digest()


def _digest(file: IO[bytes]) -> bytes:
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(IN_MEMORY):
        digest.update(block)
    file.seek(0)
    return digest.digest()


def canonical(value: Any) -> bytes:
    """One text for all JSON texts that are equal: members sorted, numbers by their value."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        # The exponent bounds it: 309 digits at the most.
        return int(value)
    return value
