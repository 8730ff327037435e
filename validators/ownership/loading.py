"""Code that is loaded when the app runs: a module from its file or by its name, or a text."""

from typing import TYPE_CHECKING

from validators.ownership.machine import Call
from validators.ownership.values import Const, Made, ModuleValue, Unknown, Value

if TYPE_CHECKING:
    from validators.ownership.interpreter import Interpreter


def join(machine: "Interpreter", name: str, call: Call) -> Value:
    """`os.path.join` makes a file's path; what it ends with may be known."""
    parts = [arg.value for arg in call.args if isinstance(arg, Const)]
    if not call.args or not isinstance(call.args[-1], Const):
        return machine.derived(f"the result of {name}", call.values(), call.state)
    return Made("file", (("tail", Const("/".join(map(str, parts)))),))


def spec(machine: "Interpreter", name: str, call: Call) -> Value:
    """`spec_from_file_location(name, path)` names a file to be loaded as a module."""
    del name
    location = call.argument(1, "location")
    tail = location.get("tail") if isinstance(location, Made) else location
    wanted = f"/{tail.value}" if isinstance(tail, Const) else ""
    found = [path for path in machine.program.modules if wanted and f"/{path}".endswith(wanted)]
    if len(found) != 1:
        machine.is_loading_unknown = True
        return Unknown("a module that is loaded when the app runs")
    return Made("module spec", (("module", ModuleValue(found[0])),))


def module_of_spec(machine: "Interpreter", name: str, call: Call) -> Value:
    """`module_from_spec(spec)` is the module that the specification names."""
    del machine, name
    named = call.argument(0, "spec")
    module = named.get("module") if isinstance(named, Made) else None
    return module or Unknown("a module that is loaded when the app runs")


def import_module(machine: "Interpreter", name: str, call: Call) -> Value:
    """`import_module(name)` is the module of a constant name, or one that is not known."""
    del name
    wanted = call.argument(0, "name")
    if isinstance(wanted, Const) and isinstance(wanted.value, str):
        return machine.imported_module(call.frame.path, wanted.value)
    machine.is_loading_unknown = True
    return Unknown("a module that is loaded when the app runs")


def run_text(machine: "Interpreter", name: str, call: Call) -> Value:
    """`eval` and `exec` run what nobody can read beforehand."""
    machine.problem(
        call.frame,
        call.node,
        "BP302",
        "Code that is made from a text when the app runs cannot be followed.",
    )
    return machine.derived(f"the result of {name}", call.values(), call.state)
