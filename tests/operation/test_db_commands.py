"""`oneform db`: upgrade, backup, and above all restore."""

from __future__ import annotations

import io
import json
import stat
import tarfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from click.testing import CliRunner, Result

from oneform import migrations
from oneform.areas.service import import_areas
from oneform.cli import backup_file, main, restoring
from oneform.cli import db as db_commands
from oneform.cli.postgres_tools import ToolFailed, Tools, tools_for
from oneform.config import Settings
from oneform.engines import find_engines
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.policy import OPERATOR
from oneform.kernel.outbox import JobName
from oneform.runtime import Runtime
from workers.lease import claim

AREAS = """code,parent_code,level,name
420000000000,,1,湖北省
420100000000,420000000000,2,武汉市
420102000000,420100000000,3,江岸区
""".encode()


class SomeJob(JobName):
    SLEEP = "sleep"


KEY = "k" * 40
FINGERPRINT = backup_file.fingerprint(Settings(secret_key=KEY))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, filled: Runtime, tmp_path: Path) -> None:
    """Commands work on the test's database, and on nothing else."""
    for name in ("TEST_DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(f"ONEFORM_{name}", raising=False)
    monkeypatch.setenv("ONEFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ONEFORM_DATABASE_URL", str(filled.settings.database_url))
    monkeypatch.setenv("ONEFORM_SECRET_KEY", KEY)


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> Iterator[Runtime]:
    """A database with something in it. Tests share it: each leaves it as it was, or restores it."""
    runtime = Runtime(Settings(database_url=module_database_url, secret_key=KEY))
    with runtime.context(OPERATOR) as ctx:
        import_areas(ctx, AREAS)
        add_agency(ctx, AddAgency(code="stats", name="统计局", area="420102000000"))
        ctx.outbox.enqueue(SomeJob.SLEEP, seconds=3)
    yield runtime
    runtime.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "backups of the day"
    folder.mkdir()
    return folder / "x.backup"


@pytest.fixture(scope="module")
def backup_bytes(filled: Runtime, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a backup of it."""
    file = tmp_path_factory.mktemp("backup") / "x.backup"
    environment = {"ONEFORM_TEST_DATABASE_URL": None, "ONEFORM_SECRET_KEY": KEY}
    url = {"ONEFORM_DATABASE_URL": str(filled.settings.database_url)}
    result = CliRunner().invoke(main, ["db", "backup", str(file)], env={**environment, **url})
    assert result.exit_code == 0, result.stderr
    return file.read_bytes()


@pytest.fixture
def saved(backup_bytes: bytes, file: Path) -> Path:
    """A backup of it."""
    file.write_bytes(backup_bytes)
    return file


def oneform(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def contents(runtime: Runtime) -> dict[str, str]:
    """A sum over all rows of each table, apart from who works on what."""
    with runtime.engine.connect() as connection:
        tables = connection.scalars(
            sa.text(
                "SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relkind IN ('r', 'p') "
                "AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition"
            )
        ).all()
        return {
            table: connection.scalar(
                sa.text(
                    "SELECT md5(string_agg(line, '|' ORDER BY line)) FROM "
                    f"(SELECT (to_jsonb(t) - 'lease' - 'leased_until')::text FROM {table} AS t) "
                    "AS rows (line)"
                )
            )
            for table in tables
        }


def spoil(runtime: Runtime) -> None:
    with runtime.context(OPERATOR) as ctx:
        ctx.sql("UPDATE agency SET code = 'spoilt'")
        ctx.sql("CREATE TABLE left_over AS SELECT 1 AS one")
        ctx.sql("DELETE FROM outbox")


class TestBackup:
    def test_file_is_for_its_owner_only_and_alone(self, file: Path) -> None:
        assert oneform("db", "backup", str(file)).exit_code == 0
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert list(file.parent.iterdir()) == [file]

    def test_note_tells_the_key_apart_without_giving_it_away(self, saved: Path) -> None:
        with tarfile.open(saved) as archive:
            assert archive.getnames() == ["database.dump", "oneform-backup.json"]
        assert KEY.encode() not in saved.read_bytes()
        with backup_file.open_backup(saved) as (note, _):
            assert note.secret_key == FINGERPRINT
            assert note.schema == migrations.head()

    def test_file_that_is_there_is_replaced(self, saved: Path) -> None:
        saved.write_text("of yesterday")
        assert oneform("db", "backup", str(saved)).exit_code == 0
        with backup_file.open_backup(saved):
            pass

    def test_half_a_backup_is_none(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        before = saved.read_bytes()
        half = ["/bin/sh", "-c", "echo half of it; echo 'pg_dump: error: no more' >&2; exit 3"]
        monkeypatch.setattr(Tools, "command", lambda *_: half)
        result = oneform("db", "backup", str(saved))
        assert (result.exit_code, result.stderr) == (1, "sh: pg_dump: error: no more\n")
        assert saved.read_bytes() == before
        assert list(saved.parent.iterdir()) == [saved]

    def test_folder_that_is_not_there_is_told(self, filled: Runtime, tmp_path: Path) -> None:
        result = oneform("db", "backup", str(tmp_path / "nowhere" / "x.backup"))
        assert result.exit_code == 1
        assert "No such file or directory" in result.stderr

    def test_file_has_to_be_named(self) -> None:
        assert oneform("db", "backup").exit_code == 2

    def test_with_json_it_prints_one_document(self, filled: Runtime, file: Path) -> None:
        document = json.loads(oneform("db", "backup", str(file), "--json").stdout)
        assert document["bytes"] == file.stat().st_size


class TestRestore:
    def test_brings_back_exactly_what_there_was(self, filled: Runtime, saved: Path) -> None:
        before = contents(filled)
        spoil(filled)
        result = oneform("db", "restore", str(saved))
        assert result.exit_code == 0, result.stderr
        assert contents(filled) == before

    def test_what_was_replaced_can_be_had_back(
        self, filled: Runtime, saved: Path, tmp_path: Path
    ) -> None:
        spoil(filled)
        spoilt = contents(filled)
        kept = json.loads(oneform("db", "restore", str(saved), "--json").stdout)["kept"]
        assert list((tmp_path / "home" / "backups").iterdir()) == [Path(kept)]
        assert oneform("db", "restore", "--discard", kept).exit_code == 0
        assert contents(filled) == spoilt
        assert oneform("db", "restore", "--discard", str(saved)).exit_code == 0
        assert contents(filled) != spoilt

    def test_fills_an_empty_database(
        self, saved: Path, filled: Runtime, postgres_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = contents(filled)
        with empty_database(postgres_url) as url:
            monkeypatch.setenv("ONEFORM_DATABASE_URL", url)
            result = oneform("db", "restore", str(saved))
            assert result.exit_code == 0, result.stderr
            runtime = Runtime(Settings(database_url=url))
            after = contents(runtime)
            runtime.close()
        assert after == before

    def test_numbers_go_on_where_they_were(self, filled: Runtime, saved: Path) -> None:
        with filled.context(OPERATOR) as ctx:
            last = ctx.sql("SELECT max(id) FROM outbox").scalar_one()
        assert oneform("db", "restore", str(saved)).exit_code == 0
        with filled.context(OPERATOR) as ctx:
            ctx.outbox.enqueue(SomeJob.SLEEP)
            assert ctx.sql("SELECT max(id) FROM outbox").scalar_one() == last + 1

    def test_rules_of_the_database_are_back_too(self, filled: Runtime, saved: Path) -> None:
        query = sa.text(
            "SELECT (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_constraint), "
            "(SELECT count(*) FROM pg_indexes), (SELECT count(*) FROM pg_inherits)"
        )
        with filled.engine.connect() as connection:
            before = connection.execute(query).one()
        assert oneform("db", "restore", str(saved)).exit_code == 0
        with filled.engine.connect() as connection:
            assert connection.execute(query).one() == before

    def test_work_that_was_in_hand_is_handed_over_again(self, filled: Runtime, file: Path) -> None:
        with filled.context(OPERATOR) as ctx:
            row, lease = ctx.sql(
                "UPDATE outbox SET lease = 7, leased_until = now() + interval '1 h' "
                "RETURNING id, lease"
            ).one()
        assert oneform("db", "backup", str(file)).exit_code == 0
        assert oneform("db", "restore", str(file)).exit_code == 0
        with filled.context(OPERATOR) as ctx:
            assert ctx.sql("SELECT leased_until FROM outbox").scalar_one() is None
        assert claim(filled.engine, row, lease, 30) is None

    def test_old_schema_is_brought_to_the_newest(
        self,
        saved: Path,
        filled: Runtime,
        file: Path,
        postgres_url: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with empty_database(postgres_url) as url:
            command.upgrade(migrations.config(url), "0001")
            monkeypatch.setenv("ONEFORM_DATABASE_URL", url)
            assert oneform("db", "backup", str(file)).exit_code == 0
        monkeypatch.setenv("ONEFORM_DATABASE_URL", str(filled.settings.database_url))
        result = oneform("db", "restore", str(file))
        assert result.exit_code == 0, result.stderr
        with filled.engine.connect() as connection:
            assert migrations.current(connection) == migrations.head()

    def test_goes_in_while_others_work(self, filled: Runtime, saved: Path) -> None:
        over, done = threading.Event(), []

        def work() -> None:
            while not over.is_set():
                try:
                    with filled.context(OPERATOR) as ctx:
                        ctx.sql("SELECT FROM agency FOR UPDATE")
                        ctx.outbox.enqueue(SomeJob.SLEEP)
                    done.append(1)
                except sa.exc.DBAPIError:
                    pass  # its connection was ended: it makes another one

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            result = oneform("db", "restore", "--discard", str(saved))
            before = len(done)
            while len(done) < before + 10:
                assert all(thread.is_alive() for thread in threads)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        assert result.exit_code == 0, result.stderr

    def test_other_key_is_warned_of(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ONEFORM_SECRET_KEY", "another key, thirty-two characters long")
        result = oneform("db", "restore", str(saved))
        assert result.exit_code == 0
        assert f"under the secret key {FINGERPRINT}" in result.stderr


class TestRefusedRestore:
    """Whatever is refused, or fails, changes nothing."""

    @pytest.fixture(autouse=True)
    def unchanged(self, filled: Runtime) -> Iterator[None]:
        before = contents(filled)
        yield
        assert contents(filled) == before

    def refusal(self, file: Path) -> str:
        result = oneform("db", "restore", str(file))
        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1
        return result.stderr

    def test_damaged_file(self, saved: Path) -> None:
        content = bytearray(saved.read_bytes())
        content[20_000] ^= 1
        saved.write_bytes(content)
        assert "is damaged" in self.refusal(saved)

    @pytest.mark.parametrize("size", [0, 100, 512, 20_000, "note", "within the note"])
    def test_file_that_is_cut_off(self, saved: Path, size: int | str) -> None:
        content = saved.read_bytes()
        if isinstance(size, str):
            size = content.index(b"oneform-backup.json") + (600 if "within" in size else 0)
        saved.write_bytes(content[:size])
        assert "no backup of oneform, or not whole" in self.refusal(saved)

    def test_file_of_something_else(self, file: Path) -> None:
        file.write_bytes(b"PGDMP" + bytes(2000))
        assert "no backup of oneform" in self.refusal(file)

    @pytest.mark.parametrize(
        ("member", "value", "words"),
        [
            ("backup", "oneform-backup/9", "format of another oneform"),
            ("schema", "9999", "made by a newer oneform"),
            ("surprise", 1, "note cannot be read"),
            ("dump_bytes", 3, "is damaged"),
        ],
    )
    def test_note_that_does_not_fit(
        self, saved: Path, member: str, value: object, words: str
    ) -> None:
        with tarfile.open(saved) as archive:
            dump = archive.extractfile("database.dump")
            note = archive.extractfile("oneform-backup.json")
            assert dump is not None
            assert note is not None
            parts = {
                "database.dump": dump.read(),
                "oneform-backup.json": json.dumps({**json.load(note), member: value}).encode(),
            }
        with tarfile.open(saved, "w") as archive:
            for name, content in parts.items():
                header = tarfile.TarInfo(name)
                header.size = len(content)
                archive.addfile(header, io.BytesIO(content))
        assert words in self.refusal(saved)

    def test_failure_on_the_last_line(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(restoring, "_FINISH", "SELECT 1/0;\n" + restoring._FINISH)
        assert "division by zero" in self.refusal(saved)

    def test_failure_of_the_reader(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        original = Tools.command

        def command_of(tools: Tools, program: str, *options: str) -> list[str]:
            if program == "pg_restore":
                return ["/bin/sh", "-c", "head -c 1000 >/dev/null; echo 'error: torn' >&2; exit 1"]
            return original(tools, program, *options)

        monkeypatch.setattr(Tools, "command", command_of)
        assert "error: torn" in self.refusal(saved)

    def test_file_that_is_not_there(self, file: Path) -> None:
        assert oneform("db", "restore", str(file)).exit_code == 2


class TestUpgrade:
    def test_makes_the_tables_and_may_be_repeated(
        self, postgres_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with empty_database(postgres_url) as url:
            monkeypatch.setenv("ONEFORM_DATABASE_URL", url)
            first = oneform("db", "upgrade", "--json")
            again = oneform("db", "upgrade", "--json")
        head = migrations.head()
        assert json.loads(first.stdout).items() >= {"from": None, "to": head}.items()
        assert json.loads(again.stdout).items() >= {"from": head, "to": head}.items()

    def test_a_server_with_room_for_few_locks_is_advised_against(
        self, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ONEFORM_DATABASE_URL", str(runtime.settings.database_url))
        monkeypatch.setattr(db_commands, "LOCKS", 1)
        assert json.loads(oneform("db", "upgrade", "--json").stdout)["advice"] == []
        monkeypatch.setattr(db_commands, "LOCKS", 100_000)
        [advice] = json.loads(oneform("db", "upgrade", "--json").stdout)["advice"]
        assert "set it to 100000 and restart the server" in advice
        assert advice in oneform("db", "upgrade").stdout

    def test_schema_of_a_newer_oneform_is_left_alone(
        self, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ONEFORM_DATABASE_URL", str(runtime.settings.database_url))
        with runtime.context(OPERATOR) as ctx:
            ctx.sql("UPDATE alembic_version SET version_num = '9999'")
        result = oneform("db", "upgrade")
        assert result.exit_code == 1
        assert "the schema 9999 of a newer oneform" in result.stderr

    def test_empty_database_has_nothing_to_back_up(
        self, postgres_url: str, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with empty_database(postgres_url) as url:
            monkeypatch.setenv("ONEFORM_DATABASE_URL", url)
            result = oneform("db", "backup", str(file))
        assert result.exit_code == 1
        assert result.stderr == "the database is empty: there is nothing to back up\n"


class TestEmbeddedServer:
    """In a data folder in which nothing runs, the server is there for the command."""

    @pytest.fixture(autouse=True)
    def embedded(self, monkeypatch: pytest.MonkeyPatch, environment: None) -> None:
        monkeypatch.delenv("ONEFORM_DATABASE_URL")

    def test_from_one_folder_to_another(self, home: Path, file: Path) -> None:
        assert oneform("db", "upgrade", "--data-dir", str(home)).exit_code == 0
        assert find_engines(home) is None
        assert oneform("db", "backup", str(file), "--data-dir", str(home)).exit_code == 0
        result = oneform("db", "restore", str(file), "--data-dir", str(home), "--json")
        assert result.exit_code == 0, result.stderr
        assert Path(json.loads(result.stdout)["kept"]).parent == home / "backups"
        assert find_engines(home) is None

    def test_folder_that_is_not_there_has_nothing_to_back_up(self, home: Path, file: Path) -> None:
        result = oneform("db", "backup", str(file), "--data-dir", str(home))
        assert result.exit_code == 1
        assert result.stderr.startswith(f"there is no data folder {home}")
        assert not home.exists()


def test_server_newer_than_every_program_is_told(database_url: str) -> None:
    with pytest.raises(ToolFailed, match="no client programs of that version"):
        tools_for(database_url, 99)


def test_password_is_no_argument_that_others_can_read() -> None:
    tools = tools_for("postgresql+psycopg://me:s3cret@h:5/x?sslmode=require", 15)
    command_line = tools.command("pg_dump")
    assert "s3cret" not in " ".join(command_line)
    assert tools.environment()["PGPASSWORD"] == "s3cret"
    assert "sslmode=require" in " ".join(command_line)


class empty_database:
    """A database without tables on the test's server."""

    def __init__(self, postgres_url: str) -> None:
        self._admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
        self._name = f"empty_{uuid.uuid4().hex[:12]}"

    def __enter__(self) -> str:
        with self._admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {self._name}"))
        return self._admin.url.set(database=self._name).render_as_string(hide_password=False)

    def __exit__(self, *_: object) -> None:
        with self._admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {self._name} WITH (FORCE)"))
        self._admin.dispose()
