"""The whole whitelist as a file: JSON and YAML as bundles, CSV and XLSX for spreadsheets."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import flask

from catalog import reading
from catalog.bundle import dump_json, dump_yaml
from catalog.snapshot import snapshot
from catalog.tables import write_csv, write_xlsx
from oneform.api.blueprints import Blueprint, current_context, public, tagged
from oneform.api.etags import is_known, set_etag
from oneform.kernel.context import Context
from oneform.kernel.etags import etag_of

blueprint = Blueprint("catalog_files", __name__, description="The whole whitelist as a file.")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

FORMATS: dict[str, tuple[str, Callable[[Context], bytes]]] = {
    "json": ("application/json", lambda ctx: dump_json(reading.whole_catalog(ctx)).encode()),
    "yaml": ("application/yaml", lambda ctx: dump_yaml(reading.whole_catalog(ctx)).encode()),
    "csv": (
        "text/csv; charset=utf-8",
        lambda ctx: "".join(write_csv(reading.whitelist_rows(ctx))).encode(),
    ),
    "xlsx": (XLSX, lambda ctx: write_xlsx(reading.whitelist_rows(ctx))),
}
"""Media type and writer of each format."""

CACHED = 8


class FileCache:
    """The last few files of a process: making one of ten thousand fields takes seconds."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, etag: str, make: Callable[[], bytes]) -> bytes:
        # One at a time: whoever asks for the same file meanwhile gets it without making it.
        with self._lock:
            if etag not in self._files:
                self._files[etag] = make()
                if len(self._files) > CACHED:
                    self._files.popitem(last=False)
            return self._files[etag]


def _cache() -> FileCache:
    found = flask.current_app.extensions.setdefault("oneform-catalog-files", FileCache())
    assert isinstance(found, FileCache)
    return found


def _file(extension: str) -> flask.Response:
    ctx = current_context()
    media, write = FORMATS[extension]
    etag = etag_of("catalog", extension, snapshot(ctx).stamp, ctx.today())
    set_etag(etag)
    body = b"" if is_known(etag) else _cache().get(etag, lambda: write(ctx))
    response = flask.Response(body, content_type=media)
    response.headers["Content-Disposition"] = f"inline; filename=catalog.{extension}"
    return response


@blueprint.get("/catalog.json")
@blueprint.response(200, {"type": "object"}, content_type="application/json")
@public
@tagged
def catalog_json() -> flask.Response:
    """Get the whitelist as a bundle in JSON. Imported again, it changes nothing."""
    return _file("json")


@blueprint.get("/catalog.yaml")
@blueprint.response(200, {"type": "object"}, content_type="application/yaml")
@public
@tagged
def catalog_yaml() -> flask.Response:
    """Get the whitelist as a bundle in YAML. Imported again, it changes nothing."""
    return _file("yaml")


@blueprint.get("/catalog.csv")
@blueprint.response(200, {"type": "string"}, content_type="text/csv")
@public
@tagged
def catalog_csv() -> flask.Response:
    """Get the whitelist as a table in CSV."""
    return _file("csv")


@blueprint.get("/catalog.xlsx")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type=XLSX)
@public
@tagged
def catalog_xlsx() -> flask.Response:
    """Get the whitelist as a workbook."""
    return _file("xlsx")
