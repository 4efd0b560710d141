"""`/readyz` and `/metrics`, and what is noted of every request."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import flask
import pytest
import structlog
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from oneform.app import create_app
from oneform.config import Settings
from oneform.kernel.outbox import JobName
from oneform.runtime import Runtime, gauges
from oneform.runtime.presence import present

TOKEN = "a token of the operator's own making"
NOWHERE = "postgresql+psycopg://x@127.0.0.1:1/x"
NO_REDIS = "redis://127.0.0.1:1"


class SomeJob(JobName):
    SLEEP = "sleep"


MakeClient = Callable[..., FlaskClient]


@pytest.fixture
def client_with(api_runtime: Runtime, redis_url: str) -> Iterator[MakeClient]:
    """Return what makes a client of an application with other settings."""
    runtimes: list[Runtime] = []

    def make(**changes: object) -> FlaskClient:
        settings = dataclasses.replace(api_runtime.settings, redis_url=redis_url)
        runtimes.append(Runtime(dataclasses.replace(settings, **changes)))  # type: ignore[arg-type]
        return create_app(runtimes[-1]).test_client()

    yield make
    for runtime in runtimes:
        runtime.close()


@contextmanager
def a_worker(client: FlaskClient) -> Iterator[None]:
    runtime = client.application.extensions["oneform"]
    with present(runtime.redis(), ["resolve"]):
        yield


def samples(client: FlaskClient, **options: object) -> dict[tuple[str, ...], float]:
    """The numbers by name and values of the labels."""
    response = client.get("/metrics", **options)  # type: ignore[arg-type]
    assert response.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


class TestReadiness:
    def test_all_is_well(self, client_with: MakeClient) -> None:
        client = client_with()
        with a_worker(client):
            response = client.get("/readyz")
        assert response.status_code == 200
        assert response.json == {
            "status": "ok",
            "checks": dict.fromkeys(["database", "migrations", "redis", "workers"], "ok"),
        }

    def test_without_workers_it_is_degraded(self, client_with: MakeClient) -> None:
        response = client_with().get("/readyz")
        assert (response.status_code, response.json["status"]) == (200, "degraded")  # type: ignore[index]
        assert response.json["checks"]["workers"] == "none seen"  # type: ignore[index]

    def test_without_redis_it_is_degraded(self, client_with: MakeClient) -> None:
        response = client_with(redis_url=NO_REDIS).get("/readyz")
        assert (response.status_code, response.json["status"]) == (200, "degraded")  # type: ignore[index]
        assert response.json["checks"]["redis"] == "does not answer"  # type: ignore[index]

    def test_without_database_it_is_unavailable(self, client_with: MakeClient) -> None:
        response = client_with(database_url=NOWHERE).get("/readyz")
        assert (response.status_code, response.json["status"]) == (503, "unavailable")  # type: ignore[index]
        assert response.json["checks"]["database"] == "does not answer"  # type: ignore[index]

    def test_database_of_another_version_makes_it_unavailable(
        self, client_with: MakeClient, database_url: str
    ) -> None:
        client = client_with(database_url=database_url)
        runtime = client.application.extensions["oneform"]
        with runtime.context() as ctx:
            ctx.sql("UPDATE alembic_version SET version_num = '0000'")
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json["checks"]["migrations"].startswith("at 0000, wanted ")  # type: ignore[index]

    def test_it_asks_for_no_credentials(self, client_with: MakeClient) -> None:
        response = client_with().get("/readyz", headers={"Authorization": "Bearer nonsense"})
        assert response.status_code == 200


class TestWhoSeesMetrics:
    def test_the_machine_itself(self, client_with: MakeClient) -> None:
        assert client_with().get("/metrics").status_code == 200

    @pytest.mark.parametrize("address", ["10.0.0.7", "2001:db8::1", "", "nonsense"])
    def test_nobody_from_elsewhere(self, client_with: MakeClient, address: str) -> None:
        response = client_with().get("/metrics", environ_base={"REMOTE_ADDR": address})
        assert response.status_code == 403
        assert response.json["type"] == "urn:oneform:problem:forbidden"  # type: ignore[index]

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
    def test_nobody_through_a_proxy_of_the_machine(
        self, client_with: MakeClient, header: str
    ) -> None:
        response = client_with().get("/metrics", headers={header: "127.0.0.1"})
        assert response.status_code == 403

    def test_whoever_has_the_token(self, client_with: MakeClient) -> None:
        response = client_with(metrics_token=TOKEN).get(
            "/metrics",
            headers={"Authorization": f"Bearer {TOKEN}"},
            environ_base={"REMOTE_ADDR": "10.0.0.7"},
        )
        assert response.status_code == 200

    @pytest.mark.parametrize(
        "given", ["", "Bearer", "Bearer é", f"Basic {TOKEN}", f"Bearer {TOKEN}x"]
    )
    def test_nobody_without_the_token_where_there_is_one(
        self, client_with: MakeClient, given: str
    ) -> None:
        client = client_with(metrics_token=TOKEN)
        response = client.get("/metrics", headers={"Authorization": given})
        assert response.status_code == 401


class TestMetrics:
    def test_outbox_by_job(self, client_with: MakeClient, api_runtime: Runtime) -> None:
        with api_runtime.context() as ctx:
            ctx.outbox.enqueue(SomeJob.SLEEP)
            ctx.outbox.enqueue(SomeJob.SLEEP, delay_s=60)
            ctx.sql("UPDATE outbox SET attempts = 3, run_after = run_after - interval '30 s'")
        found = samples(client_with())
        assert found["oneform_outbox_jobs", "sleep", "due"] == 1
        assert found["oneform_outbox_jobs", "sleep", "later"] == 1
        assert found["oneform_outbox_oldest_seconds", "sleep"] >= 30
        assert found["oneform_outbox_failed_attempts", "sleep"] == 6
        assert ("oneform_outbox_stuck_jobs", "sleep") not in found

    def test_jobs_that_do_not_get_through(
        self, client_with: MakeClient, api_runtime: Runtime
    ) -> None:
        with api_runtime.context() as ctx:
            ctx.outbox.enqueue(SomeJob.SLEEP)
            ctx.sql("UPDATE outbox SET attempts = CASE WHEN id = (SELECT max(id) FROM outbox) "
                    "THEN 10 ELSE 9 END")  # fmt: skip
        assert samples(client_with())["oneform_outbox_stuck_jobs", "sleep"] == 1

    def test_asks_and_units(self, client_with: MakeClient) -> None:
        found = samples(client_with())
        assert (found["oneform_asks_live",], found["oneform_units_asked",]) == (0, 0)

    def test_workers_and_servers(self, client_with: MakeClient) -> None:
        client = client_with()
        with a_worker(client):
            found = samples(client)
        assert found["oneform_workers",] == 1
        assert found["oneform_server_up", "database"] == found["oneform_server_up", "redis"] == 1

    def test_servers_that_are_away_are_told(self, client_with: MakeClient) -> None:
        found = samples(client_with(database_url=NOWHERE, redis_url=NO_REDIS))
        assert found["oneform_server_up", "database"] == found["oneform_server_up", "redis"] == 0
        assert ("oneform_asks_live",) not in found

    def test_counts_are_kept_for_a_moment(
        self, client_with: MakeClient, api_runtime: Runtime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = client_with()
        before = samples(client)["oneform_outbox_jobs", "sleep", "due"]
        with api_runtime.context() as ctx:
            ctx.outbox.enqueue(SomeJob.SLEEP)
        assert samples(client)["oneform_outbox_jobs", "sleep", "due"] == before
        monkeypatch.setattr(gauges, "KEPT_S", 0.0)
        assert samples(client_with())["oneform_outbox_jobs", "sleep", "due"] == before + 1

    def test_requests_are_counted_by_route_and_status(self, client_with: MakeClient) -> None:
        client = client_with()
        key = ("oneform_http_requests_total", "GET", "/api/v1/fields/<code>", "404")
        before = samples(client).get(key, 0)
        client.get("/api/v1/fields/no.such", buffered=True)
        client.get("/api/v1/fields/nor.such", buffered=True)
        found = samples(client)
        assert found[key] == before + 2
        assert found["oneform_http_request_seconds_count", "GET", "/api/v1/fields/<code>"] >= 2

    def test_what_strangers_invent_makes_no_metric(self, client_with: MakeClient) -> None:
        client = client_with()
        client.open("/no/such/place", method="INVENT", buffered=True)
        found = samples(client)
        assert found["oneform_http_requests_total", "other", "none", "404"] >= 1
        assert not [name for name in found if "INVENT" in name or "/no/such/place" in name]


class TestLog:
    @pytest.fixture
    def lines(self) -> Iterator[list[structlog.typing.EventDict]]:
        # Loggers that were used already are bound to what was configured then.
        with structlog.testing.capture_logs(
            processors=[structlog.contextvars.merge_contextvars]
        ) as lines:
            yield lines

    def requests(self, lines: list[structlog.typing.EventDict]) -> list[dict[str, object]]:
        return [dict(line) for line in lines if line["event"] == "request"]

    def test_every_request_has_its_line(
        self, client: FlaskClient, lines: list[structlog.typing.EventDict]
    ) -> None:
        client.get(
            "/api/v1/code-lists?q=secret", headers={"X-Request-Id": "from-the-proxy"}, buffered=True
        )
        [line] = self.requests(lines)
        assert line.pop("ms") is not None
        assert line == {
            "event": "request",
            "log_level": "info",
            "method": "GET",
            "path": "/api/v1/code-lists",
            "status": 200,
            "request_id": "from-the-proxy",
        }

    def test_what_machines_ask_is_not_heard(
        self, client: FlaskClient, lines: list[structlog.typing.EventDict]
    ) -> None:
        client.get("/healthz", buffered=True)
        assert [line["log_level"] for line in self.requests(lines)] == ["debug"]

    def test_fault_is_an_error(
        self, app: flask.Flask, lines: list[structlog.typing.EventDict], client_with: MakeClient
    ) -> None:
        client_with(database_url=NOWHERE).get("/readyz", buffered=True)
        assert [line["log_level"] for line in self.requests(lines)] == ["error"]


def test_settings_need_no_metrics_token() -> None:
    assert Settings().metrics_token is None
