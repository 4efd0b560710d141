"""What templates have at hand: files, words for days and numbers, who looks, in which language."""

from __future__ import annotations

import flask

from oneform import __version__
from oneform.web import formats
from oneform.web.assets import asset
from oneform.web.languages import NAMES, TAGS, Language, current_language
from oneform.web.topics import topic_words
from oneform.web.visitors import current_visitor


def init_app(app: flask.Flask) -> None:
    env = app.jinja_env
    env.globals.update(
        asset=asset,
        current_language=current_language,
        current_visitor=current_visitor,
        language_names=NAMES,
        language_tags=TAGS,
        other_languages=lambda: [one for one in Language if one is not current_language()],
        oneform_version=__version__,
    )
    env.filters.update(
        day=formats.day_words,
        weekday=formats.weekday_words,
        time=formats.time_words,
        clock=formats.clock_words,
        number=formats.number_words,
        period=formats.period_words,
        topic=topic_words,
    )
