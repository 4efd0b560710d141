"""Trying a source: can it be reached, are its columns there. Takes nothing over.

Reading what is needed and calling are two functions, because no call is made
inside a transaction: whoever is in one ends it in between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from oneform.config import Settings
from oneform.identity.policy import OPERATOR
from oneform.kernel.actor import Actor
from oneform.kernel.context import Context
from oneform.sources import house
from oneform.sources.connectors.base import ProbeResult
from oneform.sources.connectors.registry import connector_class
from oneform.sources.definition import Keys, Limits
from oneform.sources.errors import SourceError
from oneform.sources.house import House
from oneform.sources.service import find_source
from oneform.sources.trouble import told_as_source_errors

LONGEST_S = 15
"""Somebody is waiting for the result of a probe."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A source about to be tried."""

    code: str
    kind: str
    settings: dict[str, Any]
    secrets: dict[str, str]
    limits: Limits
    columns: tuple[str, ...]
    """Columns that its definition names."""


def prepare_probe(ctx: Context, ref: str, settings: Settings) -> Probe:
    """What a probe needs. NoSuchSource; SealBroken."""
    source = find_source(ctx, ref)
    keys = Keys.of(source.keys)
    mapped = ctx.sql(
        'SELECT DISTINCT "column" FROM source_field WHERE source_id = :id ORDER BY 1',
        id=source.id,
    ).scalars()
    named = [keys.subject, keys.area, keys.period, keys.observed_on, *mapped]
    return Probe(
        code=source.code,
        kind=source.kind,
        settings=source.settings,
        secrets=house.unseal(settings, source.secrets),
        limits=Limits.of(source.limits),
        columns=tuple(dict.fromkeys(name for name in named if name)),
    )


def carry_out_probe(probe: Probe, settings: Settings) -> ProbeResult:
    """Call the source; never raises: what is wrong is in the result, in words."""
    connector = connector_class(probe.kind)
    if connector is None:
        words = f"There is no connector {probe.kind} on this machine."
        return ProbeResult(ok=False, detail=words)
    bounds = house.bounds_of(settings, min(probe.limits.timeout_s, LONGEST_S))
    try:
        with told_as_source_errors(source=probe.code):
            result = connector(probe.settings, probe.secrets, bounds).probe()
    except SourceError as error:
        return ProbeResult(ok=False, detail=error.detail)
    absent = [name for name in probe.columns if name not in result.columns]
    if result.ok and absent:
        words = f"The definition names columns that are not there: {', '.join(absent)[:500]}."
        return replace(result, ok=False, detail=words)
    return result


def probe_source(house: House, ref: str, *, actor: Actor = OPERATOR) -> ProbeResult:
    """Try a source. NoSuchSource; SealBroken."""
    with house.context(actor) as ctx:
        probe = prepare_probe(ctx, ref, house.settings)
    return carry_out_probe(probe, house.settings)
