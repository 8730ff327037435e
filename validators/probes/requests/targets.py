"""Which table a name in a request means: `task_id`, `{id}` after `/tasks`, `tag_ids`."""

import re
from typing import TYPE_CHECKING

from validators.probes.operations import Operation
from validators.probes.worlds.tables import OWNER_COLUMNS, Table, Tables

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY_NAMES = frozenset({"id", "ids", "uuid", "pk", "slug", "key", "item_id", "ident"})
_KEY_ENDINGS = ("_id", "_uuid", "_pk", "_slug", "_key")


class Targets:
    """Finds the table behind a name, from the database's keys and the path's segments."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        # Tables in which a POST on a collection's path was seen to make rows.
        self.learned: dict[str, str] = {}

    def table_of(self, operation: Operation, name: str) -> str | None:
        """Return the table whose row a name in a request means, or None.

        Args:
            operation: The operation that the name is a part of.
            name: The name of a path or query parameter or of a property.
        """
        snake = _snake(name)
        if snake.endswith("_ids"):
            snake = snake.removesuffix("s")
        own = self.own_table(operation)
        return (
            self._by_foreign_key(snake, own)
            or self._by_stem(snake)
            or (self._tables.users_table if snake in OWNER_COLUMNS else None)
            or self._by_segment(operation, name, snake, own)
        )

    def own_table(self, operation: Operation) -> str | None:
        """Return the table that an operation is about: that of the last segment that names one."""
        parts = operation.path.split("/")
        for end in range(len(parts), 0, -1):
            if not parts[end - 1].startswith("{"):
                found = self._of_collection("/".join(parts[:end]), parts[end - 1])
                if found is not None:
                    return found
        return None

    def column_of(self, table: Table, name: str) -> str | None:
        """Return the column of a table whose value a name stands for."""
        snake = _snake(name)
        for candidate in (snake, snake.removeprefix(f"{_singular(table.name)}_")):
            if candidate in table.columns and candidate not in table.references:
                return candidate
        return table.key[0] if len(table.key) == 1 else None

    def _by_foreign_key(self, snake: str, own: str | None) -> str | None:
        by_name: Mapping[str, Table] = self._tables.by_name
        if own is not None and snake in by_name[own].references:
            return by_name[own].references[snake]
        found = {
            table.references[column]
            for table in by_name.values()
            for column in table.references
            if _snake(column) == snake
        }
        return found.pop() if len(found) == 1 else None

    def _by_stem(self, snake: str) -> str | None:
        for ending in _KEY_ENDINGS:
            if snake.endswith(ending):
                return self._by_word(snake.removesuffix(ending))
        return None

    def _by_segment(
        self, operation: Operation, name: str, snake: str, own: str | None
    ) -> str | None:
        parts = operation.path.split("/")
        for index, part in enumerate(parts):
            if part.partition(":")[0].strip("{}") == name and index:
                found = self._of_collection("/".join(parts[:index]), parts[index - 1])
                if found is not None or snake not in _KEY_NAMES:
                    return found
        return own if snake in _KEY_NAMES or snake == "parent_id" else None

    def _of_collection(self, path: str, segment: str) -> str | None:
        return self.learned.get(path) or self._by_word(segment)

    def by_word(self, word: str) -> str | None:
        """Return the table that a word names, or None."""
        return self._by_word(word)

    def _by_word(self, word: str) -> str | None:
        wanted = _plain(word)
        if not wanted:
            return None
        tables = [name for name in self._tables.by_name if _plain(name) == wanted]
        if not tables:
            endings = f"_{_singular(_snake(word))}"
            tables = [n for n in self._tables.by_name if _singular(_snake(n)).endswith(endings)]
        if not tables:
            # A member is what a membership makes.
            tables = [n for n in self._tables.by_name if _plain(n) == f"{wanted}ship"]
        return tables[0] if len(tables) == 1 else None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def _plain(word: str) -> str:
    return _singular(_snake(word)).replace("_", "")


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
