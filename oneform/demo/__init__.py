"""The demo: one real county, invented figures, and the story that `oneform demo` tells.

`county` names things, `figures` invents numbers, `stores` writes them into two
departments' stores, `world` puts all of it into an installation, `story` plays
requests through over HTTP, and `telling` shows it on a terminal. Starting and
stopping servers is the command's business (`oneform.cli.demo`).
"""
