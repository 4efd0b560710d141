"""export: the cells of a request as CSV over HTTP, beside `COPY … TO STDOUT` of the same query.

What is measured is the way from the engine to the reader: the real web process under gunicorn,
chunks, header, release, memory. The query itself is the same on both sides.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import psycopg

from benchmarks.progress import tell
from benchmarks.province import Province
from benchmarks.resolve import run_jobs
from benchmarks.rounds import drained, in_turn
from benchmarks.rows import Row
from benchmarks.serving import OURS, WEB_WORKERS, WebServer, serving
from oneform.identity.keys import issue_key
from oneform.identity.policy import OPERATOR
from oneform.requests.data import DataFormat, Export, Layout, ReadData, begin_export

BAR = 2.0
MOST_GROWTH_MB = 150
BLOCK = 256 * 1024


def run(province: Province) -> list[Row]:
    request_id = province.submit()
    run_jobs(province)
    province.settle_down()
    with province.runtime.context(OPERATOR) as ctx:
        key = issue_key(ctx, "bench").key
    with serving(province.runtime.settings, OURS) as (server,):
        # What a worker loads for its first export, here one without rows, is no growth.
        for _ in range(2 * WEB_WORKERS):
            drained(_downloaded(server, key, request_id, Layout.WIDE, "&status=pending_grant"))
        return [_measure(province, server, key, request_id, layout) for layout in Layout]


def _measure(
    province: Province, server: WebServer, key: str, request_id: UUID, layout: Layout
) -> Row:
    with province.runtime.context(province.agency) as ctx:
        command = ReadData(request_id=request_id, format=DataFormat.CSV, layout=layout)
        export = begin_export(ctx, command)
    before = _memory(server, "VmRSS")
    bare, seconds = in_turn(
        lambda: drained(_copied(province, export)),
        lambda: drained(_downloaded(server, key, request_id, layout)),
    )
    peaks = _memory(server, "VmHWM")
    growth = max(peaks[pid] - before[pid] for pid in before)
    tell(f"export {layout}: the web process grew by {growth:.0f} MB at the most")
    if growth >= MOST_GROWTH_MB:
        raise RuntimeError(f"the web process grew by {growth:.0f} MB")
    return Row(f"export {layout}", export.cells, seconds, bare, BAR)


def _memory(server: WebServer, line: str) -> dict[int, float]:
    """MB of each of the server's workers."""
    found = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return {int(pid): _status(int(pid), line) for pid in found}


def _status(pid: int, line: str) -> float:
    for each in Path(f"/proc/{pid}/status").read_text().splitlines():
        if each.startswith(f"{line}:"):
            return int(each.split()[1]) / 1024
    raise RuntimeError(f"no {line} of process {pid}")


def _downloaded(
    server: WebServer, key: str, request_id: UUID, layout: Layout, more: str = ""
) -> Iterator[bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        path = f"/api/v1/requests/{request_id}/data?format=csv&layout={layout}{more}"
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {answer.read(1000)!r}")
        while block := answer.read(BLOCK):
            yield block


def _copied(province: Province, export: Export) -> Iterator[bytes | memoryview]:
    connection = province.runtime.engine.raw_connection()
    try:
        driver = connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with driver.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '192MB'; SET LOCAL enable_nestloop = off")
            with cursor.copy(export.copy) as copy:
                yield from copy
    finally:
        connection.close()
