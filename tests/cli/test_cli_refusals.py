"""Bad input to every command: told in words, with its status, and nothing half-done."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from cli_refusals import COUNTY, FILES, NO_DATABASE, REFUSED, WELL, Refused, commands
from click.testing import CliRunner, Result
from factories import field, make_county, make_fields

from oneform.cli import main
from oneform.config import Settings
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.people import AddPerson, add_person
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime

AWAY = "postgresql://somebody@127.0.0.1:1/nothing"
WITHOUT_DATABASE = {"up", "demo", "settings", "catalog check"}
"""`up` and `demo` start their own; they have tests of theirs."""
STARTING_ONE = {"db upgrade", "db restore"}
"""For themselves, where none runs."""

TABLES = (
    *("area", "area_change", "agency", "api_client", "staff", "subject", "field", "source"),
    *("cell_value", "value_import_block", "outbox"),
)


@pytest.fixture(scope="module")
def world(module_database_url: str) -> Iterator[Runtime]:
    runtime = Runtime(Settings(database_url=module_database_url, secret_key="k" * 40))
    with runtime.context(OPERATOR) as ctx:
        make_county(ctx)
        add_agency(ctx, AddAgency(code="stats", name="统计局", area=COUNTY))
        add_person(ctx, AddPerson(username="wang", roles=["staff"], area=COUNTY))
        make_fields(ctx, field("pop.total"))
    yield runtime
    runtime.close()


@pytest.fixture(scope="module")
def place(world: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the table, a backup, and a source whose file is lost."""
    place = tmp_path_factory.mktemp("place")
    (place / "folder").mkdir()
    for name, text in FILES.items():
        (place / name).write_text(text, encoding="utf-8")
    files = place / "home" / "files"
    files.mkdir(parents=True)
    (files / "villages.csv").write_text("code,total\n", encoding="utf-8")
    (files / "lost.csv").write_text("code,total\n", encoding="utf-8")
    lost = FILES["source.yaml"].replace("villages", "lost")
    (place / "lost.yaml").write_text(lost, encoding="utf-8")
    for words in ("sources add {dir}/lost.yaml", "db backup {dir}/good.backup"):
        result = call(world, place, words)
        assert result.exit_code == 0, result.stderr
    (files / "lost.csv").unlink()
    return place


def call(
    world: Runtime, place: Path, words: str | list[str], typed: bytes = b"", **environment: str
) -> Result:
    arguments = shlex.split(words) if isinstance(words, str) else words
    env: dict[str, str | None] = {
        "ONEFORM_HOME": str(place / "home"),
        "ONEFORM_DATABASE_URL": world.settings.database_url,
        "ONEFORM_TODAY": "2026-03-16",
        **{name: value.replace("{dir}", str(place)) for name, value in environment.items()},
    }
    arguments = [word.replace("{dir}", str(place)) for word in arguments]
    return CliRunner().invoke(main, arguments, env=env, input=typed)


Call = Callable[..., Result]


@pytest.fixture
def run(world: Runtime, place: Path) -> Iterator[Call]:
    """The command line; what is refused has changed nothing."""

    def contents() -> object:
        with world.context(OPERATOR) as ctx:
            rows = {name: ctx.sql(f"SELECT count(*) FROM {name}").scalar_one() for name in TABLES}
        return rows, sorted(path.name for path in place.iterdir())

    before = contents()
    yield lambda words, typed=b"", **environment: call(world, place, words, typed, **environment)
    assert contents() == before


def assert_told(result: Result, status: int) -> None:
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == status, result.stderr
    for word in ("Traceback", "fault in oneform", "Error("):
        assert word not in result.stderr


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.command} {case.arguments}"[:60])
def test_bad_input_is_refused_in_words(run: Call, case: Refused) -> None:
    told = run(f"{case.command} {case.arguments}", case.typed, **case.environment)
    assert_told(told, 1)
    for words in case.words:
        assert words in told.stderr
    as_json = run(f"{case.command} {case.arguments} --json", case.typed, **case.environment)
    assert_told(as_json, 1)
    assert as_json.stderr == told.stderr
    if case.problem is not None:
        assert json.loads(as_json.stdout)["type"] == f"urn:oneform:problem:{case.problem}"
        assert told.stdout == ""


def _words(name: str) -> list[str]:
    return [*name.split(), *shlex.split(WELL[name])]


def _of_type(*kinds: type[click.ParamType]) -> list[tuple[str, click.Parameter]]:
    """(command, parameter) of these types."""
    return [
        (name, parameter)
        for name, command in commands()
        for parameter in command.params
        if isinstance(parameter.type, kinds) and parameter.expose_value
    ]


def _with(name: str, parameter: click.Parameter, value: str) -> list[str]:
    """The right call with another value for one parameter."""
    words = _words(name)
    if isinstance(parameter, click.Option):
        option = parameter.opts[0]
        if option in words:
            words[words.index(option) + 1] = value
            return words
        return [*words, option, value]
    command = dict(commands())[name]
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    words[len(name.split()) + arguments.index(parameter)] = value
    return words


@pytest.mark.parametrize("name", WELL)
def test_wrong_usage_ends_with_two(run: Call, name: str) -> None:
    for surplus in (["--nonsense"], ["surplus"]):
        assert_told(run([*_words(name), *surplus]), 2)
    command = dict(commands())[name]
    if any(parameter.required for parameter in command.params):
        told = run(name)
        assert_told(told, 2)
        assert "Missing" in told.stderr


FILE_ARGUMENTS = [
    (name, parameter)
    for name, parameter in _of_type(click.Path)
    if isinstance(parameter.type, click.Path) and parameter.type.exists
]


