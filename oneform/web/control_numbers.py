"""Is it real? Anybody who is asked for data can check the control number (准入码), without an account."""

from __future__ import annotations

import flask
from flask.typing import ResponseReturnValue

from oneform.kernel.ids import tidy_control_number
from oneform.requests.reading import check_control_number
from oneform.web.languages import current_language
from oneform.web.pages import Pages, current_context, public

pages = Pages("control_numbers")

LONGEST = 100


@pages.get("/check")
@public
def ask_for_number() -> ResponseReturnValue:
    given = flask.request.args.get("number", "").strip()
    if given and len(given) <= LONGEST:
        number = tidy_control_number(given)
        return flask.redirect(flask.url_for("web_control_numbers.show_number", number=number))
    return flask.render_template("control_number.html", number=given, found=None)


@pages.get("/check/<number>")
@public
def show_number(number: str) -> ResponseReturnValue:
    found = check_control_number(current_context(), number[:LONGEST])
    page = flask.render_template(
        "control_number.html",
        number=tidy_control_number(number),
        found=found,
        language=current_language(),
    )
    return page, 200 if found.agency else 404
