"""The embedded engines: PostgreSQL and Valkey, started from their wheels in a data folder.

For `oneform up` without configured servers, and for the tests. Knows nothing of the application:
no tables, no settings, no log format; it logs to `logging` under its own name.

Root may start them too, although PostgreSQL may not run as root: account.py says as whom the
servers then run, layout.py where their files lie, sockets.py where their sockets are.
"""

from oneform.engines.binaries import postgres_program
from oneform.engines.engines import Engines, erase_engines, start_engines
from oneform.engines.errors import EngineError
from oneform.engines.postgres import PostgresServer
from oneform.engines.runfile import EngineUrls, find_engines
from oneform.engines.valkey import ValkeyServer

__all__ = [
    "EngineError",
    "EngineUrls",
    "Engines",
    "PostgresServer",
    "ValkeyServer",
    "erase_engines",
    "find_engines",
    "postgres_program",
    "start_engines",
]
