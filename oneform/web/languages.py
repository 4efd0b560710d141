"""The languages of the pages: Simplified Chinese unless somebody chose another.

Texts stand in English in code and templates; `translations/zh.po` has the
Chinese. The .po file itself is read at the start, so there is no compiled copy
that could lag behind it.
"""

from __future__ import annotations

import io
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path

import flask
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask_babel import Babel, Domain, get_locale, refresh  # type: ignore[import-untyped]

COOKIE = "oneform_language"
COOKIE_DAYS = 365
TRANSLATIONS = Path(__file__).parent / "translations"


class Language(StrEnum):
    ZH = "zh"
    EN = "en"


LOCALES = {Language.ZH: "zh_Hans_CN", Language.EN: "en_GB"}
TAGS = {Language.ZH: "zh-Hans", Language.EN: "en"}
"""BCP 47, for the attribute `lang`."""

NAMES = {Language.ZH: "中文", Language.EN: "English"}
"""Each in itself: whoever looks for it cannot read the other."""


def parse_language(text: str | None) -> Language:
    """The language of a code; Chinese for anything else."""
    return Language.EN if text == Language.EN else Language.ZH


def current_language() -> Language:
    """The language of the request in hand."""
    chosen = flask.g.get("oneform_language")
    return parse_language(chosen or flask.request.cookies.get(COOKIE))


def speak(language: Language) -> None:
    """Answer the request in hand in this language."""
    flask.g.oneform_language = language
    refresh()


def remember_language(response: flask.Response, language: Language) -> None:
    """Keep the choice in the visitor's browser."""
    response.set_cookie(
        COOKIE,
        language.value,
        max_age=COOKIE_DAYS * 86400,
        secure=flask.request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def load_translations(language: Language) -> NullTranslations:
    """The texts of a language, out of its .po file; English ones are in the code."""
    path = TRANSLATIONS / f"{language.value}.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        catalog = read_po(file, locale=language.value)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled)


_loaded = lru_cache(maxsize=None)(load_translations)


class _PoDomain(Domain):  # type: ignore[misc]  # it has no types
    def get_translations(self) -> NullTranslations:
        locale = get_locale()
        return _loaded(parse_language(locale.language if locale else None))


class _Babel(Babel):  # type: ignore[misc]  # it has no types
    @cached_property
    def domain_instance(self) -> Domain:
        return _PoDomain()


def init_app(app: flask.Flask, timezone: str) -> None:
    _Babel(
        app,
        default_locale=LOCALES[Language.ZH],
        default_timezone=timezone,
        locale_selector=lambda: LOCALES[current_language()],
    )
