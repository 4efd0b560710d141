"""export: the cells of a request as CSV, beside `COPY … TO STDOUT` of the same query.

What is measured is the way from the engine to the reader: chunks, header,
release, memory. The query itself is the same on both sides.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable

import psycopg

from benchmarks.province import Province
from benchmarks.resolve import run_jobs
from benchmarks.rows import Row
from oneform.requests.data import DataFormat, Layout, ReadData, begin_export, stream

BAR = 2.0
MOST_GROWTH_MB = 150


def run(province: Province) -> list[Row]:
    request_id = province.submit()
    run_jobs(province)
    province.settle_down()
    rows = []
    for layout in Layout:
        with province.runtime.context(province.agency) as ctx:
            export = begin_export(
                ctx, ReadData(request_id=request_id, format=DataFormat.CSV, layout=layout)
            )
        bare = _seconds(_copied(province, export.copy))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds = _seconds(stream(province.runtime.engine, export))
        growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        assert growth < MOST_GROWTH_MB, f"memory grew by {growth:.0f} MB"
        rows.append(Row(f"export {layout}", export.cells, seconds, bare, BAR))
    return rows


def _seconds(chunks: Iterable[bytes | memoryview]) -> float:
    began = time.perf_counter()
    for _ in chunks:
        pass
    return time.perf_counter() - began


def _copied(province: Province, query: str) -> Iterable[bytes | memoryview]:
    connection = province.runtime.engine.raw_connection()
    try:
        driver = connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with driver.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '192MB'; SET LOCAL enable_nestloop = off")
            with cursor.copy(query) as copy:
                yield from copy
    finally:
        connection.close()
