"""What the environment may say."""

from __future__ import annotations

import os
import pwd
from dataclasses import fields
from pathlib import Path

import pytest

from oneform.config import Settings, SettingsError, load_settings


def test_misspelt_setting_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="ONEFORM_HOMME: no such setting"):
        load_settings({"ONEFORM_HOMME": "/srv/oneform"})


def test_variables_of_the_test_suite_are_no_settings() -> None:
    assert load_settings({"ONEFORM_TEST_DATABASE_URL": "postgresql://x"}) == Settings()


def test_variables_of_others_do_not_matter() -> None:
    assert load_settings({"PORT": "80", "ONEFORMED": "x"}) == Settings()


@pytest.mark.parametrize("name", ["~", "~/x", "~/x/y"])
def test_empty_home_is_not_the_root_of_the_disk(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("HOME", "")
    own = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert load_settings({"ONEFORM_HOME": name}).home == own / name[2:]


WRONG = {
    "home": ["~nobody-of-this-name/x", "\udcd6\udcd0"],
    "env": ["prod", "production"],
    "database_url": [
        "mysql://user:passw0rd@host/name",
        "host/passw0rd",
        "postgresql://u:passw0rd@host:port/name",
        "postgresql://u:passw0rd@[::1/name",
        "postgresql://u:passw0rd@host/name?nonsense=1",
    ],
    "redis_url": ["http://:passw0rd@host", "redis://:passw0rd@host:port", "redis://:passw0rd@[::1"],
    "secret_key": ["passw0rd"],
    "timezone": ["Mars/Base", "../etc/passwd", "Asia", "x" * 300],
    "today": [
        "2026-13-01",
        "2026-02-30",
        "20261231",
        "2026-W01-1",
        "yesterday",
        "0001-01-01",
        "1999-12-31",
        "2200-01-01",
        "9999-12-31",
    ],
    "calendar": ["moon"],
    "rate_limit": ["0", "-1", "many", "1.5", "5/m", "９", "9" * 5000],
    "log_level": ["loud"],
    "log_format": ["xml"],
    "web_threads": ["0", "257", "x"],
    "max_body_mb": ["0", "1001", "1e2"],
    "max_exports": ["0", "65", "1_0"],
    "metrics_token": ["passw0rd of two words", "passw0rd\u4ee4"],
    "allow_hosts": ["http://10.0.0.1/x", "10.0.0.0/99", "a b"],
    "allow_files": ["~nobody-of-this-name/x", "/srv, \udcd6\udcd0"],
}


@pytest.mark.parametrize(("name", "text"), [(name, one) for name in WRONG for one in WRONG[name]])
def test_value_that_cannot_be_right_is_told_in_one_line_without_secrets(
    name: str, text: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({f"ONEFORM_{name.upper()}": text})
    words = str(caught.value)
    assert words.startswith("ONEFORM_")
    assert "\n" not in words
    assert "passw0rd" not in words
    for of_python in ("invalid literal", "isoformat", "month must"):
        assert of_python not in words


def test_every_setting_that_can_be_wrong_has_been_tried() -> None:
    assert {setting.name for setting in fields(Settings)} == set(WRONG)


def test_folders_are_absolute_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who are told of them run elsewhere."""
    monkeypatch.chdir(tmp_path)
    found = load_settings({"ONEFORM_HOME": "here", "ONEFORM_ALLOW_FILES": "a,/srv/b, ../c"})
    assert found.home == tmp_path / "here"
    assert found.allow_files == (f"{tmp_path}/a", "/srv/b", f"{tmp_path}/../c")


def test_comma_of_the_current_folder_does_not_open_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a,b").mkdir()
    monkeypatch.chdir(tmp_path / "a,b")
    with pytest.raises(SettingsError, match="comma"):
        load_settings({"ONEFORM_ALLOW_FILES": "files"})


def test_hosts_addresses_and_networks_may_be_called() -> None:
    listed = "db.gov.cn, 10.0.0.5,fd00::/8 ,10.1.0.0/16,unix,"
    assert load_settings({"ONEFORM_ALLOW_HOSTS": listed}).allow_hosts == (
        "db.gov.cn", "10.0.0.5", "fd00::/8", "10.1.0.0/16", "unix"
    )  # fmt: skip
