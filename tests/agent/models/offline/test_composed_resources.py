"""How composed resources behave when they are served: two users, bad input, relations."""

from typing import Any

import httpx
import psycopg
import pytest

from tests.agent.models.offline.serving import Postgres, Served

SAMPLE: dict[str, Any] = {
    "text_required": "a text",
    "long_text_required": "a long text",
    "integer_required": 7,
    "decimal_required": 1.25,
    "money_required": 12.5,
    "boolean_required": True,
    "date_required": "2026-01-31",
    "datetime_required": "2026-01-31T12:00:00+02:00",
    "url_required": "https://example.com/a?b=c#d",
    "email_required": "someone@example.com",
    "choice_required": "in progress",
    "text_list_required": ["one", "two"],
    "fee": 0.01,
}


def create(client: httpx.Client, path: str, **body: object) -> dict[str, Any]:
    response = client.post(path, json=body)
    assert response.status_code == 201, response.text
    row: dict[str, Any] = response.json()
    return row


def test_every_kind_of_value_comes_back_as_it_was_sent(everything: Served) -> None:
    row = create(everything.owner, "/api/samples", **SAMPLE)
    sent = {**SAMPLE, "datetime_required": "2026-01-31T10:00:00Z"}
    assert {name: row[name] for name in sent} == sent
    assert everything.owner.get(f"/api/samples/{row['id']}").json() == row


def test_what_is_left_out_gets_its_default(everything: Served) -> None:
    row = create(everything.owner, "/api/samples", **SAMPLE)
    defaults = {
        "nickname": "it's",
        "count": 3,
        "ratio": 1.5,
        "price": 9.99,
        "is_active": True,
        "labels": ["a", "b"],
        "state": "open",
        "day": "2026-01-31",
        "link": "https://example.com",
        "boolean_optional": False,
        "text_list_optional": [],
        "date_optional": None,
        "choice_optional": None,
    }
    assert {name: row[name] for name in defaults} == defaults


@pytest.mark.parametrize("blank", ["", "   ", " \t\n"])
@pytest.mark.parametrize("field", ["text_required", "long_text_required"])
def test_a_blank_text_is_refused_with_a_sentence(
    everything: Served, field: str, blank: str
) -> None:
    response = everything.owner.post("/api/samples", json={**SAMPLE, field: blank})
    assert response.status_code == 422
    (detail,) = response.json()["detail"]
    assert detail["loc"] == ["body", field]
    assert detail["msg"] == "Value error, Input should hold a visible character"


def test_a_text_that_is_too_long_is_told_its_limit(everything: Served) -> None:
    response = everything.owner.post("/api/samples", json={**SAMPLE, "text_required": "x" * 201})
    assert response.json()["detail"][0]["msg"] == "String should have at most 200 characters"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text_required", None),
        ("text_required", ""),
        ("text_required", "  \n"),
        ("text_required", "x" * 201),
        ("text_required", "a\0b"),
        ("text_optional", "\0"),
        ("long_text_optional", "x" * 5001),
        ("code", "ab"),
        ("code", "x" * 11),
        ("integer_required", 2**31),
        ("integer_required", -(2**31) - 1),
        ("integer_required", 10**400),
        ("integer_required", "7"),
        ("integer_required", True),
        ("integer_required", 1.5),
        ("views", 10**12 + 1),
        ("count", 11),
        ("count", None),
        ("decimal_required", 0.00001),
        ("decimal_required", 10**15),
        ("decimal_required", "1.5"),
        ("ratio", 0.4),
        ("money_required", 0.001),
        ("money_required", 10**10),
        ("money_required", True),
        ("fee", 0),
        ("fee", 1000.51),
        ("boolean_required", "yes"),
        ("boolean_required", 1),
        ("boolean_optional", None),
        ("date_required", "2026-02-30"),
        ("date_required", "0000-01-01"),
        ("date_required", 20260131),
        ("date_required", "20260131"),
        ("date_required", "-86400"),
        ("date_required", "2026-01-31T00:00:00"),
        ("datetime_required", "2026-01-31T12:00:00"),
        ("datetime_required", "0001-01-01T00:00:00+14:00"),
        ("datetime_required", "9999-12-31T23:59:59-14:00"),
        ("datetime_required", "10000-01-01T00:00:00Z"),
        ("datetime_required", 1_700_000_000),
        ("datetime_required", "-86400"),
        ("url_required", "example.com"),
        ("url_required", "javascript:alert(1)"),
        ("url_required", "https://"),
        ("url_required", "https://example.com/\0"),
        ("url_required", "https://example.com/" + "x" * 2000),
        ("email_required", "someone"),
        ("email_required", "someone@example"),
        ("email_required", "a\0@example.com"),
        ("choice_required", "LOW"),
        ("choice_required", "low\0"),
        ("text_list_required", "one"),
        ("text_list_required", ["x\0"]),
        ("text_list_required", [" "]),
        ("text_list_required", ["x"] * 51),
        ("text_list_optional", None),
        ("unknown", 1),
        ("id", 1),
        ("user_id", "somebody else"),
    ],
)
def test_a_bad_value_is_refused_in_every_body(
    everything: Served, field: str, value: object
) -> None:
    owner = everything.owner
    row = create(owner, "/api/samples", **SAMPLE)
    path = f"/api/samples/{row['id']}"
    answers = {
        "post": owner.post("/api/samples", json={**SAMPLE, field: value}),
        "put": owner.put(path, json={**SAMPLE, field: value}),
        "patch": owner.patch(path, json={field: value}),
    }
    assert {verb: answer.status_code for verb, answer in answers.items()} == dict.fromkeys(
        answers, 422
    )
    assert owner.get(path).json() == row


