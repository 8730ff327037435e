"""What each resource becomes: the parts that its table model, schemas and routes are made of."""

from dataclasses import dataclass
from functools import cached_property

from agent.errors import RequestNotUnderstoodError
from agent.models.offline.blueprint import FieldKind, Parent, Resource
from agent.models.offline.fields import SHADOWABLE, FieldCode, Filter
from agent.models.offline.formatting import (
    WIDTH,
    Bracket,
    Operation,
    Piece,
    bracketed,
    declared,
)
from agent.models.offline.naming import Names, names_of, sentence_case

_TIMES = ("created_at", "updated_at")
_LONGEST_NAME = 63  # of a table or an index, in PostgreSQL


@dataclass(frozen=True, slots=True)
class Target:
    """A resource that another one may belong to, new or existing.

    Attributes:
        model: Class name of its table model.
        table: Name of its table.
        label: What it is called in sentences.
        module: Module that has a function that returns an own row; empty where none has.
        getter: Name of that function, or of the one to define.
        owner: The column that names the user.
    """

    model: str
    table: str
    label: str
    module: str
    getter: str
    owner: str = "user_id"

    @property
    def singular(self) -> str:
        """One of them, in snake case."""
        return self.label.replace(" ", "_")

    @property
    def variable(self) -> str:
        """Name of a variable that holds a row."""
        return Names(self.singular, "").variable


def target_of(resource: Resource) -> Target:
    """Return a resource of the blueprint as a target of relations."""
    names = names_of(resource)
    return Target(
        names.model, names.table, names.label, f"routes.{names.route_module}", getter_name(names)
    )


def getter_name(names: Names) -> str:
    """Return the name of the function that returns an own row of a resource."""
    return f"get_own_{names.singular}"


@dataclass(frozen=True)
class ParentCode:
    """The code of one relation to a parent."""

    spec: Parent
    child: str
    target: Target
    int_type: str

    @property
    def key(self) -> str:
        """Name of the column and of the attribute in bodies."""
        return f"{self.spec.name}_id"

    @property
    def label(self) -> str:
        """The relation in words."""
        return self.spec.name.replace("_", " ")

    @property
    def is_self(self) -> bool:
        """Whether rows of one table belong to each other."""
        return self.target.model == self.child

    @property
    def column(self) -> str:
        """Definition of the attribute of the table model."""
        null = "" if self.spec.is_required else " | None"
        on_delete = "CASCADE" if self.spec.is_required or self.is_self else "SET NULL"
        arguments = [
            f'foreign_key="{self.target.table}.id"',
            f'ondelete="{on_delete}"',
            "index=True",
        ]
        if not self.spec.is_required:
            arguments.insert(0, "default=None")
        return bracketed(f"{self.key}: {self.int_type}{null} = Field(", arguments, ")", depth=1)

    @property
    def create(self) -> str:
        """Definition of the attribute of the request body that creates or replaces a row."""
        return f"{self.key}: Key" + ("" if self.spec.is_required else " | None = None")

    @property
    def patch(self) -> str:
        """Definition of the attribute of the request body that changes a row."""
        null = "" if self.spec.is_required else " | None"
        return f"{self.key}: Key | MISSING{null} = MISSING"

    @property
    def response(self) -> str:
        """Definition of the attribute of the response body."""
        return f"{self.key}: {self.int_type}" + ("" if self.spec.is_required else " | None")

    @property
    def filter(self) -> Filter:
        """The query parameter that narrows a list down to one parent's rows."""
        return Filter(
            self.key, "RowId", Operation(f"col({self.child}.{self.key})", "==", f"query.{self.key}")
        )


