"""What each agent endpoint becomes, from its ability and the fields of its resource."""

from dataclasses import dataclass
from functools import cached_property

from agent.errors import RequestNotUnderstoodError
from agent.models.offline.blueprint import AgentEndpoint, FieldKind, FieldSpec
from agent.models.offline.fields import FieldCode
from agent.models.offline.formatting import WIDTH, Bracket, Piece, text_literal, written
from agent.models.offline.naming import article, class_name, sentence_case

_DONE = frozenset({"closed", "complete", "completed", "done", "finished", "paid", "resolved"})
_URGENT = frozenset({"critical", "highest", "high", "urgent"})
_NUMBERS = frozenset({FieldKind.DECIMAL, FieldKind.MONEY})
_TEXTS = frozenset({FieldKind.TEXT, FieldKind.LONG_TEXT})


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a summary.

    Attributes:
        name: Name of the attribute in the response.
        type: Its type.
        query: What is selected.
        condition: A condition besides ownership, or an empty text.
        group: A column to group by and to select as well, or an empty text.
        value: The attribute's value, from a variable of the same name.
    """

    name: str
    type: str
    query: str
    value: Piece
    condition: str = ""
    group: str = ""


@dataclass(frozen=True)
class AgentCode:
    """The code of one agent endpoint.

    Attributes:
        spec: The endpoint.
        model: Class name of the table model that it reads.
        label: One of its rows in words.
        labels: Many of them in words.
        fields: The fields of the table model.
        priority_type: The priorities, as a type.
    """

    spec: AgentEndpoint
    model: str
    label: str
    labels: str
    fields: tuple[FieldSpec, ...]
    priority_type: str

    @property
    def function(self) -> str:
        """Name of the handler."""
        return self.spec.name.replace("-", "_")

    @property
    def prefix(self) -> str:
        """What the names of its request and response bodies start with."""
        return class_name(self.function)

    @property
    def article(self) -> str:
        """`a` or `an`, before the label."""
        return article(self.label)

    @property
    def title(self) -> str:
        """The label with its article, as a sentence starts."""
        return sentence_case(f"{self.article} {self.label}")

    @property
    def takes_text(self) -> bool:
        """Whether a request describes something in words."""
        return self.spec.ability != "summarize"

    @property
    def _done(self) -> str | None:
        found = (f.name for f in self._of({FieldKind.BOOLEAN}) if _DONE & set(f.name.split("_")))
        return next(found, None)

    def _of(self, kinds: set[FieldKind] | frozenset[FieldKind]) -> list[FieldSpec]:
        return [field for field in self.fields if field.kind in kinds]

    @cached_property
    def _date_field(self) -> FieldSpec:
        dates = self._of({FieldKind.DATE, FieldKind.DATETIME})
        # The one that is due, where there are several; `min` keeps the first of equals.
        if dates:
            return min(
                dates, key=lambda field: not {"due", "deadline"} & set(field.name.split("_"))
            )
        raise self._lacks("a date")

    def _lacks(self, what: str) -> RequestNotUnderstoodError:
        return RequestNotUnderstoodError(
            f'The agent endpoint "{self.spec.name}" needs {self.labels} with {what}.',
            f"Add {what} to the fields of {self.article} {self.label}.",
        )

    @property
    def date(self) -> str:
        """The field that says when a row is due."""
        return self._date_field.name

    @property
    def is_datetime(self) -> bool:
        """Whether that field holds a time as well."""
        return self._date_field.kind is FieldKind.DATETIME

    @property
    def conditions(self) -> list[Piece]:
        """Which rows count as due."""
        found: list[Piece] = [f"{self.model}.user_id == current_user.id"]
        if self._done:
            found.append(f"col({self.model}.{self._done}).is_(False)")
        return found

    @cached_property
    def priority(self) -> FieldSpec:
        """The choice that a suggestion is made for."""
        for field in self._of({FieldKind.CHOICE}):
            if field.name == "priority":
                return field
        raise self._lacks("a choice called priority")

    @cached_property
    def _text_field(self) -> FieldSpec:
        texts = self._of(_TEXTS)
        if not texts:
            raise self._lacks("a text")
        return texts[0]

    @property
    def examples(self) -> str:
        """The text and the priority of each row that has one."""
        text = f"row.{self._text_field.name}"
        if FieldCode(self._text_field, self.model).is_nullable:
            text += ' or ""'
        parts = [f"({text}, row.priority)", "for row in session.exec(statement)"]
        if FieldCode(self.priority, self.model).is_nullable:
            parts.append("if row.priority is not None")
        line = f"[{' '.join(parts)}]"
        if len(f"    examples = {line}") <= WIDTH:
            return line
        return "[\n" + "".join(f"        {part}\n" for part in parts) + "    ]"

    @property
    def highest(self) -> str:
        """The most urgent priority."""
        choices = self.priority.choices
        found = (choice for choice in choices if choice.lower() in _URGENT)
        return text_literal(next(found, choices[-1]))

    @property
    def usual(self) -> str:
        """The priority for which nothing special speaks."""
        choices = self.priority.choices
        default = self.priority.default
        usual = default if isinstance(default, str) else choices[(len(choices) - 1) // 2]
        return text_literal(usual)

    @cached_property
    def figures(self) -> list[Figure]:
        """What a summary tells."""
        count = f"func.count(col({self.model}.id))"
        found = [Figure("total", "int", count, "total")]
        for field in self._of({FieldKind.BOOLEAN}):
            name = f"{field.name}_count"
            found.append(Figure(name, "int", count, name, f"col({self.model}.{field.name})"))
        for field in self._of({FieldKind.CHOICE}):
            column = f"{self.model}.{field.name}"
            name = f"{field.name}_counts"
            is_nullable = FieldCode(field, self.model).is_nullable
            named = f'label or "none": count for label, count in {name}'
            value = Bracket("{", [named], "}") if is_nullable else f"dict({name})"
            found.append(Figure(name, "dict[str, int]", count, value, group=column))
        for field in self._of(_NUMBERS):
            name = f"{field.name}_sum"
            query = f"func.sum(col({self.model}.{field.name}))"
            found.append(Figure(name, "float", query, f"float({name} or 0)"))
        return found

    @property
    def statements(self) -> list[str]:
        """The statements that gather the figures and return them."""
        return [*map(self._statement, self.figures), self._result()]

    def _statement(self, figure: Figure) -> str:
        conditions: list[Piece] = [f"{self.model}.user_id == current_user.id"]
        if figure.condition:
            conditions.append(figure.condition)
        if not figure.group:
            rows = Bracket(f"select({figure.query}).where(", conditions)
            return written(Bracket(f"{figure.name} = session.exec(", [rows], ").one()"), 1)
        lines = (
            written(Bracket("select(", [figure.group, figure.query]), 2),
            written(Bracket(".where(", conditions), 2),
            f".group_by(col({figure.group}))",
        )
        body = "".join(f"        {line}\n" for line in lines)
        return f"{figure.name} = session.exec(\n{body}    ).all()"

    def _result(self) -> str:
        items = [_argument(figure.name, figure.value) for figure in self.figures]
        return written(Bracket(f"return {self.prefix}Response(", items), 1)


def _argument(name: str, value: Piece) -> Piece:
    if isinstance(value, Bracket):
        return Bracket(f"{name}={value.head}", value.items, value.tail)
    return f"{name}={value}"
