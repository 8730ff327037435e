"""What each kind of field becomes: a column, a value in request and response bodies, filters."""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal

from agent.errors import RequestNotUnderstoodError
from agent.models.offline.blueprint import FieldKind, FieldSpec
from agent.models.offline.formatting import (
    Bracket,
    Operation,
    Piece,
    assigned,
    bracketed,
    declared,
    text_literal,
)
from agent.models.offline.naming import class_name

TEXT_LENGTH = 200
LONG_TEXT_LENGTH = 5000
LIST_LENGTH = 50
MAX_INTEGER = 2**31 - 1
# What a JSON number holds without loss, in JavaScript too.
MAX_SAFE_INTEGER = 2**53 - 1

_TEXTS = frozenset({FieldKind.TEXT, FieldKind.LONG_TEXT})
_NUMBERS = frozenset({FieldKind.INTEGER, FieldKind.DECIMAL, FieldKind.MONEY})
# Digits in all and behind the point; 15 digits in all survive a JSON number unchanged.
_DIGITS = {FieldKind.DECIMAL: (15, 4), FieldKind.MONEY: (12, 2)}
_DECIMAL_SCHEMAS = {
    FieldKind.DECIMAL: ("-99_999_999_999.9999", "99_999_999_999.9999", "0.0001"),
    FieldKind.MONEY: ("-9_999_999_999.99", "9_999_999_999.99", "0.01"),
}
_COLUMN_TYPES = {
    FieldKind.INTEGER: "int",
    FieldKind.DECIMAL: "Decimal",
    FieldKind.MONEY: "Decimal",
    FieldKind.BOOLEAN: "bool",
    FieldKind.DATE: "dt.date",
    FieldKind.DATETIME: "dt.datetime",
    FieldKind.TEXT_LIST: "list[str]",
}
_COLUMN_LENGTHS = {FieldKind.URL: "2000", FieldKind.EMAIL: "254"}
_BODY_TYPES = {
    FieldKind.BOOLEAN: "StrictBool",
    FieldKind.DATE: "Date",
    FieldKind.DATETIME: "UtcDatetime",
    FieldKind.URL: "Url",
    FieldKind.EMAIL: "Email",
}
_RESPONSE_TYPES = {FieldKind.DECIMAL: "float", FieldKind.MONEY: "float"}
SHADOWABLE = frozenset({"bool", "float", "int", "list", "str"})


@dataclass(frozen=True, slots=True)
class Filter:
    """One query parameter of a list, and the condition that it adds.

    Attributes:
        parameter: Name of the parameter.
        type: Type of the parameter where it is given.
        condition: The condition on the column.
    """

    parameter: str
    type: str
    condition: Piece