@pytest.mark.parametrize(("name", "parameter"), FILE_ARGUMENTS, ids=str)
def test_file_that_is_not_there_or_no_file_is_wrong_usage(
    run: Call, name: str, parameter: click.Parameter
) -> None:
    told = run(_with(name, parameter, "{dir}/absent.csv"))
    assert_told(told, 2)
    assert "absent.csv' does not exist" in told.stderr
    told = run(_with(name, parameter, "{dir}/folder"))
    assert_told(told, 1 if name.startswith("catalog") else 2)
    assert "folder" in told.stderr


@pytest.mark.parametrize("name", ["areas export", "catalog export", "db backup"])
def test_folder_is_no_file_to_write(run: Call, name: str) -> None:
    told = run([*name.split(), "{dir}/folder"])
    assert_told(told, 2)
    assert "is a directory" in told.stderr


@pytest.mark.parametrize(("name", "parameter"), _of_type(click.types.StringParamType), ids=str)
def test_words_of_another_encoding_are_wrong_usage(
    run: Call, name: str, parameter: click.Parameter
) -> None:
    """As they come from a terminal that speaks GBK."""
    told = run(_with(name, parameter, b"\xd6\xd0\xb9\xfa".decode("utf-8", "surrogateescape")))
    assert_told(told, 2)
    assert "is no line of text in UTF-8" in told.stderr
    if parameter.required:
        told = run(_with(name, parameter, " "))
        assert_told(told, 2)
        assert "is empty" in told.stderr


@pytest.mark.parametrize(("name", "parameter"), _of_type(click.IntRange), ids=str)
def test_wrong_number_is_wrong_usage(run: Call, name: str, parameter: click.Parameter) -> None:
    for number in ("0", "65536", "-1", "1.5", "many", ""):
        assert_told(run(_with(name, parameter, number)), 2)


@pytest.mark.parametrize("day", ["soon", "2026-02-30", "2026-1-1 12:00", "20260101", ""])
def test_wrong_day_is_wrong_usage(run: Call, day: str) -> None:
    for name, parameter in _of_type(click.DateTime):
        assert_told(run(_with(name, parameter, day)), 2)


@pytest.mark.parametrize("name", sorted(set(WELL) - WITHOUT_DATABASE))
def test_database_that_is_away_is_told_in_one_line(run: Call, name: str) -> None:
    told = run(_words(name), b"correct horse\n", ONEFORM_DATABASE_URL=AWAY)
    assert_told(told, 1)
    assert (told.stdout, len(told.stderr.splitlines())) == ("", 1)
    assert told.stderr.startswith("the database does not answer")


@pytest.mark.parametrize("name", sorted(set(WELL) - WITHOUT_DATABASE - STARTING_ONE))
def test_without_a_server_it_is_said_what_to_do(run: Call, name: str) -> None:
    told = run([*_words(name), "--data-dir", "{dir}/absent"], b"correct horse\n", **NO_DATABASE)
    assert_told(told, 1)
    assert (told.stdout, len(told.stderr.splitlines())) == ("", 1)
    assert "/absent" in told.stderr
    assert "--data-dir" in told.stderr


@contextmanager
def setting(world: Runtime, name: str, value: str) -> Iterator[None]:
    """What new connections to the database begin with."""
    database = world.engine.url.database
    with world.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"ALTER DATABASE {database} SET {name} TO {value}"))
        yield
        connection.execute(sa.text(f"ALTER DATABASE {database} RESET {name}"))


@pytest.mark.parametrize(
    "name",
    [name for name in WELL if name not in WITHOUT_DATABASE and not name.startswith("db ")],
)
def test_database_without_tables_is_told_in_one_line(run: Call, world: Runtime, name: str) -> None:
    with setting(world, "search_path", "nowhere"):
        told = run(_words(name), b"correct horse\n")
    assert_told(told, 1)
    assert told.stderr == (
        "the database has no tables of this version yet: run `oneform db upgrade`\n"
    )


def test_database_that_takes_nothing_in_is_told_in_one_line(run: Call, world: Runtime) -> None:
    with setting(world, "default_transaction_read_only", "on"):
        told = run(_words("agencies add"))
    assert_told(told, 1)
    assert (told.stdout, len(told.stderr.splitlines())) == ("", 1)
    assert told.stderr.startswith("the database does not permit it: ")


@pytest.mark.parametrize("name", ["db backup", "db restore"])
@pytest.mark.parametrize("stream", ["/dev/null", "-"])
def test_backup_is_an_ordinary_file(run: Call, name: str, stream: str) -> None:
    """Written to a device it would take the device's place."""
    assert_told(run([*name.split(), stream]), 2)
    assert Path("/dev/null").is_char_device()
    assert not Path("-").exists()


@pytest.mark.parametrize("name", ["new.csv", "new.XLSX"])
def test_bundle_is_no_table(run: Call, name: str) -> None:
    told = run(f"catalog export {{dir}}/{name}")
    assert_told(told, 2)
    assert "/api/v1/catalog.csv" in told.stderr


def test_table_of_areas_is_no_json_document(run: Call) -> None:
    told = run("areas export - --json")
    assert_told(told, 2)
    assert told.stdout == ""


@pytest.mark.parametrize("name", WELL)
def test_wrong_setting_is_told_in_one_line(run: Call, name: str) -> None:
    told = run(_words(name), b"correct horse\n", ONEFORM_TIMEZONE="Asia")
    assert_told(told, 1)
    assert told.stderr == "ONEFORM_TIMEZONE='Asia': is no time zone that this machine knows\n"
    assert told.stdout == ""
