"""What is sent to do harm, and what has to come of it: tables of names, inputs and expected answers."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from malformed import MALFORMED

MB = 1024 * 1024


@dataclass(frozen=True)
class Case:
    """An input, and the status and problem that answer it."""

    status: int
    problem: str
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


def _typed(content_type: str, body: bytes = b"{}", **headers: str) -> Case:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Case(415, "unsupported-media-type", body, {"Content-Type": content_type, **names})


def _told(body: Any) -> Case:
    return Case(422, "invalid-request", json.dumps(body).encode())


JSON_BODIES: dict[str, Case] = {
    **{name: Case(400, "malformed-body", body) for name, body in MALFORMED.items()},
    "a string of 10 MB": Case(413, "body-too-large", b'"' + b"a" * (10 * MB) + b'"'),
    "a list": _told([]),
    "a text": _told("x"),
    "a number": _told(1),
    "null": _told(None),
    "members that nobody knows": _told({"__proto__": 1, "constructor": {}}),
    "names that look like ours": _told({"_schema": [], "self": 1, "cls": 1}),
    "a member without a name": _told({"": 1}),
    "a name of 100 KB": _told({"n" * 100_000: 1}),
    "ten thousand members": _told({f"m{number}": number for number in range(10_000)}),
    "no media type": _typed(""),
    "text": _typed("text/plain"),
    "XML": _typed("application/xml", b"<!DOCTYPE x [<!ENTITY a 'a'>]><x>&a;</x>"),
    "YAML": _typed("application/yaml", b"a: &a [1]\nb: *a"),
    "a form": _typed("application/x-www-form-urlencoded", b"title=x&title=y"),
    "parts": _typed("multipart/form-data; boundary=x", b"--x\r\n\r\n--x--"),
    "JSON in GBK": _typed("application/json; charset=gbk", '{"title": "统计"}'.encode("gbk")),
    "no real media type": _typed("application/json/../x"),
    "a gzip bomb": _typed(
        "application/json", gzip.compress(b"[" * (10 * MB)), Content_Encoding="gzip"
    ),
    "an encoding that there is not": _typed("application/json", b"{}", Content_Encoding="br, x"),
}
"""To every operation that takes JSON."""

VALUES: dict[str, Any] = {
    "nothing": None,
    "a wrong boolean": True,
    "the largest number": 2**63 - 1,
    "a small fraction": 5e-324,
    "no text": "",
    "a wide blank": "\u3000",
    "300 characters": "长" * 300,
    "100 KB": "x" * 100_000,
    "bidirectional": "\u202e村民\u2066\u200b",
    "beyond the basic plane": "𠮷\ue000😀",
    "SQL": "'; DROP TABLE ask; --",
    "a path": "../../../../etc/passwd",
    "no such day": "0000-00-00",
    "the last day": "9999-12-31",
    "a week too many": "2026-W60",
    "full-width digits": "２０２６",
    "a list of lists": [[[]]],
    "an object": {"$ref": "#", "a": {"b": None}},
    "many times the same": ["x"] * 2_001,
}
"""In the place of every member of every body: whatever comes of it is in the document, and no fault."""

NAMES_IN_ADDRESSES: dict[str, tuple[str, tuple[int, ...]]] = {
    "U+0000": ("%00", (400,)),
    "U+0000 further on": ("a%00b", (400,)),
    "a path upwards": ("..%2f..%2fetc%2fpasswd", (404,)),
    "a path upwards, twice": ("..%252f..%252f", (404,)),
    "a slash": ("a%2Fb", (404,)),
    "a backslash": ("..%5c..%5cx", (404,)),
    "no UTF-8": ("%ff%fe", (404,)),
    "half a pair": ("%ed%a0%80", (404,)),
    "300 characters": ("a" * 300, (404,)),
    "10,000 characters": ("%E9%95%BF" * 3_000, (404,)),
    "bidirectional": ("%E2%80%AEx%E2%80%8B", (404,)),
    "full-width digits": ("%EF%BC%94%EF%BC%92", (404,)),
    "a huge number": ("9" * 400, (404,)),
    "a negative number": ("-1", (404,)),
    "two huge numbers": (f"{2**63}-{2**63}", (404,)),
    "SQL": ("'%20OR%20'1'='1", (404,)),
    "a percent sign": ("%25", (404,)),
    "a line end": ("a%0d%0aSet-Cookie:%20x=1", (404,)),
    "a blank": ("%20", (404,)),
    "a template": ("{{7*7}}", (404,)),
}
"""In the place of every parameter of every address."""

PARAMETERS: dict[str, tuple[str, int, str]] = {
    "limit of nothing": ("limit=0", 400, "invalid-parameters"),
    "limit of less": ("limit=-1", 400, "invalid-parameters"),
    "limit of too many": ("limit=1001", 400, "invalid-parameters"),
    "limit of words": ("limit=ten", 400, "invalid-parameters"),
    "limit with an exponent": ("limit=1e3", 400, "invalid-parameters"),
    "limit of 5,000 digits": ("limit=" + "9" * 5_000, 400, "invalid-parameters"),
    "cursor of words": ("cursor=x", 400, "bad-cursor"),
    "cursor of nothing": ("cursor=W10", 400, "bad-cursor"),
    "cursor of another list": ("cursor=W1siYiIsMV1d", 400, "bad-cursor"),
    "cursor of 10,000 characters": ("cursor=" + "a" * 10_000, 400, "bad-cursor"),
    "cursor with letters": ("cursor=%E7%BB%9F", 400, "bad-cursor"),
    "cursor with U+0000": ("cursor=%00", 400, "malformed-request"),
    "on no day": ("on=0000-00-00", 400, "invalid-parameters"),
    "on a day that is none": ("on=2026-02-30", 400, "invalid-parameters"),
    "on full-width": ("on=%EF%BC%92%EF%BC%90-01-01", 400, "invalid-parameters"),
    "version of nothing": ("version=0", 400, "invalid-parameters"),
    "version too large": ("version=2147483648", 400, "invalid-parameters"),
    "since no instant": ("since=yesterday", 400, "invalid-parameters"),
    "since the year 10000": ("since=10000-01-01T00:00:00Z", 400, "invalid-parameters"),
    "state that there is not": ("state=no%20such", 400, "invalid-parameters"),
    "level that there is not": ("level=kingdom", 400, "invalid-parameters"),
    "mode that there is not": ("mode=x", 400, "invalid-parameters"),
    "format that there is not": ("format=exe", 400, "invalid-parameters"),
    "layout that there is not": ("layout=tall", 400, "invalid-parameters"),
    "status that there is not": ("status=x", 400, "invalid-parameters"),
    "dry_run of words": ("dry_run=perhaps", 400, "invalid-parameters"),
}
"""To every operation that has the parameter."""

SOUND_PARAMETERS: dict[str, str] = {
    "twice": "limit=5&limit=6",
    "ten thousand": "&".join(f"p{number}=1" for number in range(10_000)),
    "no UTF-8": "q=%ff%fe%80",
    "half a pair": "q=%ed%a0%80",
    "bidirectional": "q=%E2%80%AE%E2%80%8B",
    "a search of 5,000 characters": "q=" + "%E6%9D%91" * 5_000,
    "a pattern": "q=%25%5f%5c",
    "only signs": "&&==&=;",
    "the last instant": "since=9999-12-31T23:59:59Z",
    "the first instant": "since=0001-01-01T00:00:00%2B14:00",
    "the first day": "on=0001-01-01",
    "the last day": "on=9999-12-31",
}
"""To every operation that reads: no fault, whatever it says."""
