"""`oneform settings` lists what there is, and keeps secrets to itself."""

from __future__ import annotations

import json

from click.testing import CliRunner

from oneform.cli import main


def test_settings_are_listed_with_defaults_and_present_values() -> None:
    result = CliRunner().invoke(main, ["settings", "--json"], env={"ONEFORM_RATE_LIMIT": "70"})
    rows = {row["name"]: row for row in json.loads(result.stdout)["settings"]}
    assert rows["ONEFORM_RATE_LIMIT"]["value"] == "70"
    assert rows["ONEFORM_RATE_LIMIT"]["default"] == "50"
    assert rows["ONEFORM_TIMEZONE"]["value"] == "Asia/Shanghai"


def test_secrets_are_never_shown() -> None:
    secrets = {
        "ONEFORM_SECRET_KEY": "s3cret" * 8,
        "ONEFORM_METRICS_TOKEN": "t0ken-of-metrics",
        "ONEFORM_DATABASE_URL": "postgresql://user:passw0rd@host/name",
    }
    for args in (["settings"], ["settings", "--json"]):
        output = CliRunner().invoke(main, args, env=dict(secrets)).stdout
        assert "ONEFORM_SECRET_KEY" in output
        for word in ("s3cret", "t0ken", "passw0rd"):
            assert word not in output
