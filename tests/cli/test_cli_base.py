"""The behaviour that every command shares: options, output, and how errors are told."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from oneform.cli import COMMANDS, main
from oneform.cli.base import CliSession, command_group, pass_runtime
from oneform.kernel.errors import Invalid, Mistake

things = command_group("things", "Commands of this test.")


@things.command()
@pass_runtime
def today(session: CliSession) -> None:
    with session.context() as ctx:
        ctx.sql("SELECT 1")
        session.result({"day": ctx.today(), "actor": ctx.actor.label}, text="words")


@things.command()
@pass_runtime
def refused(session: CliSession) -> None:
    raise Invalid(
        "The file has mistakes.",
        mistakes=[
            Mistake("line 2", "wrong-level", "level must be\n1 to 6"),
            Mistake("line 7", "no-parent", "there is no parent 42"),
        ],
    )


@things.command()
@pass_runtime
def unread(session: CliSession) -> None:
    Path("/nowhere/at/all.csv").read_text()


@things.command()
@pass_runtime
def broken(session: CliSession) -> None:
    raise ZeroDivisionError("nothing to divide by")


def run(*args: str, env: dict[str, str | None] | None = None) -> Result:
    return CliRunner().invoke(things, list(args), env=env)


def test_every_command_takes_json_after_its_name(database_url: str) -> None:
    env: dict[str, str | None] = {
        "ONEFORM_DATABASE_URL": database_url,
        "ONEFORM_TODAY": "2026-03-16",
    }
    result = run("today", "--json", env=env)
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"day": "2026-03-16", "actor": "operator"}
    assert json.loads(run("--json", "today", env=env).stdout)["day"] == "2026-03-16"
    assert run("today", env=env).stdout == "words\n"


def test_refused_input_names_every_mistake_on_a_line_of_its_own() -> None:
    result = run("refused")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "The file has mistakes.",
        "line 2: level must be 1 to 6",
        "line 7: there is no parent 42",
    ]
    assert result.stdout == ""


def test_refused_input_with_json_prints_one_document_too() -> None:
    result = run("refused", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert [error["pointer"] for error in document["errors"]] == ["line 2", "line 7"]


def test_without_a_server_one_line_says_what_to_do(tmp_path: Path) -> None:
    result = run("today", "--data-dir", str(tmp_path), env={"ONEFORM_DATABASE_URL": None})
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert f"no server is running in {tmp_path}" in result.stderr


def test_a_server_that_does_not_answer_is_told_without_a_trace() -> None:
    url = "postgresql://nobody@127.0.0.1:1/nothing"
    result = run("today", env={"ONEFORM_DATABASE_URL": url, "ONEFORM_REDIS_URL": "redis://x"})
    assert result.exit_code == 1
    assert result.stderr.startswith("the database does not answer")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("setting", ["ONEFORM_RATE_LIMIT", "ONEFORM_TIMEZONE"])
def test_a_setting_that_cannot_be_right_is_told_in_one_line(setting: str) -> None:
    result = run("today", env={setting: "nonsense"})
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(f"{setting}='nonsense'")


def test_an_unreadable_file_is_named() -> None:
    result = run("unread")
    assert result.exit_code == 1
    assert result.stderr == "/nowhere/at/all.csv: No such file or directory\n"


def test_an_unexpected_error_shows_no_trace() -> None:
    result = run("broken")
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unexpected_error_shows_where_when_debugging() -> None:
    result = run("broken", env={"ONEFORM_LOG_LEVEL": "debug"})
    assert "Traceback" in result.stderr


@pytest.mark.parametrize("args", [["nonsense"], ["today", "--nonsense"], ["today", "surplus"]])
def test_wrong_usage_is_two(args: list[str]) -> None:
    assert run(*args).exit_code == 2


def test_every_command_that_exists_is_found_and_takes_the_common_options() -> None:
    context = click.Context(main)
    names = main.list_commands(context)
    assert set(names) <= set(COMMANDS)
    assert "settings" in names

    def leaves(command: click.Command) -> list[click.Command]:
        if isinstance(command, click.Group):
            return [leaf for child in command.commands.values() for leaf in leaves(child)]
        return [command]

    for name in names:
        command = main.get_command(context, name)
        assert command is not None
        for leaf in leaves(command):
            options = {option for parameter in leaf.params for option in parameter.opts}
            assert {"--json", "--data-dir"} <= options, leaf.name
