"""Requests of agencies: admission, resolving, books, data."""
