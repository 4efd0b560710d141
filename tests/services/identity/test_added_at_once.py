"""Two operators add the same agency or person at once: the second is told that it is there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from waiting import wait_until_blocked

from oneform.areas.service import import_areas
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.errors import AlreadyThere
from oneform.identity.people import AddPerson, add_person
from oneform.identity.policy import OPERATOR
from oneform.kernel.context import Context
from oneform.runtime import Runtime

COUNTRY = "420000000000"
AGENCY = AddAgency(code="civil", name="民政局", area=COUNTRY)
PERSON = AddPerson(username="wang", roles=["operator"], area=COUNTRY)


@pytest.mark.parametrize(
    "add",
    [partial(add_agency, command=AGENCY), partial(add_person, command=PERSON)],
    ids=["agency", "person"],
)
def test_second_of_two_is_told(runtime: Runtime, add: Callable[[Context], object]) -> None:
    with runtime.context(OPERATOR) as ctx:
        import_areas(ctx, f"code,parent_code,level,name\n{COUNTRY},,1,湖北省\n".encode())

    def add_too() -> None:
        with runtime.context(OPERATOR) as ctx, pytest.raises(AlreadyThere):
            add(ctx)

    with ThreadPoolExecutor(1) as pool:
        with runtime.context(OPERATOR) as ctx:
            add(ctx)
            second = pool.submit(add_too)
            wait_until_blocked(runtime.engine, second)
        second.result()
