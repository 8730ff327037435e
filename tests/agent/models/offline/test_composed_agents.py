"""How composed agent endpoints behave when they are served."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from tests.agent.models.offline.serving import Served


def test_the_day_with_the_least_due_is_suggested(everything: Served) -> None:
    owner = everything.owner
    today = datetime.now(UTC).date()
    for ahead in (1, 1, 2):
        day = str(today + timedelta(days=ahead))
        owner.post("/api/chores", json={"title": "busy", "due_date": day})
    done = {"title": "done", "due_date": str(today + timedelta(days=3)), "completed": True}
    owner.post("/api/chores", json=done)
    answer = owner.post("/api/agents/suggest-due-date", json={"title": "new"}).json()
    assert answer == {
        "suggested_date": str(today + timedelta(days=3)),
        "due_on_that_day": 0,
    }
    other = everything.intruder.post("/api/agents/suggest-due-date", json={"title": "new"}).json()
    assert other["suggested_date"] == str(today + timedelta(days=1))


def test_a_time_counts_for_its_day(everything: Served) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    everything.owner.post("/api/events", json={"place": "here", "deadline": tomorrow.isoformat()})
    answer = everything.owner.post("/api/agents/suggest-deadline", json={"title": "urgent"}).json()
    assert answer["suggested_date"] == str((tomorrow + timedelta(days=1)).date())


def test_the_priority_of_similar_rows_is_suggested(everything: Served) -> None:
    owner = everything.owner
    for place, priority in (("harbour", "later"), ("harbour", "later"), ("harbour", None)):
        owner.post("/api/events", json={"place": place, "priority": priority})
    similar = owner.post("/api/agents/rank-event", json={"title": "Old Harbour"}).json()
    assert similar == {"suggested_priority": "later", "follows_similar": True}
    stranger = everything.intruder.post("/api/agents/rank-event", json={"title": "Old Harbour"})
    assert stranger.json() == {"suggested_priority": "soon", "follows_similar": False}


def test_a_summary_counts_own_rows_only(everything: Served) -> None:
    intruder = everything.intruder
    intruder.post("/api/chores", json={"title": "a", "cost": 1.5, "completed": True})
    intruder.post("/api/chores", json={"title": "b", "cost": 2, "priority": "high"})
    answer = intruder.post("/api/agents/summarize-chores").json()
    assert answer == {
        "total": 2,
        "completed_count": 1,
        "priority_counts": {"medium": 1, "high": 1},
        "cost_sum": 3.5,
    }
    events = intruder.post("/api/agents/summarize-events").json()
    assert events == {"total": 0, "priority_counts": {}}


def test_each_user_has_a_limit_of_their_own(everything: Served) -> None:
    def call(client_number: int) -> int:
        client = (everything.owner, everything.intruder)[client_number % 2]
        body = {"title": "x"}
        answer = client.post("/api/agents/suggest-priority", json=body)
        if answer.status_code == 429:
            assert 1 <= int(answer.headers["retry-after"]) <= 60
        return answer.status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(call, range(20)))
    assert sorted(answers[::2]) == [200] * 3 + [429] * 7
    assert sorted(answers[1::2]) == [200] * 3 + [429] * 7


def test_bad_input_is_refused(everything: Served) -> None:
    for body in ({}, {"title": ""}, {"title": "a\0"}, {"title": "x", "user_id": "y"}):
        answer = everything.owner.post("/api/agents/suggest-due-date", json=body)
        assert answer.status_code == 422