@pytest.mark.parametrize(
    "body",
    [
        b'{"text_optional": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"money_optional": NaN}',
        b'{"money_optional": Infinity}',
        b'{"money_optional": 1e400}',
        b'{"integer_optional": -Infinity}',
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b"",
        b"{'a': 1}",
    ],
)
def test_a_body_that_is_no_proper_json_is_refused(everything: Served, body: bytes) -> None:
    row = create(everything.owner, "/api/samples", **SAMPLE)
    headers = {"Content-Type": "application/json"}
    path = f"/api/samples/{row['id']}"
    assert everything.owner.patch(path, content=body, headers=headers).status_code == 422


@pytest.mark.parametrize("body", [b"\xff", b'{"count": ' + b"9" * 5000 + b"}", b"[" * 100_000])
def test_a_body_that_cannot_be_read_at_all_is_a_bad_request(
    everything: Served, body: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    response = everything.owner.post("/api/samples", content=body, headers=headers)
    assert response.status_code == 400


def test_a_huge_body_is_refused(everything: Served) -> None:
    body = {**SAMPLE, "text_required": "x" * 2_000_000}
    assert everything.owner.post("/api/samples", json=body).status_code == 413


@pytest.mark.parametrize("number", ["0", "-1", "2147483648", "9" * 30, "1.5", "x", "%00", "\uff11"])
def test_an_id_that_no_row_can_have_is_refused(everything: Served, number: str) -> None:
    for verb in ("GET", "DELETE"):
        response = everything.owner.request(verb, f"/api/samples/{number}")
        assert response.status_code in {404, 422}


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"offset": "-1"},
        {"offset": str(2**63)},
        {"search": "a\0b"},
        {"search": "x" * 201},
        {"text_required": "\0"},
        {"text_list_required": "\0"},
        {"integer_required": str(2**31)},
        {"money_required_min": "nan"},
        {"money_required_max": "inf"},
        {"choice_required": "LOW"},
        {"date_required": "yesterday"},
        {"datetime_required_from": "2026-01-01T00:00:00"},
        {"sort": "text_required; drop table sample"},
        {"unknown": "1"},
    ],
)
def test_a_bad_query_is_refused(everything: Served, query: dict[str, str]) -> None:
    assert everything.owner.get("/api/samples", params=query).status_code == 422


