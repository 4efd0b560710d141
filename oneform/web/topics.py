"""Names of the topics of the starter catalogue. A catalogue's own topics are shown by their code."""

from __future__ import annotations

from flask_babel import gettext, lazy_gettext  # type: ignore[import-untyped]

NAMES = {
    "admin": lazy_gettext("The place"),
    "agriculture": lazy_gettext("Farming"),
    "assistance": lazy_gettext("Social assistance"),
    "care": lazy_gettext("Children and left-behind people"),
    "collective": lazy_gettext("Collective economy"),
    "community": lazy_gettext("Community services"),
    "culture": lazy_gettext("Culture, sport and heritage"),
    "digital": lazy_gettext("Telephone and internet"),
    "disability": lazy_gettext("People with disabilities"),
    "disaster": lazy_gettext("Natural disasters"),
    "economy": lazy_gettext("Income and trade"),
    "education": lazy_gettext("Schooling"),
    "elderly": lazy_gettext("Older people"),
    "employment": lazy_gettext("Labour and employment"),
    "enterprise": lazy_gettext("Enterprises"),
    "environment": lazy_gettext("Toilets, waste and sewage"),
    "fertility": lazy_gettext("Births and family"),
    "funds": lazy_gettext("Funds and projects"),
    "governance": lazy_gettext("Self-government"),
    "health": lazy_gettext("Health care"),
    "household": lazy_gettext("Households"),
    "housing": lazy_gettext("Housing"),
    "insurance": lazy_gettext("Social and medical insurance"),
    "land": lazy_gettext("Land"),
    "party": lazy_gettext("Party organisation"),
    "population": lazy_gettext("Population"),
    "resident": lazy_gettext("Residents"),
    "safety": lazy_gettext("Public security"),
    "transport": lazy_gettext("Roads and buses"),
    "utilities": lazy_gettext("Power and lighting"),
    "veterans": lazy_gettext("Veterans"),
    "water": lazy_gettext("Drinking water and water works"),
}


def topic_words(code: str) -> str:
    """The name of a topic in the reader's language."""
    return str(NAMES.get(code) or gettext("Topic “%(code)s”", code=code))
