"""Driving schemathesis over the OpenAPI document: as somebody, with ids of things that are there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import flask
import schemathesis
from everybody import GUARDED, OWNED, PERIOD, Everybody, Things
from factories import PROVINCE
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import NonFatalError, ScenarioFinished
from schemathesis.engine.run import UNIT_PHASES, PhaseName

REFUSED = [*("400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "429")]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
    "allow_header_conformance",
)

GOOD = 0.7
"""How often an id is that of a thing that is there, where the schema allows any."""


@dataclass
class Findings:
    """What was tried, and what was wrong: the place and the words, once for each kind of mistake."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    problems: dict[tuple[str, str], str] = field(default_factory=dict)


def fuzz(
    app: flask.Flask,
    world: Everybody,
    who: str,
    *,
    examples: int,
    chains: int,
    edges: bool,
    seed: int,
) -> Findings:
    """Try every operation as somebody: `examples` of it, the `edges` of its schemas, and `chains`
    of calls in which one takes what another gave."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "continue-on-failure": True,
            "headers": _headers(world.tokens[who]),
            "warnings": False,
            "generation": {"deterministic": True, "no-shrink": True, "database": "none"},
            "checks": {
                "enabled": False,
                **{name: {"enabled": True} for name in CHECKS},
                "negative_data_rejection": {"enabled": True, "expected-statuses": REFUSED},
            },
            # Whoever logs out sees nothing more.
            "operations": [{"include-name": "DELETE /api/v1/sessions/current", "enabled": False}],
            "phases": {
                "examples": {"enabled": False},
                "coverage": {"enabled": edges},
                "fuzzing": {"generation": {"max-examples": examples}},
                "stateful": {"generation": {"max-examples": chains}},
            },
            "dictionaries": {name: {"values": values} for name, values in _pools(world).items()},
            "parameters": {
                place: {"dictionary": name, "probability": GOOD}
                for name, places in PLACES.items()
                for place in places
            },
        }
    )
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, config=config)
    found = Findings()
    for event in from_schema(schema).execute():
        if isinstance(event, NonFatalError):
            found.problems[event.label, "cannot be tried"] = event.info.format()
        if isinstance(event, ScenarioFinished) and event.phase in (
            *UNIT_PHASES,
            PhaseName.STATEFUL_TESTING,
        ):
            _note(event, found)
    return found


def _headers(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def _note(event: ScenarioFinished, found: Findings) -> None:
    recorder = event.recorder
    found.cases += len(recorder.interactions)
    found.phases[event.phase.value] += len(recorder.interactions)
    for case_id, interaction in recorder.interactions.items():
        operation = recorder.cases[case_id].value.operation
        if interaction.response is not None:
            status = interaction.response.status_code
            found.statuses[status] += 1
            is_its_own = interaction.request.method == operation.method.upper()
            if is_its_own and str(status) not in operation.definition.raw["responses"]:
                words = f"{interaction.request.method} {interaction.request.uri}"
                found.problems.setdefault((operation.label, f"{status} is not listed"), words)
        for check in recorder.checks.get(case_id, []):
            if check.status is Status.FAILURE:
                assert check.failure_info is not None
                failure = check.failure_info.failure
                words = f"{failure.title}: {failure.message}\n{check.failure_info.code_sample}"
                found.problems.setdefault((operation.label, check.name), words)


PLACES = {
    "requests": ["path.request_id"],
    "grants": ["path.grant_id"],
    "sources": ["path.source_id"],
    "runs": ["path.run_id"],
    "imports": ["path.import_id"],
    "submissions": ["path.submission_id"],
    "refusals": ["path.refusal_id"],
    "answers": ["path.answer_id", "body.accept[*]", "body.return[*].answer"],
    "asks": ["body.drafts[*].ask", "body.answers[*].ask", "body.asks[*]"],
    "subjects": ["path.subject_id"],
    "numbers": ["path.number"],
    "codes": ["path.code", "body.fields[*]"],
    "areas": ["query.unit", "query.area", "query.parent", "body.scope.areas[*]", "body.area"],
    "kinds": ["query.kind", "body.kind", "body.scope.kind"],
    "agencies": ["query.agency", "query.owner", "body.agency"],
    "periods": ["body.period"],
    "days": ["body.due", "body.valid_until", "query.on"],
    "levels": ["body.scope.level"],
}
"""Where the values of each pool go."""


def _pools(world: Everybody) -> dict[str, list[str]]:
    def of(name: str) -> list[str]:
        return [*getattr(world.here, name), *getattr(world.elsewhere, name)[:2]]

    here: Things = world.here
    return {
        **{
            name: of(name)
            for name in (
                *("requests", "grants", "sources", "runs", "imports", "submissions", "refusals"),
                *("asks", "subjects"),
            )
        },
        "answers": [*of("answers"), *of("reviews")],
        "numbers": of("control_numbers"),
        "codes": ["test.f01", "test.text", *GUARDED.values(), *OWNED.values(), here.village],
        "areas": [here.village, here.county, PROVINCE, world.elsewhere.village],
        "kinds": ["area", "resident"],
        "agencies": [here.agency, world.elsewhere.agency, "stats"],
        "periods": [PERIOD, "2025", "2026-Q1", "2026-W60"],
        "days": ["2026-06-30", "2026-03-16", "0001-01-01", "9999-12-31"],
        "levels": ["village", "county"],
    }
