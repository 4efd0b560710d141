"""HTTP: marshmallow schemas and thin views over the services. No rules of the domain are here.

To add views: a module with a `blueprint`, and its line in the table below.
"""

from __future__ import annotations

BLUEPRINTS = (
    "oneform.api.health",
    "oneform.api.operation",
    "oneform.api.oauth",
    "oneform.api.sessions",
    "oneform.api.catalog",
    "oneform.api.catalog_files",
    "oneform.api.areas",
    "oneform.api.subjects",
    "oneform.api.form",
    "oneform.api.refusals",
    "oneform.api.requests",
    "oneform.api.grants",
    "oneform.api.control_numbers",
    "oneform.api.sources",
    "oneform.api.values",
    "oneform.api.supervision",
)
"""Modules with views, in the order in which the OpenAPI document shows them."""
