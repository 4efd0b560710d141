"""What the environment may say."""

from __future__ import annotations

import pytest

from oneform.config import Settings, SettingsError, load_settings


def test_misspelt_setting_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="ONEFORM_HOMME: no such setting"):
        load_settings({"ONEFORM_HOMME": "/srv/oneform"})


def test_variables_of_the_test_suite_are_no_settings() -> None:
    assert load_settings({"ONEFORM_TEST_DATABASE_URL": "postgresql://x"}) == Settings()


def test_variables_of_others_do_not_matter() -> None:
    assert load_settings({"PORT": "80", "ONEFORMED": "x"}) == Settings()
