"""The main job, end to end: `oneform up`, the command line, HTTP and a village's browser.

Two agencies whose requests overlap: the second joins the asks of the first, a
source fills some cells, one answer serves both, and a third agency's request is
fulfilled without asking anybody.
"""

from __future__ import annotations

import gzip
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import sync_playwright

AREAS = Path(__file__).parents[1] / "data" / "areas" / "areas_hubei.csv.gz"
COUNTY = "420102"
VILLAGE, NEIGHBOUR = "420102002003", "420102002004"
FIELDS = ["population.resident_total", "elderly.aged_60_plus", "population.resident_households"]
ELDERLY = "60周岁及以上常住老年人口数"
ONEFORM = str(Path(sys.executable).parent / "oneform")
PASSWORD = "a long enough password"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_keys = itertools.count(1)


@dataclass
class Installation:
    """A running `oneform up` of its own."""

    home: Path
    port: int
    process: subprocess.Popen[str]
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str, given: str | None = None) -> Any:
        """A command with `--json`; its document."""
        done = subprocess.run(
            [ONEFORM, *arguments, "--json"],
            env=environment(self.home),
            input=given,
            text=True,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def agency(self, code: str) -> httpx.Client:
        key = self.run("agencies", "key", code)["key"]
        client = httpx.Client(
            base_url=f"{self.address}/api/v1", headers={"Authorization": f"Bearer {key}"}
        )
        self.clients.append(client)
        return client


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONEFORM_")}
    return {**kept, "ONEFORM_HOME": str(home), "ONEFORM_TODAY": "2026-03-16"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    home = tmp_path_factory.mktemp("installation")
    port = free_port()
    with (home / "up.log").open("w") as log:
        process = subprocess.Popen(
            [ONEFORM, "up", "--port", str(port)],
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    said = process.stdout.readline()
    assert said.startswith("ready http://"), (home / "up.log").read_text()
    installation = Installation(home, port, process)
    yield installation
    for client in installation.clients:
        client.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    process.stdout.close()


def wait_for(client: httpx.Client, request_id: str, *states: str) -> dict[str, Any]:
    """Poll a request; its books balance at every look."""
    deadline = time.monotonic() + 60
    while True:
        request = client.get(f"/requests/{request_id}").json()
        cells = dict(request["cells"])
        assert cells.pop("total") == sum(cells.values())
        if request["state"] in states:
            return request
        assert time.monotonic() < deadline, request
        time.sleep(0.1)


def submit(client: httpx.Client, *fields: str, areas: tuple[str, ...] = (VILLAGE,)) -> str:
    answer = client.post(
        "/requests",
        headers={"Idempotency-Key": f"life-{next(_keys)}"},
        json={
            "title": "2026年村情调查",
            "purpose": "编制年度规划",
            "legal_basis": "《中华人民共和国统计法》",
            "fields": list(fields),
            "scope": {"areas": list(areas), "kind": "area", "level": "village"},
            "period": "2026",
            "due": "2026-04-30",
        },
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


@pytest.mark.browser
def test_from_nothing_to_a_fetched_answer(installation: Installation, tmp_path: Path) -> None:
    _import_county(installation, tmp_path)
    for code, name in (("civil_a", "民政局"), ("health_a", "卫健局"), ("plan_a", "规划局")):
        installation.run("agencies", "add", code, name, "--area", f"{COUNTY}000000")
    installation.run(
        "people", "add", "wang", "--role", "staff", "--area", VILLAGE, "--password-stdin",
        given=f"{PASSWORD}\n",
    )  # fmt: skip
    _offer_households(installation)
    civil, health, plan = (installation.agency(code) for code in ("civil_a", "health_a", "plan_a"))

    first = wait_for(civil, submit(civil, *FIELDS, areas=(VILLAGE, NEIGHBOUR)), "collecting")
    assert first["cells"]["shared"] == 2
    assert first["cells"]["asked"] == 4
    second = wait_for(health, submit(health, FIELDS[0], FIELDS[1]), "collecting")
    assert second["asks"] == {"new": 0, "joined": 2}

    _answer_in_the_browser(installation.address, {"常住人口数": "1203", ELDERLY: "288"})

    second = wait_for(health, second["id"], "fulfilled")
    assert second["cells"]["answered"] == 2
    first = wait_for(civil, first["id"], "collecting")
    assert (first["cells"]["answered"], first["cells"]["asked"]) == (2, 2)

    third = wait_for(plan, submit(plan, *FIELDS), "fulfilled")
    assert third["asks"] == {"new": 0, "joined": 0}
    assert third["cells"]["held"] == 3
    rows = plan.get(f"/requests/{third['id']}/data").json()["items"]
    assert {row["field"]: row["value"] for row in rows} == {
        FIELDS[0]: 1203,
        FIELDS[1]: 288,
        FIELDS[2]: 400,
    }
    assert {row["source"] for row in rows} == {"submission", "civil.households"}
    check = httpx.get(f"{installation.address}/api/v1/control-numbers/{third['control_no']}").json()
    assert check["valid"]


def _import_county(installation: Installation, folder: Path) -> None:
    """One county, with what lies above it."""
    lines = gzip.decompress(AREAS.read_bytes()).decode().splitlines()
    county = [lines[0]] + [
        line for line in lines[1:] if line.startswith((COUNTY, "420000000000", "420100000000"))
    ]
    path = folder / "areas.csv"
    path.write_text("\n".join(county) + "\n")
    report = installation.run("areas", "import", str(path))
    assert report["created"] == len(county) - 1
    assert installation.run("areas", "import", str(path))["created"] == 0


def _offer_households(installation: Installation) -> None:
    """A department's CSV file, in the folder from which sources may read."""
    files = installation.home / "files"
    files.mkdir(exist_ok=True)
    (files / "households.csv").write_text(f"code,households\n{VILLAGE},400\n{NEIGHBOUR},500\n")
    definition = installation.home / "source.yaml"
    definition.write_text(
        json.dumps(
            {
                "code": "civil.households",
                "agency": "civil_a",
                "kind": "file",
                "settings": {"path": "households.csv"},
                "keys": {"subject": "code", "period": {"value": "2026"}},
                "fields": {FIELDS[2]: "households"},
                "areas": [f"{COUNTY}000000"],
            }
        )
    )
    installation.run("sources", "add", str(definition))
    assert installation.run("sources", "probe", "civil.households")["ok"]


def _answer_in_the_browser(address: str, values: dict[str, str]) -> None:
    """As somebody of the village on a phone: log in, fill in, check, send, see what is done."""
    with sync_playwright() as playwright:
        executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
        if executable is None:
            pytest.skip("no Chromium is installed (on Debian: apt-get install chromium)")
        # Its own sandbox does not work for root.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        page = browser.new_page(viewport={"width": 360, "height": 740}, locale="zh-CN")
        page.goto(f"{address}/login")
        page.fill("input[name=username]", "wang")
        page.fill("input[name=password]", PASSWORD)
        page.click("button.button")
        for name, value in values.items():
            question = page.locator("fieldset.question").filter(
                has=page.locator(".q-name", has_text=re.compile(f"^{name}$"))
            )
            who_asks = question.text_content() or ""
            assert "民政局" in who_asks
            assert "卫健局" in who_asks
            question.locator("[data-value]").first.fill(value)
        page.locator("button[data-check]").click()
        for value in values.values():
            assert value in page.locator("main").inner_text().replace(",", "")
        page.locator(".buttons button.button").first.click()
        page.wait_for_url("**/submissions/**")
        assert "2" in page.locator("main").inner_text()
        browser.close()
