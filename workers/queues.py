"""The queues. Each has its kind of work, so that slow calls never delay decisions."""

from __future__ import annotations

from enum import StrEnum


class QueueName(StrEnum):
    RESOLVE = "resolve"  # deciding requests: database only, seconds
    FETCH = "fetch"  # calling departments' sources: slow, may wait on others
    DELIVER = "deliver"  # telling agencies: webhooks
    MAINTAIN = "maintain"  # sweeps, imports, cleaning up


ALL = tuple(QueueName)
"""In the order in which an idle worker looks at them."""
