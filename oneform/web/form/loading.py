"""Reading the form for a page, in the visitor's language."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from catalog.snapshot import snapshot
from oneform.collection.questions import in_language
from oneform.collection.reach import find_unit
from oneform.collection.service import read_form
from oneform.collection.views import Form
from oneform.kernel.context import Context
from oneform.sources.naming import read_names
from oneform.values.models import ProvenanceKind
from oneform.web.form.building import build_page
from oneform.web.form.model import FormPage
from oneform.web.form.words import Names
from oneform.web.languages import current_language


def load_page(
    ctx: Context,
    *,
    unit: str | None,
    section: str | None,
    cursor: str | None,
    only: Collection[str] | None = None,
) -> FormPage:
    """The page of a unit's form as it is stored; `only` these asks."""
    language = current_language()
    form = read_form(ctx, unit or None, section or None, cursor or None, language=language)
    return build_page(
        form,
        source_names=_source_names(ctx, form),
        today=ctx.today(),
        own_unit=find_unit(ctx, None).code,
        kind_names=_kind_names(ctx),
        only=only,
    )


def _source_names(ctx: Context, form: Form) -> Mapping[str, str]:
    language = current_language()
    codes = {
        ask.previous.source
        for section in form.sections
        for row in section.rows
        for ask in row.asks
        if ask.previous
    }
    return {
        code: in_language(name, language)
        for code, name in read_names(ctx, codes - set(ProvenanceKind)).items()
    }


def _kind_names(ctx: Context) -> Mapping[str, str]:
    language = current_language()
    return {code: in_language(kind.name, language) for code, kind in snapshot(ctx).kinds.items()}


def field_names(ctx: Context) -> Names:
    """Names of fields by their codes, in the visitor's language."""
    catalog, language = snapshot(ctx), current_language()

    def name_of(code: str) -> str:
        versions = catalog.by_code.get(code)
        return in_language(versions[-1].definition.name, language) if versions else code

    return name_of
