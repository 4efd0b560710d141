"""Township reviewers: they accept answers, return some, and decide refusals."""

from __future__ import annotations

from benchmarks.load.client import Client


class ReviewerClient(Client):
    """Somebody of a township."""

    township = ""

    def sign_in(self) -> None:
        self.log_in(self.township)

    def turn(self) -> bool:
        if self.course.finished.is_set():
            return False
        self._review()
        self._decide()
        return True

    def _review(self) -> None:
        waiting = self.caller.call("reviews", "GET", "/reviews")
        items = waiting.body["items"] if waiting.ok else []
        if not items:
            return
        share = 0.0 if self.course.finishing.is_set() else 0.1
        back = {item["id"] for item in items if self.rng.random() < share}
        taken = [item for item in items if item["id"] not in back]
        body = {
            "accept": [item["id"] for item in taken],
            "return": [{"answer": each, "comment": "请核实"} for each in sorted(back)],
        }
        answer = self.caller.call("review", "POST", "/reviews/decide", body=body)
        if answer.ok:
            self.promises.accepted(
                {
                    (item["field"], item["period"], item["subject"]["key"]): item["value"]
                    for item in taken
                }
            )
        # Repeated after it had its effect, or the ask was withdrawn meanwhile.
        elif answer.status != 422:
            self.broken("a review was refused:", answer.content[:300])

    def _decide(self) -> None:
        waiting = self.caller.call(
            "refusals", "GET", "/refusals", params={"state": "undecided", "limit": "5"}
        )
        for refusal in waiting.body["items"] if waiting.ok else []:
            body = {"decision": self.rng.choice(("uphold", "overturn")), "reason": "负载测试"}
            answer = self.caller.call(
                "decide", "POST", f"/refusals/{refusal['id']}/decide", body=body
            )
            if not answer.ok and answer.status not in (404, 409, 422):
                self.broken("a decision was refused:", answer.content[:300])
