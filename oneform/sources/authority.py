"""Who wins when a source and what is held disagree: one SQL expression, and its words.

The owner wins (一数一源, DESIGN.md §8); what does not win is kept aside and reported:

- a correction stays, until the source says that it observed something later;
- an owner's source replaces what anybody else gave, and its own earlier values;
- any other source replaces only what it gave itself;
- between sources of the same authority the later observation wins, where the source
  says when it observed; what a source brought that is gone gives way to either;
- nothing replaces a later observation, unless it came from a source that is not the owner's.

A held value that is no longer fresh gives way to any that is not older; "unknown" and
"does not apply" give way to any value.
"""

from __future__ import annotations

_REASON = """
CASE
  WHEN {held}.missing IS NOT NULL OR {held}.value = s.value THEN NULL
  WHEN {held}.fresh_until < oneform_today() OR p.source_id = :source
    THEN CASE WHEN :dated AND s.observed_on < {held}.observed_on THEN 'later' END
  WHEN p.kind = 'correction'
    THEN CASE WHEN :dated AND s.observed_on > CAST({held}.recorded_at AS date) THEN NULL
              ELSE 'corrected' END
  WHEN owner.id = :agency AND p.kind = 'source' AND p.agency_id IS DISTINCT FROM owner.id THEN NULL
  WHEN owner.id = :agency AND p.kind <> 'source'
    THEN CASE WHEN :dated AND s.observed_on < {held}.observed_on THEN 'later' END
  WHEN p.kind = 'source' AND (p.agency_id = owner.id) IS NOT DISTINCT FROM (owner.id = :agency)
       AND :dated AND s.observed_on > {held}.observed_on THEN NULL
  WHEN p.kind = 'source' AND (owner.id = :agency OR p.agency_id IS DISTINCT FROM owner.id)
       AND NOT EXISTS (SELECT FROM source AS other WHERE other.id = p.source_id AND other.enabled)
    THEN NULL
  ELSE 'authority'
END
"""

DETAIL = """
CASE reason
  WHEN 'later' THEN 'the value held was observed later, on ' || held_on
  WHEN 'corrected' THEN 'the value held is a correction'
  ELSE 'another value of at least the same authority is held'
END
"""

OWNERS = "unnest(CAST(:owned_fields AS int[]), CAST(:owner_ids AS int[])) AS owner(field_id, id)"
"""FROM item: the owner of each field of the call."""


def reason(held: str) -> str:
    """SQL: why the staged value `s` may not replace the value `held` (an alias); NULL if it may.

    Also in scope: `p`, the provenance of what is held, and `owner`. Parameters:
    `source`, `agency` (whose the source is), `dated` (it says when it observed).
    """
    return _REASON.format(held=held)
