"""Shared sources: the departments' stores, what they answer for, and how it is fetched."""
