"""Putting a dump in the place of what a database holds: all of it, or nothing.

One transaction empties the schema and fills it, so that whatever fails leaves
the database as it was, and whoever reads meanwhile waits. The rest of the
installation may go on: its connections are ended, and it makes new ones.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from contextlib import ExitStack
from typing import IO

from oneform.cli.postgres_tools import ToolFailed, Tools, running
from oneform.kernel.outbox import CHANNEL

ATTEMPTS = 5
"""To have the tables alone: somebody else's transaction may collide with ours."""

READY = b"ready to be filled\n"

# What belongs to an extension is the administrator's, and stays.
_EMPTY = r"""
\set ON_ERROR_STOP on
SET client_min_messages = warning;
BEGIN;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user;
DO $$
DECLARE
  command text;
BEGIN
  -- All commands first: the catalogue says nothing of what a CASCADE has taken along.
  FOREACH command IN ARRAY (
    SELECT coalesce(array_agg(format('DROP %s IF EXISTS %s CASCADE', made.kind, made.name)
                              ORDER BY made.place), '{}')
    FROM (
      SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                            WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
             c.oid::regclass::text AS name, CASE WHEN c.relkind IN ('r', 'p') THEN 1 ELSE 2 END AS place
      FROM pg_class AS c
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
        AND NOT c.relispartition
        AND NOT EXISTS (SELECT FROM pg_depend AS d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype = 'e')
      UNION ALL
      SELECT 'ROUTINE', p.oid::regprocedure::text, 3 FROM pg_proc AS p
      WHERE p.pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend AS d
                        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                          AND d.deptype = 'e')) AS made)
  LOOP
    EXECUTE command;
  END LOOP;
END $$;
\echo ready to be filled
"""

# Runs that go on from before must find no row of theirs: numbers far from all that were given out.
_FINISH = f"""
UPDATE public.outbox SET leased_until = NULL, lease = lease + 1000000;
COMMIT;
ANALYZE;
NOTIFY {CHANNEL};
"""

_SCHEMA = b"CREATE SCHEMA public;\n"
"""It is there: emptied, not dropped."""

_NEWER_SETTING = b"SET transaction_timeout ="
"""Written by PostgreSQL 17 and newer into every script, and unknown to older servers."""


def fill(tools: Tools, dump: IO[bytes], server_major: int) -> None:
    """Replace what the database holds with a dump. ToolFailed, and nothing done, if that fails."""
    with ExitStack() as stack:
        psql = _emptied(stack, tools)
        assert psql.stdin is not None
        # Comments: that on the schema is its owner's, and there are no others.
        restore = tools.command(
            *("pg_restore", "--file=-", "--no-owner", "--no-privileges", "--no-comments")
        )
        with running(restore, tools, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as script:
            feeding = _Feeding(dump, script)
            assert script.stdout is not None
            for line in script.stdout:
                if line == _SCHEMA:
                    break  # the settings are over, and the bulk begins
                if server_major >= 17 or not line.startswith(_NEWER_SETTING):
                    psql.stdin.write(line)
            shutil.copyfileobj(script.stdout, psql.stdin, 1 << 20)
            feeding.finish()
        psql.stdin.write(_FINISH.encode())


def _emptied(stack: ExitStack, tools: Tools) -> subprocess.Popen[bytes]:
    """A psql in a transaction in which the schema is empty, and ours alone."""
    command = tools.command("psql", "--no-psqlrc", "--quiet", "--output=/dev/null")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with ExitStack() as tried:
                psql = tried.enter_context(
                    running(command, tools, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                )
                assert psql.stdin is not None
                assert psql.stdout is not None
                psql.stdin.write(_EMPTY.encode())
                psql.stdin.flush()
                if psql.stdout.readline() == READY:
                    stack.push(tried.pop_all())
                    return psql
        except ToolFailed as error:
            if attempt == ATTEMPTS or "deadlock" not in str(error):
                raise
    raise ToolFailed("psql: ended before its work was done")


class _Feeding:
    """Gives pg_restore its dump from a thread, while its script is read."""

    def __init__(self, dump: IO[bytes], process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._feed, args=(dump, process.stdin), daemon=True)
        self._thread.start()

    def _feed(self, dump: IO[bytes], into: IO[bytes]) -> None:
        try:
            shutil.copyfileobj(dump, into, 1 << 20)
            into.close()
        except BrokenPipeError:
            pass  # it has ended, and says why itself
        except BaseException as error:
            self._error = error

    def finish(self) -> None:
        self._thread.join()
        if self._error is not None:
            raise self._error
