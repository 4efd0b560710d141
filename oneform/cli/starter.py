"""The starter catalogue: put into an empty whitelist at the first start."""

from __future__ import annotations

import structlog

from catalog import starter
from catalog.importing import import_bundle
from catalog.reading import is_empty
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime

log = structlog.get_logger()


def import_starter_catalog(runtime: Runtime) -> None:
    """Import the starter catalogue where there is no field yet."""
    with runtime.context(OPERATOR) as ctx:
        if is_empty(ctx):
            report = import_bundle(ctx, starter.FOLDER)
            log.info("starter catalogue imported", fields=report.fields_added)
