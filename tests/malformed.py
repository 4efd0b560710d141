"""Bodies that are no JSON, or none that anybody should have to understand: each is a `malformed-body`."""

from __future__ import annotations

from oneform.api.strictjson import MAX_DEPTH

MALFORMED = {
    "empty": b"",
    "blank": b" \n",
    "no JSON": b"{name: 1}",
    "trailing comma": b'{"name": "a",}',
    "two values": b"{} {}",
    "cut off": b'{"name": "a"',
    "duplicate member": b'{"name": "a", "name": "b"}',
    "duplicate member further down": b'{"a": [{"b": 1, "\\u0062": 2}]}',
    "NaN": b'{"name": NaN}',
    "Infinity": b"[-Infinity]",
    "too large a number": b"[1e999]",
    "too long an integer": b"[18446744073709551616]",
    "a huge integer": b"[" + b"9" * 100_000 + b"]",
    "NUL": b'{"name": "a\\u0000b"}',
    "NUL in a name": b'{"a\\u0000": 1}',
    "raw control character": b'"a\nb"',
    "lone surrogate": b'["\\ud800"]',
    "lone surrogate, low": b'["\\uDFFF x"]',
    "not UTF-8": b'{"name": "\xff"}',
    "UTF-16": '{"name": "a"}'.encode("utf-16"),
    "GBK": '{"name": "统计"}'.encode("gbk"),
    "deep lists": b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    "very deep lists": b"[" * 200_000 + b"]" * 200_000,
    "deep objects": b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
}
