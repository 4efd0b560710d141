"""Connectors: one module for each kind of store. Found by entry point, see `registry`."""