def test_search_takes_wildcards_literally(everything: Served) -> None:
    owner = everything.owner
    texts = ["wild 100% sure", "wild 100 sure", "wild_card", "wildXcard", "wild\\card", "wild/card"]
    for text in texts:
        create(owner, "/api/samples", **{**SAMPLE, "text_required": text})

    def found(search: str) -> set[str]:
        answer = owner.get("/api/samples", params={"search": search})
        return {item["text_required"] for item in answer.json()["items"]}

    assert found("100%") == {"wild 100% sure"}
    assert found("WILD_C") == {"wild_card"}
    assert found("wild\\") == {"wild\\card"}
    assert found("wild/") == {"wild/card"}


def test_lists_are_filtered_sorted_and_paged(everything: Served) -> None:
    owner = everything.owner
    for price, day in ((3, "2030-01-02"), (1, None), (2, "2030-01-01")):
        body = {**SAMPLE, "nickname": "sorted", "price": price, "date_optional": day}
        create(owner, "/api/samples", **body)

    def prices(**query: object) -> list[float]:
        params = {"nickname": "sorted", **{name: str(value) for name, value in query.items()}}
        answer = owner.get("/api/samples", params=params)
        assert answer.status_code == 200, answer.text
        return [item["price"] for item in answer.json()["items"]]

    assert prices(sort="price") == [1, 2, 3]
    assert prices(sort="-price") == [3, 2, 1]
    assert prices(sort="date_optional") == [2, 3, 1]
    assert prices(sort="-date_optional") == [3, 2, 1]
    assert prices() == [2, 1, 3]
    assert prices(price_min=1.5, sort="price") == [2, 3]
    assert prices(price=1) == [1]
    assert prices(date_optional_to="2030-01-01") == [2]
    assert prices(text_list_required="two", limit=1, offset=1, sort="price") == [2]
    page = owner.get("/api/samples", params={"nickname": "sorted", "limit": "1"}).json()
    assert (len(page["items"]), page["total"]) == (1, 3)


def test_an_empty_patch_changes_nothing(everything: Served) -> None:
    row = create(everything.owner, "/api/samples", **SAMPLE)
    response = everything.owner.patch(f"/api/samples/{row['id']}", json={})
    assert (response.status_code, response.json()) == (200, row)


def test_an_update_moves_updated_at_and_nothing_else(everything: Served) -> None:
    row = create(everything.owner, "/api/samples", **SAMPLE)
    changed = everything.owner.patch(f"/api/samples/{row['id']}", json={"count": 4}).json()
    assert changed["updated_at"] > row["updated_at"]
    assert changed == {**row, "count": 4, "updated_at": changed["updated_at"]}


def test_the_intruder_meets_the_owners_row_nowhere(everything: Served) -> None:
    row = create(everything.owner, "/api/samples", **SAMPLE)
    path = f"/api/samples/{row['id']}"
    missing = "/api/samples/2147483647"
    intruder = everything.intruder
    for verb, body in (("GET", None), ("PUT", SAMPLE), ("PATCH", {"count": 1}), ("DELETE", None)):
        answer = intruder.request(verb, path, json=body)
        assert answer.status_code == 404
        assert answer.json() == intruder.request(verb, missing, json=body).json()
    assert intruder.get("/api/samples").json() == {"items": [], "total": 0}
    assert everything.owner.get(path).json() == row


def test_a_wrong_method_is_answered_with_those_of_the_path(everything: Served) -> None:
    item = everything.owner.post("/api/samples/1")
    collection = everything.owner.delete("/api/samples")
    assert (item.status_code, item.headers["allow"]) == (405, "DELETE, GET, PATCH, PUT")
    assert (collection.status_code, collection.headers["allow"]) == (405, "GET, POST")


