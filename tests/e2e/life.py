"""The whole life of a task, and nobody else's part in it."""

import httpx

ALL_PRIORITIES = ("low", "medium", "high")


def live(owner: httpx.Client, intruder: httpx.Client) -> None:
    """Create, list, filter, read, replace, change and delete; the intruder gets 404 each time."""
    ids = [_create(owner, priority) for priority in ALL_PRIORITIES]
    path = f"/api/tasks/{ids[0]}"
    assert {row["id"] for row in _list(owner)} == set(ids)
    assert [row["id"] for row in _list(owner, priority="high")] == [ids[2]]
    assert owner.get(path).json()["title"] == "a low one"
    assert _list(intruder) == []
    refuse(intruder, path)

    replaced = owner.put(path, json={"title": "replaced", "completed": False, "priority": "high"})
    assert (replaced.status_code, replaced.json()["title"]) == (200, "replaced")
    changed = owner.patch(path, json={"completed": True})
    assert (changed.status_code, changed.json()["completed"]) == (200, True)
    assert [row["id"] for row in _list(owner, completed="true")] == [ids[0]]

    for task_id in ids:
        assert owner.delete(f"/api/tasks/{task_id}").status_code == 204
    assert _list(owner) == []
    assert owner.get(path).status_code == 404


def refuse(intruder: httpx.Client, path: str) -> None:
    """Try everything with an id of somebody else: each answer is that there is no such task."""
    body = {"title": "mine", "completed": True, "priority": "low"}
    answers = [
        intruder.get(path),
        intruder.put(path, json=body),
        intruder.patch(path, json={"title": "mine"}),
        intruder.delete(path),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 404]


def _create(owner: httpx.Client, priority: str) -> int:
    made = owner.post("/api/tasks", json={"title": f"a {priority} one", "priority": priority})
    assert made.status_code == 201, made.text
    task_id: int = made.json()["id"]
    return task_id


def _list(client: httpx.Client, **query: str) -> list[dict[str, object]]:
    answer = client.get("/api/tasks", params=query)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, object]] = answer.json()
    return rows
