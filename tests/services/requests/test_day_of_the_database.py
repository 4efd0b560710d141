"""Python and the database say the same day, wherever `ONEFORM_TIMEZONE` is."""

from __future__ import annotations

import datetime as dt
import shutil
import zoneinfo
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from factories import asks_of, field, make_agency, make_county, make_fields, make_request

from oneform import migrations
from oneform.cli import main
from oneform.config import Settings, SettingsError
from oneform.identity.policy import OPERATOR
from oneform.kernel.clock import Clock
from oneform.runtime import Runtime

EASTERN, WESTERN = "Pacific/Kiritimati", "Pacific/Pago_Pago"
"""25 hours apart: at any instant one of them has another day than Shanghai."""


@pytest.fixture
def elsewhere(settings: Settings) -> Iterator[Runtime]:
    """A runtime with the real clock, in a zone where it is not the day of Shanghai."""
    in_shanghai = Clock().today()
    zone = next(zone for zone in (EASTERN, WESTERN) if Clock(zone).today() != in_shanghai)
    runtime = Runtime(replace(settings, timezone=zone))
    yield runtime
    runtime.close()


def test_field_that_is_in_force_today_elsewhere_is_asked(elsewhere: Runtime) -> None:
    with elsewhere.context(OPERATOR) as ctx:
        today = ctx.today()
        make_county(ctx)
        day = today.isoformat()
        make_fields(ctx, field("test.of_one_day", effective_from=day, expires_on=day))
        agency = make_agency(ctx, "health")
        due = today + dt.timedelta(days=30)
        make_request(ctx, agency, ["test.of_one_day"], period=str(today.year), due=due)
        assert asks_of(ctx)


@pytest.mark.parametrize("zone", ["Asia/Urumqi", "Asia/Shanghai", EASTERN, WESTERN])
def test_every_connection_of_a_runtime_carries_the_zone(settings: Settings, zone: str) -> None:
    runtime = Runtime(replace(settings, timezone=zone))
    for _ in range(2):  # the second time after all connections were lost
        with runtime.engine.connect() as one, runtime.engine.connect() as other:
            for connection in (one, other):
                said = connection.exec_driver_sql(
                    "SELECT current_setting('oneform.timezone'), current_setting('timezone'), "
                    "oneform_today(), now()"
                ).one()
                assert tuple(said[:3]) == (zone, "UTC", runtime.clock.day_of(said[3]))
        runtime.close()


class TestZoneThatTheDatabaseDoesNotKnow:
    @pytest.fixture(autouse=True)
    def of_this_machine(self, tmp_path: Path) -> Iterator[None]:
        """A zone that only Python knows: Moon/Tycho."""
        known = zoneinfo.TZPATH
        place = next(Path(folder, "UTC") for folder in known if Path(folder, "UTC").exists())
        (tmp_path / "zones" / "Moon").mkdir(parents=True)
        shutil.copy(place, tmp_path / "zones" / "Moon" / "Tycho")
        zoneinfo.reset_tzpath([str(tmp_path / "zones"), *known])
        yield
        zoneinfo.ZoneInfo.clear_cache(only_keys=["Moon/Tycho"])
        zoneinfo.reset_tzpath(known)

    def test_migrating_is_refused_in_words(self, database_url: str) -> None:
        with pytest.raises(SettingsError, match="ONEFORM_TIMEZONE='Moon/Tycho': is no time zone"):
            migrations.upgrade(database_url, "Moon/Tycho")

    def test_command_is_refused_in_one_line(self, database_url: str) -> None:
        environment = {"ONEFORM_DATABASE_URL": database_url, "ONEFORM_TIMEZONE": "Moon/Tycho"}
        result = CliRunner().invoke(main, ["db", "upgrade"], env=environment)
        assert result.exit_code != 0
        assert "is no time zone that the database knows" in result.stderr
        assert len(result.stderr.splitlines()) == 1
