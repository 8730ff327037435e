"""The parent's own view of the backend's database: rows, whose they are, and what changed."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from validators.runtime.better_auth import User

Connection = psycopg.Connection[tuple[Any, ...]]
Key = tuple[str, ...]

_MOST_ROWS = 5000
_DEEPEST = 6
# Keys that the database counts start far from each other and from all that requests hold, so that
# no number means a row by chance, nor rows of two tables.
_FIRST_KEY, _KEYS_APART, _MOST_SEQUENCES = 100_000, 100_000, 9_000
_SMALL_FIRST_KEY, _SMALL_KEYS_APART = 10_000, 500
_SMALLINT = 32_767
# Columns that name a user where no foreign key says so.
OWNER_COLUMNS = frozenset(
    {
        "user_id", "owner_id", "author_id", "creator_id", "created_by", "created_by_id", "userid",
        "ownerid", "authorid", "account_id", "member_id", "customer_id", "user", "owner",
    }
)  # fmt: skip

_MEMBERSHIP = re.compile(r"member|participa|collab|seat|grant|access|role")

_TABLES = """
select n.nspname, c.relname, c.oid,
       coalesce((select array_agg(a.attname order by k.position)
                 from pg_index i, unnest(i.indkey::int2[]) with ordinality k(number, position)
                 join pg_attribute a on a.attnum = k.number
                 where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid), '{}'),
       (select array_agg(array[a.attname::text, format_type(a.atttypid, a.atttypmod),
                               a.attnotnull::text, a.atthasdef::text,
                               (a.attgenerated <> '')::text] order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
  and n.nspname !~ '^pg_(toast|temp)'
order by n.nspname, c.relname
"""
_WAITING = """
select count(distinct l.pid) from pg_locks l join pg_stat_activity a on a.pid = l.pid
where not l.granted and a.datname = current_database()
"""
_UNIQUE = """
select i.indrelid, a.attname
from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey::int2[])
where i.indisunique and not i.indisprimary
"""
_SEQUENCES = """
select n.nspname, c.relname, s.seqmax, coalesce(pg_sequence_last_value(c.oid), 0)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_sequence s on s.seqrelid = c.oid
where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
order by n.nspname, c.relname
"""
_ENUMERATIONS = """
select format_type(t.oid, null), array_agg(e.enumlabel::text order by e.enumsortorder)
from pg_enum e join pg_type t on t.oid = e.enumtypid group by t.oid
"""
_FOREIGN_KEYS = """
select c.conrelid, a.attname, c.confrelid
from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
where c.contype = 'f' and cardinality(c.conkey) = 1
"""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    type: str
    is_required: bool
    has_default: bool
    is_generated: bool = False


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        schema: Its schema in the database.
        name: Its name.
        key: The columns of its primary key.
        columns: Its columns by name.
        references: The table that each foreign key column points to.
        unique: The columns of its unique constraints, the primary key's aside.
    """

    schema: str
    name: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    references: dict[str, str] = field(default_factory=dict)
    unique: set[str] = field(default_factory=set)

    @property
    def identifier(self) -> sql.Identifier:
        """Its name, quoted for a statement."""
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True)
class Row:
    """One row; `text` is the JSON that PostgreSQL makes of it."""

    table: str
    key: Key
    data: Mapping[str, Any]
    text: str


Snapshot = Mapping[tuple[str, Key], Row]


@dataclass(frozen=True)
class Change:
    """What happened between two snapshots."""

    added: tuple[Row, ...]
    gone: tuple[Row, ...]
    changed: tuple[tuple[Row, Row], ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.gone or self.changed)


NOTHING = Change((), (), ())


