"""Whatever anybody does in whatever order, the house does what a plain model of it says."""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis.stateful import initialize, run_state_machine_as_test
from machine_base import AREA_CODES, Base
from machine_house import Template, made_template
from machine_reach import ENOUGH_BY_CHANCE, SHARE_BY_CHANCE, hardly_met
from rules_lives import LIVES, Living

DICE = st.tuples(*[st.integers(0, 2**16)] * 4)
CODES = st.lists(st.sampled_from(AREA_CODES), min_size=1, max_size=4, unique=True)


class Machine(Living):
    """Everybody at once, after a life of each kind."""

    @initialize(names=st.permutations(LIVES), codes=CODES, dice=DICE)
    def begin(self, names: list[str], codes: list[str], dice: tuple[int, ...]) -> None:
        # Hypothesis tries runs first that go on with one and the same step, the simplest: no walk.
        assume(any(dice))
        self.open()
        self.live_all(names, codes)


class MachineByChance(Living):
    """Everybody at once, after three lives at most: what fails shrinks to few steps."""

    @initialize(
        names=st.lists(st.sampled_from(LIVES), min_size=1, max_size=3), codes=CODES, dice=DICE
    )
    def begin(self, names: list[str], codes: list[str], dice: tuple[int, ...]) -> None:
        assume(any(dice))
        self.open()
        self.live_all(names, codes)


@pytest.fixture(scope="module")
def template(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Template]:
    with made_template(postgres_url, template_database, tmp_path_factory.mktemp("store")) as made:
        yield made


def run(
    machine: type[Living], template: Template, *, runs: int, steps: int, by_chance: bool
) -> None:
    """Runs that must have come as far as `machine_reach` says."""
    Base.template, Base.steps_done = template, 0
    Base.met.clear()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            derandomize=not by_chance,
            # Whole lives shrink badly, and these steps are the same at the next time.
            phases=list(Phase) if by_chance else [Phase.generate],
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{Base.steps_done} steps; {dict(sorted(Base.met.items()))}")  # noqa: T201
    if not by_chance:
        assert hardly_met(Base.met, runs=runs) == {}
    elif runs >= ENOUGH_BY_CHANCE:
        assert hardly_met(Base.met, runs=runs * SHARE_BY_CHANCE) == {}


def test_the_house_does_what_the_model_says(template: Template) -> None:
    """The same steps each time; the long one below tries others."""
    run(Machine, template, runs=2, steps=45, by_chance=False)


@pytest.mark.soak
def test_the_house_does_what_the_model_says_for_long(template: Template) -> None:
    """`ONEFORM_TEST_SOAK_RUNS` says how many runs."""
    runs = int(os.environ.get("ONEFORM_TEST_SOAK_RUNS", "1000"))
    run(MachineByChance, template, runs=runs, steps=60, by_chance=True)
