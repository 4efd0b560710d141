"""Whatever anybody does in whatever order, the house does what a plain model of it says."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from machine_house import Template, made_template
from rules_answers import Answering
from rules_requests import Requesting
from rules_values import Bringing
from rules_world import Changing


class Machine(Requesting, Answering, Bringing, Changing):
    """Everybody at once."""


@pytest.fixture(scope="module")
def template(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Template]:
    with made_template(postgres_url, template_database, tmp_path_factory.mktemp("store")) as made:
        yield made


def run(template: Template, *, runs: int, steps: int, by_chance: bool) -> None:
    Machine.template, Machine.steps_done = template, 0
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            derandomize=not by_chance,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{Machine.steps_done} steps; {dict(sorted(Machine.met.items()))}")  # noqa: T201


def test_the_house_does_what_the_model_says(template: Template) -> None:
    """The same steps each time; the long one below tries others."""
    run(template, runs=8, steps=25, by_chance=False)


@pytest.mark.soak
def test_the_house_does_what_the_model_says_for_long(template: Template) -> None:
    """`ONEFORM_SOAK_RUNS` says how many runs."""
    run(template, runs=int(os.environ.get("ONEFORM_SOAK_RUNS", "1000")), steps=60, by_chance=True)
