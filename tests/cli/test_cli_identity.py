"""`oneform agencies …` and `oneform people …`, as an operator uses them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from oneform.areas.service import import_areas
from oneform.cli import main
from oneform.config import Settings
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.policy import OPERATOR, PUBLIC, Role, Scope
from oneform.identity.sessions import authenticate_password
from oneform.identity.tokens import principal_of_token
from oneform.runtime import Runtime

VILLAGE = "420102001001"
AREAS = f"""code,parent_code,level,name
420000000000,,1,湖北省
420100000000,420000000000,2,武汉市
420102000000,420100000000,3,江岸区
420102001000,420102000000,4,大智街道
{VILLAGE},420102001000,5,车站社区
"""

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def cli_runtime(module_database_url: str) -> Iterator[Runtime]:
    runtime = Runtime(Settings(database_url=module_database_url, secret_key="k" * 40))
    with runtime.context(OPERATOR) as ctx:
        import_areas(ctx, AREAS.encode())
        add_agency(ctx, AddAgency(code="stats", name="统计局", area="420102000000"))
    yield runtime
    runtime.close()


@pytest.fixture
def run(cli_runtime: Runtime) -> Run:
    env: dict[str, str | None] = {"ONEFORM_DATABASE_URL": cli_runtime.settings.database_url}

    def run(*args: str, input: str | None = None) -> Result:
        return CliRunner().invoke(main, list(args), env=env, input=input)

    return run


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "given.csv"
        path.write_text(text)
        return str(path)

    return write


def test_key_is_printed_alone_and_works(run: Run, cli_runtime: Runtime) -> None:
    plain = run("agencies", "key", "stats")
    as_json = run("agencies", "key", "stats", "--scope", "data:read", "--json")
    assert plain.exit_code == as_json.exit_code == 0
    document = json.loads(as_json.stdout)
    assert document["scopes"] == ["data:read"]
    with cli_runtime.context(PUBLIC) as ctx:
        for key in (plain.stdout.strip(), document["key"]):
            actor = principal_of_token(ctx, key)
            assert actor is not None
            assert actor.label == "stats"


def test_key_is_revoked(run: Run, cli_runtime: Runtime) -> None:
    issued = json.loads(run("agencies", "key", "stats", "--json").stdout)
    assert run("agencies", "revoke", issued["key_id"]).exit_code == 0
    with cli_runtime.context(PUBLIC) as ctx:
        assert principal_of_token(ctx, issued["key"]) is None
    unknown = run("agencies", "revoke", "nothing")
    assert (unknown.exit_code, unknown.stderr) == (1, "There is no key nothing.\n")


def test_mistakes_of_a_key_are_each_on_a_line(run: Run) -> None:
    result = run(
        "agencies", "key", "stats", "--scope", "all", "--scope", "x", "--expires", "2020-01-01"
    )
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 4
    assert run("agencies", "key", "stats", "--expires", "soon").exit_code == 2
    assert run("agencies", "key", "nobody").exit_code == 1


def test_agency_that_a_bundle_named_is_told_apart_from_a_new_one(
    run: Run, file: Callable[[str], str]
) -> None:
    assert run("agencies", "import", file("code,name\nhealth,卫健局\n")).exit_code == 0
    key = run("agencies", "key", "health")
    assert key.stderr.splitlines() == [
        "shown once; keep it",
        "health reaches no area yet: oneform agencies add health NAME --area CODE",
    ]
    reach = ("--area", "420102000000")
    assert run("agencies", "add", "health", "卫健委", *reach).stdout == (
        "agency health: 卫健委, was there, and reaches 420102000000 now\n"
    )
    assert (
        run("agencies", "add", "sport", "体育局", *reach).stdout == "agency sport: 体育局, added\n"
    )
    assert run("agencies", "key", "health").stderr == "shown once; keep it\n"


def test_help_names_roles_and_scopes(run: Run) -> None:
    roles = " ".join(run("people", "add", "--help").stdout.split())
    assert [role for role in Role if role not in roles] == []
    scopes = " ".join(run("agencies", "key", "--help").stdout.split())
    assert [scope for scope in Scope if scope not in scopes] == []


def test_agency_is_added_and_not_twice(run: Run) -> None:
    added = run("agencies", "add", "schools", "教育局", "--area", "420102000000", "--json")
    assert json.loads(added.stdout)["name"] == {"zh": "教育局"}
    result = run("agencies", "add", "stats", "统计局", "--area", "420102000000")
    assert result.exit_code == 1
    assert result.stderr == "There is an agency stats already.\n"


def test_agency_without_area_is_wrong_usage(run: Run) -> None:
    assert run("agencies", "add", "health", "卫健局").exit_code == 2


def test_agencies_are_imported_from_a_file(run: Run, file: Callable[[str], str]) -> None:
    path = file("code,name,area,parent\ncivil,民政局,420102000000,stats\n")
    counts = [json.loads(run("agencies", "import", path, "--json").stdout) for _ in range(2)]
    assert counts == [
        {"created": 1, "updated": 0, "unchanged": 0},
        {"created": 0, "updated": 0, "unchanged": 1},
    ]


def test_broken_file_of_agencies_names_its_lines(run: Run, file: Callable[[str], str]) -> None:
    result = run("agencies", "import", file("code,name,area\na,甲,1\nb b,乙,\n"))
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in result.stderr.splitlines()[1:]] == [
        "line 2",
        "line 3",
    ]
    assert run("agencies", "import", "/nowhere.csv").exit_code == 2


def test_person_with_a_password_can_log_in_at_once(run: Run, cli_runtime: Runtime) -> None:
    result = run(
        *("people", "add", "zhang", "--role", "staff", "--role", "agency_clerk"),
        *("--area", VILLAGE, "--agency", "stats", "--password-stdin", "--json"),
        input="correct horse\n",
    )
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["roles"] == ["agency_clerk", "staff"]
    assert "correct horse" not in result.output
    with cli_runtime.context(PUBLIC) as ctx:
        assert authenticate_password(ctx, "zhang", "correct horse") is not None
    assert (
        run("people", "password", "zhang", "--password-stdin", input="another one").exit_code == 0
    )
    assert run("people", "disable", "zhang").exit_code == 0
    with cli_runtime.context(PUBLIC) as ctx:
        assert authenticate_password(ctx, "zhang", "another one") is None


def test_wrong_person_is_refused_with_every_mistake(run: Run) -> None:
    result = run(
        *("people", "add", "li", "--role", "king", "--area", "1", "--password-stdin"), input="x\n"
    )
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in result.stderr.splitlines()[1:]] == [
        "/roles",
        "/area",
        "/password",
    ]
    assert run("people", "add", "li", "--area", VILLAGE).exit_code == 2
    assert run("people", "disable", "nobody").exit_code == 1


def test_person_without_a_password_is_told_to_need_one(run: Run) -> None:
    wu = ("people", "add", "wu", "--role", "staff", "--area", VILLAGE)
    assert "cannot log in until `oneform people password wu --password-stdin`" in run(*wu).stdout
    sun = ("people", "add", "sun", "--role", "staff", "--area", VILLAGE, "--password-stdin")
    assert run(*sun, input="correct horse\n").stdout == "sun added\n"


def test_people_are_imported_from_a_file(run: Run, file: Callable[[str], str]) -> None:
    path = file(f"username,roles,area\nwang,staff,{VILLAGE}\nzhao,supervisor,{VILLAGE}\n")
    assert run("people", "import", path).stdout == "2 people created, 0 updated, 0 unchanged\n"
    assert run("people", "import", path).stdout == "0 people created, 0 updated, 2 unchanged\n"
    broken = run("people", "import", file(f"username,roles,area\nqian,king,{VILLAGE}\n"))
    assert broken.exit_code == 1
    assert broken.stderr.splitlines()[1].startswith("line 2: ")
