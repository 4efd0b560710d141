"""Every text of the pages has its Chinese, and no text stands in a template untranslated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from oneform import web
from oneform.web.languages import TRANSLATIONS, Language, load_translations

FOLDER = Path(web.__file__).parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
TEMPLATES = sorted(FOLDER.glob("templates/**/*.html"))
SHOWN = re.compile(r"""\b(?:aria-label|title|alt|placeholder)=["']([^"']*)""")

Message = str | tuple[str, ...]


@pytest.fixture(scope="module")
def texts() -> set[Message]:
    """Texts in code and templates; of those with a plural, both."""
    found = extract_from_dir(FOLDER, METHODS, keywords=KEYWORDS)
    return {message for _, _, message, _, _ in found}


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    with (TRANSLATIONS / "zh.po").open("rb") as file:
        return read_po(file, locale="zh", abort_invalid=True)


def test_every_text_has_its_chinese_and_no_chinese_is_left_over(
    texts: set[Message], chinese: Catalog
) -> None:
    translated = {message.id for message in chinese if message.id and message.string}
    assert {m if isinstance(m, str) else tuple(m) for m in translated} == texts


def test_no_translation_is_doubtful(chinese: Catalog) -> None:
    assert [message.id for message in chinese if message.id and message.fuzzy] == []
    assert list(chinese.obsolete) == []


def test_what_is_filled_in_is_filled_in_in_both_languages(chinese: Catalog) -> None:
    for message in chinese:
        if not message.id:
            continue
        id = message.id if isinstance(message.id, str) else message.id[-1]
        text = message.string if isinstance(message.string, str) else message.string[0]
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(id)), id


def test_chinese_is_written_in_chinese(chinese: Catalog) -> None:
    for message in chinese:
        if message.id and message.id not in (":", "; ", "%(one)s %(other)s"):
            text = "".join(message.string)
            assert re.search(r"[\u3000-\u9fff]", text), message.id
            assert not re.search(r"[,;!?](?!\d)", PLACEHOLDER.sub("", text)), text


def _plain_texts(source: str) -> Iterator[str]:
    """What a template says by itself, outside of tags and of everything that Jinja works out."""
    environment = jinja2.Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    plain = "".join(value if kind == "data" else " " for _, kind, value in environment.lex(source))
    yield from SHOWN.findall(plain)
    yield re.sub(r"<[^>]*>", " ", plain)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_text_stands_in_a_template_untranslated(path: Path) -> None:
    assert TEMPLATES
    for text in _plain_texts(path.read_text(encoding="utf-8")):
        assert re.findall(r"[^\W\d_]{2,}", text) == []


def test_languages_are_loaded_from_the_files_themselves() -> None:
    assert load_translations(Language.ZH).ugettext("Log in") == "登录"
    assert load_translations(Language.EN).ugettext("Log in") == "Log in"