@dataclass(frozen=True)
class FieldCode:
    """The code of one field.

    Attributes:
        spec: The field.
        model: Class name of the table model.
        shadowed: Built-in types that are names of fields of the same resource.
    """

    spec: FieldSpec
    model: str
    shadowed: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The field's name."""
        return self.spec.name

    @property
    def is_nullable(self) -> bool:
        """Whether the column may be null."""
        spec = self.spec
        always_set = spec.kind in {FieldKind.BOOLEAN, FieldKind.TEXT_LIST}
        return not (spec.is_required or spec.default is not None or always_set)

    @property
    def choice_type(self) -> str:
        """The `Literal` of a choice, in `models.py`."""
        return f"{self.model}{class_name(self.name)}"

    @property
    def body_type(self) -> str:
        """Type of the value in a request body, where it is not null."""
        if self.spec.kind is FieldKind.CHOICE:
            return self.choice_type
        if self.spec.kind in _DIGITS and not self._decimal_limits():
            return self._decimal_type()
        return _BODY_TYPES.get(self.spec.kind) or self._alias_name

    @property
    def _alias_name(self) -> str:
        name = f"{self.model}{class_name(self.name)}"
        taken = {"Create", "Update", "Patch", "Response", "Page", "Query", "Sort"}
        return f"{name}Value" if class_name(self.name) in taken else name

    @property
    def alias(self) -> str:
        """Definition of the body type, or an empty text where a shared one serves."""
        if self.body_type != self._alias_name or self.spec.kind is FieldKind.CHOICE:
            return ""
        inner, constraints = self._constrained()
        return bracketed(f"{self._alias_name} = Annotated[", [inner, *constraints], "]")

    def _constrained(self) -> tuple[str, list[Piece]]:
        kind, low, high = self.spec.kind, self.spec.minimum, self.spec.maximum
        if kind in _TEXTS:
            is_visible = self.spec.is_required and (low is None or low >= 1)
            least = f"min_length={int(low)}, " if low else ""
            length = f"Field({least}max_length={self.length})"
            if is_visible:
                return "VisibleText", [length, "BeforeValidator(require_visible)"]
            return "Text", [length]
        if kind is FieldKind.TEXT_LIST:
            item = f"Annotated[VisibleText, Field(max_length={TEXT_LENGTH})]"
            return f"list[{item}]", [f"Field(max_length={int(high or LIST_LENGTH)})"]
        if kind is FieldKind.INTEGER:
            limits = f"Field(ge={self._least()}, le={self._greatest()})"
            return "int", [limits, "BeforeValidator(require_number)"]
        return self._decimal_type(), self._decimal_limits()

    def _decimal_type(self) -> str:
        return "Money" if self.spec.kind is FieldKind.MONEY else "Number"

    def _decimal_limits(self) -> list[Piece]:
        spec = self.spec
        if spec.minimum is None and spec.maximum is None:
            return []
        bounds = (("ge", spec.minimum), ("le", spec.maximum))
        given: list[Piece] = [
            f"{name}={decimal_literal(bound)}" for name, bound in bounds if bound is not None
        ]
        # The schema of the type itself would be lost, and with it what it says.
        least, greatest, step = _DECIMAL_SCHEMAS[spec.kind]
        schema: list[Piece] = [
            '"type": "number"',
            f'"minimum": {least if spec.minimum is None else plain(spec.minimum)}',
            f'"maximum": {greatest if spec.maximum is None else plain(spec.maximum)}',
            f'"multipleOf": {step}',
        ]
        return [
            Bracket("Field(", given),
            Bracket("WithJsonSchema(", [Bracket("{", schema, "}")]),
        ]

    @property
    def length(self) -> int:
        """Greatest length of a text."""
        usual = LONG_TEXT_LENGTH if self.spec.kind is FieldKind.LONG_TEXT else TEXT_LENGTH
        return int(self.spec.maximum or usual)

    @property
    def is_big(self) -> bool:
        """Whether a whole number needs eight bytes."""
        bounds = (self.spec.minimum, self.spec.maximum)
        return any(bound is not None and abs(bound) > MAX_INTEGER for bound in bounds)

    def refuse_extremes(self) -> None:
        """Refuse limits that no column and no JSON number can keep.

        Raises:
            RequestNotUnderstoodError: A limit is too far from zero.
        """
        digits, places = _DIGITS.get(self.spec.kind, (16, 0))
        furthest = MAX_SAFE_INTEGER if places == 0 else 10 ** (digits - places)
        for bound in (self.spec.minimum, self.spec.maximum):
            if bound is not None and abs(bound) >= furthest:
                raise RequestNotUnderstoodError(
                    f"The limit {plain(bound)} of {self.name} is out of range.",
                    f"Keep it below {furthest}.",
                )

    def _least(self) -> str:
        usual = "-MAX_SAFE_INTEGER" if self.is_big else "MIN_INTEGER"
        return usual if self.spec.minimum is None else plain(self.spec.minimum)

    def _greatest(self) -> str:
        usual = "MAX_SAFE_INTEGER" if self.is_big else "MAX_INTEGER"
        return usual if self.spec.maximum is None else plain(self.spec.maximum)

    @property
    def column(self) -> str:
        """Definition of the attribute of the table model."""
        arguments = self._column_arguments()
        default = self._default_literal()
        if self.spec.kind is FieldKind.TEXT_LIST and not self.spec.is_required:
            arguments.insert(0, f"default_factory={self._list_factory()}")
        elif default and arguments:
            arguments.insert(0, f"default={default}")
        elif default:
            return f"{self.name}: {self.column_type} = {default}"
        if not arguments:
            return f"{self.name}: {self.column_type}"
        return assigned(self.name, self.column_type, arguments)

    @property
    def column_type(self) -> str:
        """Type of the attribute of the table model."""
        kind = self.spec.kind
        plain_type = (
            self.choice_type if kind is FieldKind.CHOICE else _COLUMN_TYPES.get(kind, "str")
        )
        return self._unshadowed(plain_type) + (" | None" if self.is_nullable else "")

    def _column_arguments(self) -> list[Piece]:
        kind = self.spec.kind
        if kind in _TEXTS:
            return [f"max_length={self.length}"]
        if kind in _COLUMN_LENGTHS:
            return [f"max_length={_COLUMN_LENGTHS[kind]}"]
        if kind in _DIGITS:
            digits, places = _DIGITS[kind]
            return [f"max_digits={digits}", f"decimal_places={places}"]
        if kind is FieldKind.CHOICE:
            return ["sa_type=sa.String"]
        if kind is FieldKind.TEXT_LIST:
            return ["sa_type=ARRAY(sa.String)"]
        return ["sa_type=sa.BigInteger"] if self.is_big else []

    def _default_literal(self) -> str:
        """The default in code, or an empty text where there is none."""
        if self.is_nullable:
            return "None"
        default = self.spec.default
        if default is None:
            return "False" if self._defaults_to_false() else ""
        return self._literal(default)

    def _defaults_to_false(self) -> bool:
        return self.spec.kind is FieldKind.BOOLEAN and not self.spec.is_required

    def _literal(self, value: object) -> str:
        kind = self.spec.kind
        if kind in _DIGITS:
            number = plain(Decimal(str(value)))
            return f'Decimal("{number}")' if "." in number else f"Decimal({number})"
        if kind is FieldKind.DATE:
            day = dt.date.fromisoformat(str(value))
            return f"dt.date({day.year}, {day.month}, {day.day})"
        if kind is FieldKind.DATETIME:
            raise RequestNotUnderstoodError(
                f"A date-time such as {self.name} cannot have a default.",
                "Leave the default out; the field may then be empty.",
            )
        if isinstance(value, str):
            return text_literal(value)
        return plain(value) if isinstance(value, Decimal) else repr(value)

    def _list_factory(self) -> str:
        default = self.spec.default
        if isinstance(default, tuple) and default:
            return f"lambda: [{', '.join(map(text_literal, default))}]"
        return self._unshadowed("list")

    def _unshadowed(self, code: str) -> str:
        """Reach built-in types that a field of the same class hides through their module."""
        for name in sorted(self.shadowed):
            code = re.sub(rf"(?<![\w.]){name}\b", f"builtins.{name}", code)
        return code

    @property
    def choice_definition(self) -> str:
        """Definition of the choice's type."""
        values = [text_literal(choice) for choice in self.spec.choices]
        return bracketed(f"{self.choice_type} = Literal[", values, "]")

    @property
    def create(self) -> str:
        """Definition of the attribute of the request body that creates or replaces a row."""
        annotation = self.body_type + (" | None" if self.is_nullable else "")
        default = self._default_literal()
        if self.spec.kind is FieldKind.TEXT_LIST and not self.spec.is_required:
            default = f"Field(default_factory={self._list_factory()})"
        if self.spec.kind in _DIGITS and self.spec.default is not None:
            # Pydantic would document the default as a text.
            shown = f'json_schema_extra={{"default": {plain(Decimal(str(self.spec.default)))}}}'
            return assigned(self.name, annotation, [f"default={default}", shown])
        return declared(self.name, annotation, default)

    @property
    def patch(self) -> str:
        """Definition of the attribute of the request body that changes a row."""
        null = " | None" if self.is_nullable else ""
        return declared(self.name, f"{self.body_type} | MISSING{null}", "MISSING")

    @property
    def response(self) -> str:
        """Definition of the attribute of the response body."""
        kind = self.spec.kind
        plain_type = _RESPONSE_TYPES.get(kind) or (
            self.choice_type if kind is FieldKind.CHOICE else _COLUMN_TYPES.get(kind, "str")
        )
        null = " | None" if self.is_nullable else ""
        return declared(self.name, self._unshadowed(plain_type) + null)

    @property
    def filters(self) -> list[Filter]:
        """The query parameters that narrow a list down by this field."""
        kind, name = self.spec.kind, self.name
        column = f"col({self.model}.{name})"
        found: list[Filter] = []
        if kind is FieldKind.TEXT_LIST:
            return [Filter(name, "Text", Bracket(f"{column}.contains(", [f"[query.{name}]"]))]
        if kind is not FieldKind.DATETIME:
            equal = Operation(column, "==", f"query.{name}")
            found.append(Filter(name, self._filter_type(), equal))
        if kind in _NUMBERS or kind in {FieldKind.DATE, FieldKind.DATETIME}:
            least, most = ("min", "max") if kind in _NUMBERS else ("from", "to")
            for end, operator in ((least, ">="), (most, "<=")):
                parameter = f"{name}_{end}"
                condition = Operation(column, operator, f"query.{parameter}")
                found.append(Filter(parameter, self._filter_type(), condition))
        return found

    def _filter_type(self) -> str:
        kind = self.spec.kind
        if kind is FieldKind.INTEGER:
            return "BigInteger" if self.is_big else "Integer"
        if kind in _DIGITS:
            return "FiniteFloat"
        if kind is FieldKind.BOOLEAN:
            return self._unshadowed("bool")
        if kind in {FieldKind.CHOICE, FieldKind.DATE, FieldKind.DATETIME}:
            return self.body_type
        return "Text"


def decimal_literal(value: Decimal) -> str:
    """Write a decimal as a limit: whole numbers as they are, others through their text."""
    return plain(value) if value == value.to_integral_value() else f'Decimal("{value:f}")'


def plain(value: Decimal) -> str:
    """Write a number without exponent and without needless zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
