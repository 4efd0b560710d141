"""Start engines in a process of their own: `starter.py HOME UID [postgres] [redis] [throwaway] [fork]`.

Prints `ready` or the error; stops the engines when its input ends. `UID` is whom it is to be,
from here on: its code and its Python may lie where only root can read them.
"""

import os
import sys
import time
from pathlib import Path

from oneform.engines import EngineError, start_engines


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main(home: str, uid: str, *options: str) -> None:
    if int(uid) != os.geteuid():
        os.setgroups([])
        os.setgid(int(uid))
        os.setuid(int(uid))
    try:
        engines = start_engines(
            Path(home),
            postgres="postgres" in options,
            redis="redis" in options,
            durable="throwaway" not in options,
        )
    except EngineError as error:
        say(error)
        return
    with engines:
        if "fork" in options and os.fork() == 0:
            for inherited in (0, 1, 2):
                os.close(inherited)
            time.sleep(30)
            os._exit(0)
        say("ready")
        sys.stdin.read()
    say("stopped")


if __name__ == "__main__":
    main(*sys.argv[1:])