@dataclass(frozen=True)
class ResourceCode:
    """The code of one resource.

    Attributes:
        spec: The resource.
        targets: The parents by their singular names.
    """

    spec: Resource
    targets: dict[str, Target]

    @cached_property
    def names(self) -> Names:
        """What the resource is called."""
        return names_of(self.spec)

    @property
    def title(self) -> str:
        """Its name with an article, as a sentence starts."""
        return sentence_case(f"{self.names.article} {self.names.label}")

    @cached_property
    def _shadowed(self) -> frozenset[str]:
        return SHADOWABLE & {field.name for field in self.spec.fields}

    @property
    def int_type(self) -> str:
        """`int`, reached through its module where a field is called `int`."""
        return "builtins.int" if "int" in self._shadowed else "int"

    @cached_property
    def fields(self) -> list[FieldCode]:
        """The code of each field."""
        return [FieldCode(field, self.names.model, self._shadowed) for field in self.spec.fields]

    @cached_property
    def parents(self) -> list[ParentCode]:
        """The code of each relation to a parent."""
        return [
            ParentCode(parent, self.names.model, self.targets[parent.resource], self.int_type)
            for parent in self.spec.parents
        ]

    @property
    def choices(self) -> list[FieldCode]:
        """The fields that hold one of a few values."""
        return [field for field in self.fields if field.spec.kind is FieldKind.CHOICE]

    @property
    def table_arguments(self) -> str:
        """Indexes and checks of the table, as a tuple."""
        names = dict.fromkeys(("created_at", *self.spec.sort_by))
        items = [*map(self._index, names), *map(self._check, self.choices)]
        line = f"({items[0]},)"
        if len(items) == 1 and len(f"    __table_args__ = {line}") <= WIDTH:
            return line
        return "(\n" + "".join(f"        {item},\n" for item in items) + "    )"

    def _index(self, column: str) -> str:
        name = f"ix_{self.names.table}_user_id_{column}"[:_LONGEST_NAME]
        return bracketed("sa.Index(", [f'"{name}"', '"user_id"', f'"{column}"'], ")", depth=2)

    def _check(self, field: FieldCode) -> str:
        name = f"ck_{self.names.table}_{field.name}"[:_LONGEST_NAME]
        column = f'sa.column("{field.name}").in_('
        allowed = Bracket(column, [f"get_args({field.choice_type})"])
        return bracketed("sa.CheckConstraint(", [allowed, f'name="{name}"'], ")", depth=2)

    @property
    def aliases(self) -> list[str]:
        """Definitions of the types in request bodies that only this resource has."""
        return [field.alias for field in self.fields if field.alias]

    @property
    def create_attributes(self) -> list[str]:
        """Attributes of the request body that creates or replaces a row."""
        return [
            *(parent.create for parent in self.parents),
            *(field.create for field in self.fields),
        ]

    @property
    def patch_attributes(self) -> list[str]:
        """Attributes of the request body that changes a row."""
        return [*(parent.patch for parent in self.parents), *(field.patch for field in self.fields)]

    @property
    def response_attributes(self) -> list[str]:
        """Attributes of the response body."""
        times = [f"{name}: dt.datetime" for name in _TIMES]
        parents = [parent.response for parent in self.parents]
        return [
            f"id: {self.int_type}",
            *parents,
            *(field.response for field in self.fields),
            *times,
        ]

    @cached_property
    def filters(self) -> list[Filter]:
        """Every query parameter that narrows the list down, each once."""
        by_name = {field.name: field for field in self.fields}
        found = [parent.filter for parent in self.parents]
        for name in self.spec.filter_by:
            if name in by_name:
                found += by_name[name].filters
            elif name in _TIMES:
                found += _time_filters(self.names.model, name)
            elif name not in {parent.key for parent in self.parents}:
                raise self._unknown("filter by", name)
        if self.spec.search_in:
            found.append(self._search())
        return list({filter_.parameter: filter_ for filter_ in found}.values())

    def _search(self) -> Filter:
        known = {field.name for field in self.fields}
        for name in self.spec.search_in:
            if name not in known:
                raise self._unknown("search in", name)
        matches: list[Piece] = [
            Bracket(
                f"col({self.names.model}.{name}).icontains(", ["query.search", "autoescape=True"]
            )
            for name in self.spec.search_in
        ]
        condition = matches[0] if len(matches) == 1 else Bracket("or_(", matches)
        return Filter("search", "SearchText", condition)

    def _unknown(self, action: str, name: str) -> RequestNotUnderstoodError:
        return RequestNotUnderstoodError(
            f"Cannot {action} {name}: {self.names.article} {self.names.label} has no such field.",
            f"Its fields are {', '.join(field.name for field in self.fields)}.",
        )

    @property
    def query_attributes(self) -> list[str]:
        """Query parameters of the list beside limit and offset."""
        attributes = [
            declared(item.parameter, f"{item.type} | None", "None") for item in self.filters
        ]
        if self.spec.sort_by:
            default = self.spec.default_sort or "-created_at"
            attributes.append(f'sort: {self.names.model}Sort = "{default}"')
        if self.spec.page_size is not None:
            attributes.append(f"limit: int = Field(default={self.spec.page_size}, ge=1, le=100)")
        return attributes

    @property
    def query_type(self) -> str:
        """The type of the list's query parameters."""
        return f"{self.names.model}Query" if self.query_attributes else "ListQuery"

    @property
    def is_paginated(self) -> bool:
        """Whether the list comes in pages, with the total."""
        return self.spec.is_paginated

    @property
    def list_type(self) -> str:
        """What the list handler returns."""
        model = self.names.model
        return f"{model}Page" if self.is_paginated else f"Sequence[{model}]"

    @property
    def list_summary(self) -> str:
        """What the list handler's docstring says."""
        order = "" if self.spec.sort_by else ", newest first"
        return f"List the user's {self.names.labels}{order}."

    @property
    def _sort_columns(self) -> list[str]:
        known = {field.name for field in self.fields} | set(_TIMES)
        for name in self.spec.sort_by:
            if name not in known:
                raise self._unknown("sort by", name)
        return list(dict.fromkeys(("created_at", *self.spec.sort_by)))

    @property
    def sort_type(self) -> str:
        """Definition of the orders in which the list can be had, or an empty text."""
        if not self.spec.sort_by:
            return ""
        values: list[Piece] = [
            f'"{sign}{name}"' for name in self._sort_columns for sign in ("", "-")
        ]
        return bracketed(f"{self.names.model}Sort = Literal[", values, "]")

    @property
    def orders(self) -> str:
        """Definition of the ORDER BY clause of each order, or an empty text."""
        if not self.spec.sort_by:
            return ""
        nullable = {field.name for field in self.fields if field.is_nullable}
        entries = []
        for name in self._sort_columns:
            column = f"{self.names.model}.{name}"
            for sign, direction in (("", "asc"), ("-", "desc")):
                if name in nullable:
                    head, inner, tail = "nulls_last(", f"col({column}).{direction}()", ")"
                else:
                    head, inner, tail = "col(", column, f").{direction}()"
                entry = bracketed(f'"{sign}{name}": {head}', [inner], tail, depth=1)
                entries.append(f"    {entry},\n")
        head = f"ORDERS: dict[{self.names.model}Sort, UnaryExpression[Any]] = {{\n"
        return f"{head}{''.join(entries)}}}"

    @property
    def order(self) -> list[Piece]:
        """Arguments of `order_by`; the id makes the order of equal rows certain."""
        model = self.names.model
        first = "ORDERS[query.sort]" if self.spec.sort_by else f"col({model}.created_at).desc()"
        return [first, f"col({model}.id).desc()"]

    @property
    def create_errors(self) -> str:
        """The error responses of the handler that creates a row."""
        return "WRITE_ERRORS | NOT_FOUND" if self.parents else "WRITE_ERRORS"


def _time_filters(model: str, name: str) -> list[Filter]:
    return [
        Filter(
            f"{name}_{end}",
            "UtcDatetime",
            Operation(f"col({model}.{name})", sign, f"query.{name}_{end}"),
        )
        for end, sign in (("from", ">="), ("to", "<="))
    ]
