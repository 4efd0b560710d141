"""Tags of the audit trail: what can be put on record.

A tag is `<thing>.<past participle>` and never changes its meaning: old entries
keep theirs. To add one, add a line to the group of its part, with the target
and the data that go with it.
"""

from __future__ import annotations

from enum import StrEnum


class Tag(StrEnum):
    # Areas. Target: none (a file concerns many); data: counts.
    AREAS_IMPORTED = "areas.imported"  # created, updated, unchanged
    AREAS_CHANGED = "areas.changed"  # number of applied lines by kind of change

    # Catalogue. Target: `catalog`, `whitelist`; the last such entry names the catalogue's state.
    CATALOG_IMPORTED = (
        "catalog.imported"  # counts; codes of fields added and changed, lists changed
    )

    # Subjects. Target: `subject`, its public id; imports have none.
    SUBJECTS_IMPORTED = "subjects.imported"  # created, unchanged
    SUBJECT_CREATED = "subject.created"  # kind, area
    SUBJECT_MOVED = "subject.moved"  # from_area, to_area
    SUBJECT_CLOSED = "subject.closed"  # on

    # Requests. Target: `request`, its id (a rejection: `rejection`; a grant: `grant`).
    REQUEST_SUBMITTED = "request.submitted"  # control_no, fields
    REQUEST_REJECTED = "request.rejected"  # fields
    REQUEST_CANCELLED = "request.cancelled"  # asks withdrawn
    DATA_RELEASED = "data.released"  # request, format, layout, values
    GRANT_DECIDED = "grant.decided"  # decision, field, agency
    GRANT_EXPIRED = "grant.expired"  # field

    # Collection. Target: `submission`, `refusal` or `answer`, its id.
    ANSWERS_SUBMITTED = "answers.submitted"  # unit, accepted, in_review
    ANSWER_AMENDED = "answer.amended"  # field, period
    ANSWERS_REVIEWED = "answers.reviewed"  # accepted, returned
    ASKS_REFUSED = "asks.refused"  # unit, reason, number of asks
    REFUSAL_DECIDED = "refusal.decided"  # decision, scope

    # Sources. Target: `source`, its code; data never holds settings or secrets.
    SOURCE_ADDED = "source.added"  # kind, agency, fields
    SOURCE_CHANGED = "source.changed"  # members
    SOURCE_DELETED = "source.deleted"
    SOURCE_RUN_STARTED = "source.run_started"  # run

    # Values. Target: `import`, its id; what came of it is in the import. Dry runs leave no trace.
    VALUES_IMPORTED = "values.imported"  # format

    # Identity. Targets: `agency`, its code; `key`, its key id; `person`, the username.
    AGENCIES_IMPORTED = "agencies.imported"  # created, updated, unchanged; something changed
    AGENCY_CREATED = "agency.created"  # area
    KEY_ISSUED = "key.issued"  # agency, scopes
    KEY_REVOKED = "key.revoked"
    PEOPLE_IMPORTED = "people.imported"  # created, updated, unchanged
    PERSON_CREATED = "person.created"  # roles, area
    PERSON_DISABLED = "person.disabled"
    PERSON_LOCKED = "person.locked"  # too many wrong passwords
    PASSWORD_SET = "password.set"
