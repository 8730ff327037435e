"""SQL as text: a statement from what `text()` is given."""

from validators.ownership.machine import Call, Machine
from validators.ownership.values import Unknown, Value


def parse_text(machine: Machine, call: Call) -> Value:
    """Return the statement that a text of SQL is."""
    return machine.derived("a text of SQL", call.values(), call.state) if call else Unknown("")