def test_children_need_a_parent_of_the_same_user(everything: Served) -> None:
    owner, intruder = everything.owner, everything.intruder
    project = create(owner, "/api/projects", name="mine")
    own = create(intruder, "/api/projects", name="theirs")
    body = {"title": "x", "project_id": own["id"]}
    task = create(intruder, "/api/tasks", **body)
    planted = {**body, "project_id": project["id"]}
    path = f"/api/tasks/{task['id']}"
    answers = [
        intruder.post("/api/tasks", json=planted),
        intruder.put(path, json=planted),
        intruder.patch(path, json={"project_id": project["id"]}),
        intruder.post("/api/labels", json={"name": "x", "project_id": project["id"]}),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert intruder.get(path).json() == task
    assert intruder.get("/api/tasks", params={"project_id": project["id"]}).json() == []


def test_deletes_reach_the_children_and_spare_what_is_loosely_related(everything: Served) -> None:
    owner = everything.owner
    project = create(owner, "/api/projects", name="p")
    task = create(owner, "/api/tasks", title="t", project_id=project["id"])
    comment = create(owner, "/api/comments", body="c", task_id=task["id"])
    label = create(
        owner, "/api/labels", name="l", project_id=project["id"], main_task_id=task["id"]
    )
    assert owner.delete(f"/api/projects/{project['id']}").status_code == 204
    assert owner.get(f"/api/tasks/{task['id']}").status_code == 404
    assert owner.get(f"/api/comments/{comment['id']}").status_code == 404
    left = owner.get(f"/api/labels/{label['id']}").json()
    assert (left["project_id"], left["main_task_id"]) == (None, None)


def test_a_row_cannot_be_put_below_itself(everything: Served) -> None:
    owner = everything.owner
    top = create(owner, "/api/folders", name="top")
    middle = create(owner, "/api/folders", name="middle", parent_id=top["id"])
    bottom = create(owner, "/api/folders", name="bottom", parent_id=middle["id"])
    path = f"/api/folders/{top['id']}"
    for parent in (top, middle, bottom):
        assert owner.patch(path, json={"parent_id": parent["id"]}).status_code == 409
        body = {"name": "top", "parent_id": parent["id"]}
        assert owner.put(path, json=body).status_code == 409
    assert owner.patch(path, json={"parent_id": None}).status_code == 200
    assert owner.delete(path).status_code == 204
    assert owner.get(f"/api/folders/{bottom['id']}").status_code == 404


def test_the_user_table_stays_as_better_auth_made_it(everything: Served) -> None:
    columns = everything.query(
        "select column_name from information_schema.columns where table_name = 'user'"
    )
    assert {name for (name,) in columns} == {
        "id",
        "name",
        "email",
        "emailVerified",
        "image",
        "createdAt",
        "updatedAt",
    }


def test_owner_columns_lead_an_index_and_refer_to_the_user(everything: Served) -> None:
    indexes = everything.query(
        "select indexdef from pg_indexes where tablename = 'task' "
        "and strpos(indexdef, '(user_id,') > 0"
    )
    keys = everything.query(
        "select confdeltype from pg_constraint where conrelid = 'task'::regclass "
        "and confrelid = '\"user\"'::regclass"
    )
    assert len(indexes) == 2
    assert [kind for (kind,) in keys] == ["c"]


def test_a_race_with_a_delete_is_a_conflict_and_no_server_error(everything: Served) -> None:
    owner = everything.owner
    project = create(owner, "/api/projects", name="p")
    # A trigger stands in for the other request, which comes between reading and writing.
    everything.query(
        "create function vanish() returns trigger language plpgsql as "
        "$$ begin delete from project where id = new.project_id; return new; end $$"
    )
    everything.query("create trigger vanish before insert on task execute function vanish()")
    everything.query("drop trigger vanish on task")
    everything.query(
        "create trigger vanish before insert on task for each row "
        "when (new.title = 'race') execute function vanish()"
    )
    body = {"title": "race", "project_id": project["id"]}
    assert owner.post("/api/tasks", json=body).status_code == 409


def test_cut_connections_are_replaced_unnoticed(everything: Served) -> None:
    owner = everything.owner
    assert owner.get("/api/folders").status_code == 200
    everything.query(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    assert owner.get("/api/folders").status_code == 200


def test_a_database_that_does_not_answer_is_no_server_error(
    everything: Served, postgres: Postgres
) -> None:
    ((name,),) = everything.query("select current_database()")
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"alter database {name} allow_connections false".encode())
        try:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
            )
            answer = everything.owner.get("/api/folders")
        finally:
            connection.execute(f"alter database {name} allow_connections true".encode())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert everything.owner.get("/api/folders").status_code == 200
