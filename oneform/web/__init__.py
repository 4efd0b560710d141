"""Pages for people: server-rendered, over the services that the API calls too. No rules are here.

To add a page: a module with a `pages` blueprint, its line in the table below, a
template, and the Chinese of every new text in `translations/zh.po`.
"""

from __future__ import annotations

from oneform.web.application import register

__all__ = ["register"]
