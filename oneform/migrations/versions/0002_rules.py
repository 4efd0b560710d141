"""Rules that the database itself keeps: statuses, immutability, asks only on the list."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

TODAY = """
-- The day it is for oneform: a rehearsal's (oneform.today), or the day in Shanghai or wherever
-- oneform.timezone says.
CREATE FUNCTION oneform_today() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT coalesce(
    nullif(current_setting('oneform.today', true), '')::date,
    (now() AT TIME ZONE coalesce(nullif(current_setting('oneform.timezone', true), ''),
                                 'Asia/Shanghai'))::date)
$$
"""

CELL_STATUS = """
-- Where a cell of a request stands (DESIGN.md §5): one function for counts and for data.
--   grant_state, asks      of the request's field: is a grant awaited; may its gap be asked at all
--   since, since_kind,     of the value that was the first to cover the decision, or NULL
--   fresh_until
--   decided_at, decided_on of the request in the region
--   ask_state              of the ask that holds the cell, or NULL; exempt: refused for everybody
CREATE FUNCTION cell_status(
  grant_state text, asks boolean, since timestamptz, since_kind text, fresh_until date,
  decided_at timestamptz, decided_on date, ask_state text, exempt boolean
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN grant_state = 'pending' THEN 'pending_grant'
    WHEN grant_state = 'refused' THEN 'unavailable'
    WHEN since IS NOT NULL AND (fresh_until IS NULL OR fresh_until >= decided_on)
      THEN CASE WHEN since <= decided_at THEN 'held' ELSE since_kind END
    WHEN NOT asks THEN 'unavailable'
    WHEN ask_state IN ('open', 'returned', 'in_review') THEN 'asked'
    WHEN ask_state IN ('refused', 'upheld') OR exempt THEN 'refused'
    ELSE 'unavailable'
  END
$$
"""

REFILLED_CELL_STATUS = """
-- The same for a standing value that went stale and was filled again: the first stretch of
-- freshness that covers the decision or comes after it is what counts.
CREATE FUNCTION refilled_cell_status(
  grant_state text, asks boolean, p_region_id bigint, p_field_id int, p_period text,
  p_subject_id bigint, decided_at timestamptz, decided_on date, ask_state text, exempt boolean
) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT cell_status(grant_state, asks, s.since, s.since_kind, s.fresh_until, decided_at,
                     decided_on, ask_state, exempt)
  -- One row also where no stretch covers it: then the cell has no value that counts.
  FROM (VALUES (1)) AS one(row)
  LEFT JOIN LATERAL (
        SELECT h.since, h.since_kind, h.fresh_until
        FROM (SELECT since, since_kind, max(fresh_until) AS fresh_until FROM cell_value_history
              WHERE region_id = p_region_id AND field_id = p_field_id AND period = p_period
                AND subject_id = p_subject_id GROUP BY since, since_kind
              UNION ALL
              SELECT since, since_kind, fresh_until FROM cell_value
              WHERE region_id = p_region_id AND field_id = p_field_id AND period = p_period
                AND subject_id = p_subject_id) AS h
        WHERE h.fresh_until IS NULL OR h.fresh_until >= decided_on
        ORDER BY h.since LIMIT 1) AS s ON true
$$
"""

ASK_ON_THE_LIST = """
-- DESIGN.md §4, point 1: an ask exists only for a version that is in force on the day it is made.
CREATE FUNCTION ask_on_the_list() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE culprit text;
BEGIN
  SELECT f.code || ' version ' || v.version INTO culprit
  FROM (SELECT DISTINCT field_version_id FROM made) AS m
  JOIN field_version AS v ON v.id = m.field_version_id
  JOIN field AS f ON f.id = v.field_id
  WHERE NOT (v.mode = 'collect'
             AND v.effective_from <= oneform_today() AND oneform_today() <= v.expires_on
             AND (v.ends_on IS NULL OR oneform_today() < v.ends_on))
  LIMIT 1;
  IF culprit IS NOT NULL THEN
    RAISE EXCEPTION 'no ask off the list: % is not in force', culprit
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ask_on_the_list';
  END IF;
  RETURN NULL;
END $$
"""

FIELD_VERSION_IMMUTABLE = """
-- DESIGN.md §4, point 10: of a published version only its end can be written, and only once.
CREATE FUNCTION field_version_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a published field version is never deleted'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'field_version_immutable';
  END IF;
  IF OLD.ends_on IS NOT NULL
     OR to_jsonb(NEW) - 'ends_on' - 'ended_as' <> to_jsonb(OLD) - 'ends_on' - 'ended_as' THEN
    RAISE EXCEPTION 'a published field version is never changed'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'field_version_immutable';
  END IF;
  RETURN NEW;
END $$
"""

APPEND_ONLY = """
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append only', TG_TABLE_NAME
    USING ERRCODE = 'check_violation', CONSTRAINT = 'append_only';
END $$
"""


def upgrade() -> None:
    for function in (TODAY, CELL_STATUS, REFILLED_CELL_STATUS, ASK_ON_THE_LIST, FIELD_VERSION_IMMUTABLE, APPEND_ONLY):
        op.execute(function)
    op.execute(
        "CREATE TRIGGER ask_on_the_list AFTER INSERT ON ask REFERENCING NEW TABLE AS made "
        "FOR EACH STATEMENT EXECUTE FUNCTION ask_on_the_list()"
    )
    op.execute(
        "CREATE TRIGGER field_version_immutable BEFORE UPDATE OR DELETE ON field_version "
        "FOR EACH ROW EXECUTE FUNCTION field_version_immutable()"
    )
    for table in ("audit_event", "rejection", "area_change"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION append_only()"
        )
    op.execute(
        "INSERT INTO subject_kind (code, name, key_schema) VALUES "
        """('area', '{"zh": "区划", "en": "area"}', '{"type": "string"}')"""
    )
