"""Workers: what waits on the outbox is done, in any order; some die on the way."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

import hypothesis.strategies as st
import model_changing as changing
import model_requesting as requesting
from hypothesis.stateful import precondition, rule
from machine_base import Base, N, pick
from machine_check import same
from machine_house import Died, DyingRun
from model_state import Job, Request

from oneform.requests.resolving import resolve_regions


class Working(Base):
    def _job(self, n: int) -> tuple[Any, Job]:
        """A row of the outbox, and the model's job for it."""
        rows = self.house.waiting()
        row = pick(rows, n)
        id = str(row.args.get("request_id") or row.args.get("import_id"))
        regions = tuple(row.args.get("region_ids") or [row.args.get("region_id")])
        job = next(
            job for job in self.m.jobs
            if job.label[:2] == (row.job, id) and job.regions in (regions, ())
        )  # fmt: skip
        return row, job

    @precondition(lambda self: self.m.jobs)
    @rule(n=N)
    def work(self, n: int) -> None:
        row, job = self._job(n)
        self.house.work(row.id, row.lease)
        self.m.jobs.remove(job)
        self.m.step += 1
        match job.name:
            case "resolve_request":
                for region in job.regions:
                    self.m.step += 1
                    requesting.resolve_region(self.m, self._of(job), region)
            case "fetch_and_resolve":
                requesting.fetch_and_resolve(self.m, self._of(job), job.regions[0])
            case "import_values":
                owner, rows, import_id = job.load.owner, job.load.rows, job.load.id
                counts = changing.take_import(self.m, rows, is_owner=owner == "stats")
                told = self.house.call(owner, "GET", f"/values/imports/{import_id}").json
                same("counts of the import", told["counts"], counts)
                self.did("import")

    def _of(self, job: Job) -> Request:
        assert job.request is not None
        return job.request

    def work_all(self) -> None:
        while self.m.jobs:
            self.work(0)
            requesting.settle(self.m)

    @precondition(lambda self: any(job.name == "resolve_request" for job in self.m.jobs))
    @rule(n=N, lives=st.integers(0, 1))
    def worker_dies(self, n: int, lives: int) -> None:
        """What it had committed stays; the job is still there."""
        _, job = self._job(n)
        if job.name != "resolve_request":
            return
        request = self._of(job)
        with suppress(Died):
            resolve_regions(
                DyingRun(self.house.runtime, lives), uuid.UUID(request.id), list(job.regions)
            )
        self.did("death of a worker")
        for region in job.regions[:lives]:
            requesting.resolve_region(self.m, request, region)
