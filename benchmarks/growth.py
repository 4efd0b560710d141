"""growth: the same request and the same submissions, with a million values held and with thirty.

Two databases of one server, the second a copy of the first to which the values of earlier years
were added; measured in turn, so that neither has a better hour than the other. `bare_seconds` is
the small one: there is nothing barer to compare growth with. Services are called in this process:
what HTTP adds is the same on both sides, and would only make the difference look smaller.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import psycopg

from benchmarks.client import Call
from benchmarks.progress import tell
from benchmarks.province import HELD, Province, open_province
from benchmarks.resolve import run_jobs
from benchmarks.rounds import in_turn, timed
from benchmarks.rows import Row
from benchmarks.villagers import ANSWERS, ask_villages, settle_villagers, submissions
from oneform.collection.commands import GivenAnswer, SubmitAnswers
from oneform.collection.service import submit_answers
from oneform.engines.postgres_settings import ADMIN
from oneform.identity.sessions import principal_of_session
from oneform.runtime import Runtime

BAR = 1.25
YEARS = {"full": range(1989, 2019), "small": range(2004, 2019)}
"""Before the years that are asked for, each with as many values as the first one."""

ASKED = "2020"
"""A year of which nothing is held."""

DATABASE = "bench_grown"
ROUNDS = 3
SUBMISSIONS = {"full": 1_000, "small": 150}
WARM_UP = 50

WRITERS = 2


def run(province: Province) -> list[Row]:
    """On a province of its own, whatever other rows have left on the given one."""
    with open_province(province.size) as first, grown(first) as second:
        return [_resolve(first, second), _submit(first, second)]


@contextmanager
def grown(first: Province) -> Iterator[Province]:
    """A copy of a province with the values of many years more."""
    settle_villagers(first)
    first.runtime.engine.dispose()
    with psycopg.connect(first.server.admin_url.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {DATABASE} TEMPLATE oneform OWNER oneform")
    url = first.server.url_of(DATABASE)
    runtime = Runtime(replace(first.runtime.settings, database_url=url))
    second = replace(first, runtime=runtime)
    try:
        _grow(second)
        for province in (first, second):
            tell(f"growth: {_held(province):,} values held")
        yield second
    finally:
        runtime.close()


def _held(province: Province) -> int:
    return province.count("SELECT count(*) FROM cell_value")


def _grow(province: Province) -> None:
    """Add the values, by the superuser, who need not check each row's references again."""
    began = time.perf_counter()
    url = province.server.url_of(DATABASE, ADMIN).replace("+psycopg", "")
    origin = province.count("SELECT max(id) FROM provenance")

    def add(years: Sequence[int]) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("SET synchronous_commit = off")
            for year in years:
                given = {"period": str(year), "origin": origin, "scope": province.scope}
                connection.execute(HELD, given)
                tell(f"growth: {year} after {time.perf_counter() - began:.0f} s")

    years = YEARS[province.size]
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(add, [years[part::WRITERS] for part in range(WRITERS)]))
    province.settle_down()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def _resolve(first: Province, second: Province) -> Row:
    cells = 0

    def resolve(province: Province) -> float:
        nonlocal cells
        with province.runtime.context() as ctx:
            ctx.sql("TRUNCATE ask, request, outbox CASCADE")

        def work() -> None:
            province.submit()
            run_jobs(province)

        seconds = timed(work)
        cells = province.count("SELECT sum(held + asked) FROM request_unit")
        tell(f"growth: resolved in {seconds:.2f} s")
        return seconds

    small, large = in_turn(lambda: resolve(first), lambda: resolve(second), rounds=ROUNDS)
    return Row("growth resolve", cells, large, small, BAR)


def _submit(first: Province, second: Province) -> Row:
    each = SUBMISSIONS[first.size]
    waiting: dict[int, list[Call]] = {}
    for province in (first, second):
        ask_villages(province, province.scope, ASKED, ANSWERS)
        province.settle_down()
        waiting[id(province)] = submissions(province, ASKED)

    # One here, one there; and the median of single ones, since a pause of the machine hits few.
    times: dict[int, list[float]] = {id(first): [], id(second): []}
    for _ in range(WARM_UP + each):
        for province in (first, second):
            call = waiting[id(province)].pop()
            times[id(province)].append(timed(partial(_answer, province, call)))
    small, large = (each * statistics.median(all[WARM_UP:]) for all in times.values())
    return Row("growth submit", each * ANSWERS, large, small, BAR, rate=each / large)


def _answer(province: Province, call: Call) -> None:
    """What the view does with a submission, without the web around it."""
    given = json.loads(call.body)["answers"]
    with province.runtime.context() as ctx:
        person = principal_of_session(ctx, call.token)
        assert person is not None
        answers = [GivenAnswer(ask=each["ask"], value=each["value"]) for each in given]
        submit_answers(ctx.acting_as(person), SubmitAnswers(answers=answers))
