"""Is it real? Anybody who is asked for data can check the control number (准入码), without an account."""

from __future__ import annotations

import flask
from flask.typing import ResponseReturnValue

from oneform.kernel.ids import is_control_number, tidy_control_number
from oneform.requests.reading import check_control_number
from oneform.web.languages import current_language
from oneform.web.pages import Pages, current_context, public

pages = Pages("control_numbers")

LONGEST = 100


@pages.get("/check")
@public
def ask_for_number() -> ResponseReturnValue:
    given = flask.request.args.get("number", "").strip()[:LONGEST]
    if not given:
        return flask.render_template("control_number.html", number="", found=None)
    number = tidy_control_number(given)
    if not is_control_number(number):
        return _show(given)
    return flask.redirect(flask.url_for("web_control_numbers.show_number", number=number))


@pages.get("/check/<number>")
@public
def show_number(number: str) -> ResponseReturnValue:
    return _show(number[:LONGEST])


def _show(number: str) -> ResponseReturnValue:
    found = check_control_number(current_context(), number)
    page = flask.render_template(
        "control_number.html",
        number=tidy_control_number(number),
        found=found,
        language=current_language(),
    )
    return page, 200 if found.agency else 404
