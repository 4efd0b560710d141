"""Load: many clients at once that finish what they began, and check that none of it was lost.

`python -m benchmarks.load` starts an installation of its own and works on it. The tests of outages
and the soak use the same clients on theirs.
"""