class Tables:
    """The tables of a backend's database, seen over the parent's own connection."""

    def __init__(self, connection: Connection, users_table: str = "user") -> None:
        self._connection = connection
        self.users_table = users_table
        # What was read last: most rows are as they were.
        connection.execute("set statement_timeout = '5s'")
        self.refresh()

    def refresh(self) -> None:
        """Look again which tables there are: some backends make theirs at the first request."""
        self.by_name = _read_tables(self._connection)
        self.enumerations: dict[str, list[str]] = dict(
            self._connection.execute(_ENUMERATIONS).fetchall()
        )
        self._spread_keys()
        self._rows: dict[tuple[str, str], Row] = {}
        self._snapshot: Snapshot = {}
        parts = [
            sql.SQL("(select {}, to_jsonb(x)::text from {} x limit {})").format(
                sql.Literal(name), table.identifier, sql.Literal(_MOST_ROWS)
            )
            for name, table in self.by_name.items()
        ]
        self._read_all = sql.SQL(" union all ").join(parts).as_bytes(self._connection)

    def _spread_keys(self) -> None:
        sequences = self._connection.execute(_SEQUENCES).fetchall()
        for number, (schema, name, most, last) in enumerate(sequences[:_MOST_SEQUENCES]):
            first, apart = _FIRST_KEY, _KEYS_APART
            if most <= _SMALLINT:
                first, apart = _SMALL_FIRST_KEY, _SMALL_KEYS_APART
            key = first + number * apart
            if last < key <= most:
                sequence = sql.Identifier(schema, name).as_string(self._connection)
                self._connection.execute("select setval(%s, %s, false)", (sequence, key))

    def snapshot(self) -> Snapshot:
        """Return all rows, at most some thousands of each table."""
        if not self._read_all:
            return {}
        read: dict[tuple[str, str], Row] = {}
        for place in self._connection.execute(self._read_all):
            read[place] = self._rows.get(place) or self._row(*place)
        if read != self._rows:
            self._snapshot = {(row.table, row.key): row for row in read.values()}
        self._rows = read
        return self._snapshot

    def _row(self, name: str, text: str) -> Row:
        data = json.loads(text)
        columns = self.by_name[name].key
        key = tuple(str(data[column]) for column in columns) if columns else (text,)
        return Row(name, key, data, text)

    @contextmanager
    def holding(self, table: str) -> Iterator[None]:
        """Let nobody write to a table for as long as this lasts; everybody may read it.

        Whoever is about to write waits. Of two requests that read and then write, both have read
        before either has written: the order of things that breaks what only the code promises.
        """
        with self._connection.transaction():
            lock = sql.SQL("lock table {} in share mode")
            self._connection.execute(lock.format(self.by_name[table].identifier))
            yield

    def count_waiting(self) -> int:
        """Return how many of the backend's connections wait for a lock."""
        found = self._connection.execute(_WAITING).fetchone()
        return int(found[0]) if found else 0

    def restore(self, wanted: Snapshot, change: Change) -> None:
        """Bring the rows back to what they were before a change."""
        with self._connection.transaction():
            # Triggers and foreign keys rest while rows are put back in any order.
            self._connection.execute("set local session_replication_role = replica")
            for row in (*change.added, *(after for _, after in change.changed)):
                self._delete(row)
            for row in (*change.gone, *(before for before, _ in change.changed)):
                if (row.table, row.key) in wanted:
                    self._insert(row)

    def _delete(self, row: Row) -> None:
        table = self.by_name[row.table]
        statement = sql.SQL("delete from {} x where to_jsonb(x) = {}::jsonb")
        self._connection.execute(statement.format(table.identifier, sql.Literal(row.text)))

    def _insert(self, row: Row) -> None:
        table = self.by_name[row.table]
        written = [column.name for column in table.columns.values() if not column.is_generated]
        names = sql.SQL(", ").join(map(sql.Identifier, written))
        statement = sql.SQL(
            "insert into {0} ({2}) overriding system value "
            "select {2} from jsonb_populate_record(null::{0}, {1}::jsonb)"
        )
        filled = statement.format(table.identifier, sql.Literal(row.text), names)
        self._connection.execute(filled)

    def insert(self, table: Table, values: Mapping[str, Any]) -> None:
        """Insert one row; a value that is a piece of SQL is taken as such."""
        parts = [v if isinstance(v, sql.Composable) else sql.Literal(v) for v in values.values()]
        statement = sql.SQL("insert into {} ({}) overriding system value values ({})").format(
            table.identifier,
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(parts),
        )
        self._connection.execute(statement)

    def copy(self, row: Row, times: int) -> None:
        """Add rows like one, with other values where these must be unique."""
        table = self.by_name[row.table]
        columns = [c for c in table.columns.values() if not c.is_generated]
        columns = [c for c in columns if not (c.name in table.key and c.has_default)]
        own = table.unique | set(table.key)
        parts = [
            self._copied(column, column.name in own and column.name not in table.references)
            for column in columns
        ]
        statement = sql.SQL(
            "insert into {table} ({names}) select {values} "
            "from jsonb_populate_record(null::{table}, {row}::jsonb) x, "
            "generate_series(1, {times}) n"
        ).format(
            table=table.identifier,
            names=sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
            values=sql.SQL(", ").join(parts),
            row=sql.Literal(row.text),
            times=sql.Literal(times),
        )
        self._connection.execute(statement)

    def _copied(self, column: Column, is_apart: bool) -> sql.Composable:  # noqa: FBT001
        name = sql.SQL("x.{}").format(sql.Identifier(column.name))
        if not is_apart or column.name.lower() in OWNER_COLUMNS:
            return name
        kind = column.type
        if kind == "uuid":
            return sql.SQL("gen_random_uuid()")
        if kind == "date" or kind.startswith("timestamp"):
            cast = sql.SQL(kind)  # as PostgreSQL itself names the column's type
            return sql.SQL("({} - n * interval '1 day')::{}").format(name, cast)
        if "int" in kind or kind.startswith("numeric"):
            return sql.SQL("{} + 1000 + n").format(name)
        if kind.startswith(("text", "character")):
            return sql.SQL("left({}, 40) || n").format(name)
        return name

    def update(self, row: Row, values: Mapping[str, Any]) -> None:
        """Set columns of one row; a value that is a piece of SQL is taken as such."""
        pairs = [
            sql.SQL("{} = {}").format(
                sql.Identifier(name),
                value if isinstance(value, sql.Composable) else sql.Literal(value),
            )
            for name, value in values.items()
        ]
        statement = sql.SQL("update {} x set {} where to_jsonb(x) = {}::jsonb").format(
            self.by_name[row.table].identifier, sql.SQL(", ").join(pairs), sql.Literal(row.text)
        )
        self._connection.execute(statement)

    def owners(
        self, rows: Snapshot, users: Sequence[User]
    ) -> dict[tuple[str, Key], frozenset[str]]:
        """Return the roles of the users whose each row is.

        A row belongs to the users that its own columns name, and where it names none, to those
        of the rows that its foreign keys point to; a group belongs to its members.
        """
        found = {place: self._named_users(row, users) for place, row in rows.items()}
        by_id = {(row.table, row.key[0]): place for place, row in rows.items() if len(row.key) == 1}
        self._inherit(rows, found, by_id)
        members = self._members(rows, found, by_id)
        if members:
            found |= members
            self._inherit(rows, found, by_id)
        return found

    def _inherit(
        self,
        rows: Snapshot,
        found: dict[tuple[str, Key], frozenset[str]],
        by_id: Mapping[tuple[str, str], tuple[str, Key]],
    ) -> None:
        """Let each row that is nobody's so far belong to those of the rows that it points to."""
        for _ in range(_DEEPEST):
            inherited = {
                place: frozenset().union(
                    *(found[by_id[to]] for to in self.references(row) if to in by_id)
                )
                for place, row in rows.items()
                if not found[place]
            }
            if not any(inherited.values()):
                return
            found |= inherited

    def _members(
        self,
        rows: Snapshot,
        named: Mapping[tuple[str, Key], frozenset[str]],
        by_id: Mapping[tuple[str, str], tuple[str, Key]],
    ) -> dict[tuple[str, Key], frozenset[str]]:
        """Return the users who are members of each row that memberships point to."""
        found: dict[tuple[str, Key], frozenset[str]] = {}
        for place, row in rows.items():
            if named[place] and self._is_membership(row.table):
                for target in self.references(row):
                    group = by_id.get(target)
                    if group is not None and not named[group]:
                        found[group] = found.get(group, frozenset()) | named[place]
        return found

    def _is_membership(self, name: str) -> bool:
        """Tell whether the rows of a table say who has a part in what, by its name or its key."""
        table = self.by_name[name]
        links = set(table.references) | (OWNER_COLUMNS & set(table.columns))
        is_link = len(table.key) > 1 and set(table.key) <= links
        return is_link or _MEMBERSHIP.search(name) is not None

    def references(self, row: Row) -> Iterator[tuple[str, str]]:
        """Yield table and key of each row, users aside, that a row points to."""
        for column, target in self.by_name[row.table].references.items():
            value = row.data.get(column)
            if value is not None and target != self.users_table:
                yield target, str(value)

    def _named_users(self, row: Row, users: Sequence[User]) -> frozenset[str]:
        """Return the users whose id or address a row holds: whoever it names can have a part in it.

        The table of the users itself aside, where an address names nobody but its row.
        """
        columns = self.by_name[row.table].key if row.table == self.users_table else row.data
        values = [row.data.get(column) for column in columns]
        named = {str(each) for each in values if isinstance(each, str | int)}
        return frozenset(user.role for user in users if named & {user.id, user.email})


def compare(before: Snapshot, after: Snapshot) -> Change:
    """Return what changed between two snapshots, each part in the order of its keys."""
    if after is before:
        return NOTHING
    return Change(
        added=tuple(after[place] for place in sorted(after.keys() - before.keys())),
        gone=tuple(before[place] for place in sorted(before.keys() - after.keys())),
        changed=tuple(
            (before[place], after[place])
            for place in sorted(before.keys() & after.keys())
            if before[place].text != after[place].text
        ),
    )


def _read_tables(connection: Connection) -> dict[str, Table]:
    by_oid: dict[int, Table] = {}
    for schema, name, oid, key, columns in connection.execute(_TABLES):
        read = {
            c[0]: Column(c[0], c[1], *(flag == "true" for flag in c[2:])) for c in columns or ()
        }
        by_oid[oid] = Table(schema, name, tuple(key), read)
    for source, column, target in connection.execute(_FOREIGN_KEYS):
        if source in by_oid and target in by_oid:
            by_oid[source].references[column] = by_oid[target].name
    for oid, column in connection.execute(_UNIQUE):
        if oid in by_oid:
            by_oid[oid].unique.add(column)
    return {table.name: table for table in by_oid.values()}
