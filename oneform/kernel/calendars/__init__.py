"""Calendars of countries, one module each, found by name (see `oneform.kernel.calendar`).

Every module names its calendar classes in `CALENDARS`.
"""
