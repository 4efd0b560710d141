"""Finding the subjects that rows name: one statement for each kind of subject.

An area is named by its code; a code that nobody has now stands for the one living
area that had it before, since stores may be slower than the tree. Any other subject
is named by its key, one of a personal kind also by its public id, and is looked for
within reach only: whether it exists elsewhere is nobody's business here.
"""

from __future__ import annotations

from catalog.snapshot import Snapshot
from oneform.areas.kinds import AREA_KIND
from oneform.kernel.context import Context
from oneform.values.imports.conflicts import ConflictCode
from oneform.values.imports.waiting import SUBJECTS

CREATE = """
CREATE TEMPORARY TABLE import_subject (kind_id int, number int, region_id bigint,
  subject_id bigint, level smallint, code text, detail text)
"""

# Fields of a file mostly are about one kind of subjects, and nobody has to look which row names
# whom for it.
_KINDS = {
    "one": "(SELECT DISTINCT kind_id FROM import_head WHERE kind_id > 0) AS n",
    "many": """(
  SELECT DISTINCT h.kind_id, r.subject FROM import_row AS r
  JOIN import_head AS h ON h.head = r.head
  WHERE h.kind_id > 0) AS n ON n.subject = k.number""",
}

_NAMED = f"""
CREATE TEMPORARY TABLE import_name AS
SELECT n.kind_id, k.number, k.subject FROM {SUBJECTS} {{join}} {{kinds}}
"""

_AREAS = f"""
INSERT INTO import_subject (kind_id, number, region_id, subject_id, level, code, detail)
SELECT n.kind_id, n.number, a.region_id, a.id, a.level,
  CASE WHEN a.id IS NULL THEN '{ConflictCode.UNKNOWN_SUBJECT}'
       WHEN NOT starts_with(a.path, :reach) THEN '{ConflictCode.OUTSIDE_REACH}' END,
  CASE WHEN a.id IS NOT NULL THEN 'this area is outside your reach'
       WHEN ended.until IS NOT NULL THEN 'this area is no more since ' || ended.until
       ELSE 'there is no area with this code' END
FROM import_name AS n
LEFT JOIN area AS live ON live.code = n.subject COLLATE "C" AND live.valid_to IS NULL
LEFT JOIN LATERAL (
  SELECT min(h.area_id) AS area_id FROM area_history AS h
  JOIN area AS now ON now.id = h.area_id AND now.valid_to IS NULL
  WHERE live.id IS NULL AND h.code = n.subject COLLATE "C"
  HAVING count(DISTINCT h.area_id) = 1) AS former ON true
LEFT JOIN area AS a ON a.id = coalesce(live.id, former.area_id)
LEFT JOIN LATERAL (
  SELECT max(e.valid_to) AS until FROM area AS e
  WHERE a.id IS NULL AND e.code = n.subject COLLATE "C") AS ended ON true
WHERE n.kind_id = :kind
"""

# `uq_subject_key` begins with the region. A few keys are looked up in every region, which costs
# a step down the index each; for many, the subjects of the kind are read once.
_BY_KEY = {
    "few": """
  SELECT n.subject, s.region_id, s.id, s.area_id FROM import_name AS n
  CROSS JOIN (SELECT DISTINCT region_id FROM area) AS r
  JOIN subject AS s ON s.region_id = r.region_id AND s.kind_id = :kind
    AND s.key = n.subject COLLATE "C" AND s.active_to IS NULL
  WHERE n.kind_id = :kind
""",
    "many": """
  SELECT n.subject, s.region_id, s.id, s.area_id FROM import_name AS n
  JOIN subject AS s ON s.kind_id = :kind AND s.key = n.subject COLLATE "C" AND s.active_to IS NULL
  WHERE n.kind_id = :kind
""",
}

FEW = 1000

_BY_ID = r"""
  UNION ALL
  SELECT n.subject, s.region_id, s.id, s.area_id
  FROM (SELECT subject, CASE WHEN subject ~ '^[0-9]{1,18}-[0-9]{1,18}$'
                             THEN string_to_array(subject, '-')::bigint[] END AS id
        FROM import_name WHERE kind_id = :kind) AS n
  JOIN subject AS s ON s.region_id = n.id[1] AND s.id = n.id[2] AND s.kind_id = :kind
    AND s.active_to IS NULL
"""

_OTHERS = f"""
INSERT INTO import_subject (kind_id, number, region_id, subject_id, level, code, detail)
SELECT n.kind_id, n.number, f.region_id, f.id, NULL,
  CASE WHEN f.found IS NULL THEN '{ConflictCode.UNKNOWN_SUBJECT}'
       WHEN f.found > 1 THEN '{ConflictCode.AMBIGUOUS_SUBJECT}' END,
  CASE WHEN f.found IS NULL THEN 'there is no such subject within your reach'
       ELSE 'more than one subject within your reach has this key' END
FROM import_name AS n
LEFT JOIN (
  SELECT c.subject, min(c.region_id) AS region_id, min(c.id) AS id,
    count(DISTINCT c.id) AS found
  FROM ({{candidates}}) AS c
  JOIN area AS a ON a.id = c.area_id AND starts_with(a.path, :reach)
  GROUP BY c.subject) AS f ON f.subject = n.subject
WHERE n.kind_id = :kind
"""


def name_subjects(ctx: Context, import_id: object) -> None:
    """Fill `import_name` with every subject that rows name, by its number and for its kind."""
    kinds = ctx.sql(
        "SELECT count(DISTINCT kind_id) FROM import_head WHERE kind_id > 0"
    ).scalar_one()
    if kinds == 1:
        named = _NAMED.format(join="CROSS JOIN", kinds=_KINDS["one"])
    else:
        named = _NAMED.format(join="JOIN", kinds=_KINDS["many"])
    ctx.sql(named, id=import_id)
    ctx.sql("ANALYZE import_name")


def find_subjects(ctx: Context, catalog: Snapshot, reach: str | None) -> None:
    """Fill `import_subject` with the subjects of `import_name`, found or not.

    `reach` is the path of the area at or below which a subject may be; None: nowhere.
    """
    ctx.sql(CREATE)
    # No path begins with a space, so it stands for nowhere.
    given = " " if reach is None else reach
    counts = ctx.sql("SELECT kind_id, count(*) AS number FROM import_name GROUP BY kind_id").all()
    kinds = {kind.id: kind for kind in catalog.kinds.values()}
    for row in counts:
        kind = kinds[row.kind_id]
        if kind.code == AREA_KIND:
            statement = _AREAS
        else:
            candidates = _BY_KEY["few" if row.number <= FEW else "many"]
            statement = _OTHERS.format(candidates=candidates + (_BY_ID if kind.personal else ""))
        ctx.sql(statement, kind=kind.id, reach=given)
    ctx.sql("ANALYZE import_subject")
