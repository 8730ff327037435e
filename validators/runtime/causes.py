"""From what went wrong at the boot to one finding: the cause, the place and what to do."""

import re

from validators.report import Finding
from validators.rules import boot as rules
from validators.rules.base import Rule
from validators.runtime.faults import Fault, Frame
from validators.runtime.limits import Limits
from validators.runtime.process import Ended
from validators.source import Project

_IMPORT_NAMES = {"jose": "python-jose", "dotenv": "python-dotenv", "jwt": "pyjwt", "PIL": "pillow"}
_NETWORK_ERRORS = (
    "gaierror",
    "ConnectionRefusedError",
    "ConnectError",
    "ConnectionError",
    "URLError",
)
_TABLE_ERRORS = ("ProgrammingError", "InternalError", "NotSupportedError", "DatabaseError")
_STAGES = {
    "import": "while it is imported",
    "start-up": "in its start-up code",
    "openapi": "while its OpenAPI document is made",
}
# The first field in the text of a ValidationError, and what Pydantic says of it.
_SETTING = re.compile(r"^(\w+)[\w.]*\n\s+(.+?) \[type=", re.MULTILINE)
_CPU_SIGNAL = 24  # SIGXCPU


def explain_fault(stage: str, fault: Fault, project: Project) -> Finding:
    """Return the finding for an exception that kept the backend from booting.

    Args:
        stage: `import`, `start-up` or `openapi`.
        fault: What was raised.
        project: The backend's source, to find the line that is to blame.
    """
    for explain in _EXPLANATIONS:
        finding = explain(fault, project)
        if finding is not None:
            return finding
    if fault.is_a("AttributeError") and not fault.frames:
        return rules.NO_APP.finding(f"The app cannot be found: {fault.message}.")
    if fault.is_a("TypeError") and not fault.frames:
        return rules.NO_APP.finding(f"There is no app to serve: {fault.message}.")
    rule = rules.EXCEPTION if stage == "import" else rules.START_UP
    return _at(rule, fault, f"The app fails {_STAGES.get(stage, 'at its start')}: {fault.summary}")


def explain_end(ended: Ended, stage: str, frames: tuple[Frame, ...], limits: Limits) -> Finding:
    """Return the finding for a process that ended, or had to be ended, before it had booted.

    Args:
        ended: Why it is over.
        stage: What the backend was doing.
        frames: The backend's own lines that were being run, where known.
        limits: What it was allowed to use.
    """
    when = _STAGES.get(stage, "at its start")
    sentences: dict[str, tuple[Rule, str]] = {
        "time": (rules.HANG, f"The app hangs {when}: stopped after {limits.boot_seconds:g} s."),
        "memory": (
            rules.RESOURCES,
            f"The app uses more than {limits.memory_mb} MB of memory {when}.",
        ),
        "processes": (
            rules.RESOURCES,
            f"The app starts more than {limits.processes} processes {when}.",
        ),
        "disk": (rules.RESOURCES, f"The app writes more than {limits.disk_mb} MB of files {when}."),
        "output": (rules.RESOURCES, f"The app prints more than {limits.output_mb} MB {when}."),
        "exit": (rules.EXIT, f"The app ends its process {when}, with exit code {ended.code}."),
        "signal": (rules.EXIT, f"The app's process is ended by signal {ended.code} {when}."),
        "protocol": (rules.PROTOCOL, f"The app disturbs the process that checks it {when}."),
    }
    rule, message = sentences[ended.cause]
    if ended.cause == "signal" and ended.code == _CPU_SIGNAL:
        rule, message = (
            rules.RESOURCES,
            f"The app computes for more than {limits.cpu_seconds} s {when}.",
        )
    place = frames[-1] if frames else None
    return rule.finding(
        message,
        path=place.path if place else "",
        line=place.line if place else None,
        trace=tuple(map(str, frames)),
    )


def _exit(fault: Fault, project: Project) -> Finding | None:
    del project
    if not fault.is_a("SystemExit"):
        return None
    said = fault.message if not fault.message.lstrip("-").isdigit() else ""
    reason = f": {said}" if said and said != "None" else "."
    return _at(rules.EXIT, fault, f"The app ends its process at its start{reason}")


def _exhausted(fault: Fault, project: Project) -> Finding | None:
    del project
    if fault.is_a("MemoryError"):
        return _at(rules.RESOURCES, fault, "The app asks for more memory than it may use.")
    if "Resource temporarily unavailable" in fault.message or "start new thread" in fault.message:
        return _at(rules.RESOURCES, fault, "The app starts more processes than it may.")
    if fault.is_a("OSError") and "File too large" in fault.message:
        return _at(rules.RESOURCES, fault, "The app writes a larger file than it may.")
    return None


def _missing_import(fault: Fault, project: Project) -> Finding | None:
    del project
    found = next((each for each in fault.chain if each.is_a("ImportError")), None)
    if found is None:
        return None
    name = found.facts.get("name", "")
    fix = None
    if found.is_a("ModuleNotFoundError") and name:
        package = _IMPORT_NAMES.get(name.partition(".")[0], name.partition(".")[0])
        fix = f"Install {package!r} where the backend runs, or import something that is installed."
    return _at(rules.IMPORT_FAILED, found, f"An import fails: {found.message}.", fix)


def _missing_variable(fault: Fault, project: Project) -> Finding | None:
    del project
    missing = _variable_name(fault)
    if missing is not None:
        message = f"The environment variable {missing} is missing, and the app does not start "
        return _at(rules.VARIABLE_MISSING, fault, f"{message}without it.")
    refused = _SETTING.search(fault.message) if _is_of_settings(fault) else None
    if refused is None:
        return None
    name, why = refused.group(1).upper(), refused.group(2).strip()
    message = f"The check has no value for {name} that the settings class takes: {why}."
    fix = f"Give {name} a default, or a type that says which values it takes."
    return _at(rules.VARIABLE_MISSING, fault, message, fix)


def _is_of_settings(fault: Fault) -> bool:
    return fault.is_a("ValidationError") and "Settings" in fault.message.partition("\n")[0]


def _variable_name(fault: Fault) -> str | None:
    frames = fault.frames
    if fault.is_a("KeyError") and frames and re.fullmatch(r"'[A-Z][A-Z0-9_]+'", fault.message):
        return fault.message.strip("'")
    if _is_of_settings(fault) and "Field required" in fault.message:
        found = re.search(r"^(\w+)\n\s+Field required", fault.message, re.MULTILINE)
        return found.group(1).upper() if found else None
    return None


def _refused_tables(fault: Fault, project: Project) -> Finding | None:
    found = next((each for each in fault.chain if each.is_a(*_TABLE_ERRORS)), None)
    if found is None:
        return None
    statement = next((e.facts["statement"] for e in fault.chain if e.facts.get("statement")), "")
    said = _database_sentence([found, *(each for each in fault.chain if "DETAIL:" in each.message)])
    table = re.search(r"CREATE TABLE \"?([\w.]+)\"?", statement)
    name = table.group(1) if table else ""
    columns = re.findall(r'columns? "(\w+)"', said)
    place = _find_column(project, name, columns)
    what = f"the table {name!r}" if name else "what the models ask for"
    message = f"PostgreSQL refuses {what}: {said}"
    fix = None
    if "incompatible types" in said and "text" in said:
        fix = "Better Auth's ids are TEXT: use `str` for `User.id` and for each key to it."
    if place is None:
        return _at(rules.TABLES, fault, message, fix)
    path, line = place
    return rules.TABLES.finding(message, path=path, line=line, fix=fix, trace=fault.trace)


def _database_sentence(faults: list[Fault]) -> str:
    """Return the database's own words: its error and its detail, without SQLAlchemy's frame."""
    lines = [line.strip() for fault in faults for line in fault.message.splitlines()]
    kept = [re.sub(r"^\([\w.]+\) (<class '[^']+'>: )?", "", line) for line in lines[:1]]
    details = [line.removeprefix("DETAIL:").strip() for line in lines if line.startswith("DETAIL:")]
    kept += details[:1]
    sentence = ". ".join(part.rstrip(".") for part in kept)
    return sentence + "." if sentence else "no reason given."


def _find_column(project: Project, table: str, columns: list[str]) -> tuple[str, int] | None:
    for path, module in project.modules.items():
        for number, line in enumerate(module.lines, 1):
            for column in columns:
                points = "foreign_key" in line or "ForeignKey" in line
                if (
                    points
                    and re.match(rf"\s+{column}\b", line)
                    and _is_in_table(module.lines, number, table)
                ):
                    return path, number
    return None


def _is_in_table(lines: list[str], number: int, table: str) -> bool:
    for index in range(number - 1, -1, -1):
        found = re.match(r"class (\w+)", lines[index])
        if found:
            body = "\n".join(lines[index:number])
            snake = re.sub(r"(?<!^)(?=[A-Z])", "_", found.group(1)).lower()
            return table in (found.group(1).lower(), snake) or f'"{table}"' in body
    return False


def _missing_service(fault: Fault, project: Project) -> Finding | None:
    del project
    for each in fault.chain:
        unreachable = (
            "Network is unreachable" in each.message or "Connection refused" in each.message
        )
        if each.is_a(*_NETWORK_ERRORS) or unreachable:
            message = f"The app talks to a service at its start that is not there: {each.summary}."
            return _at(rules.SERVICE, fault, message)
    return None


def _at(rule: Rule, fault: Fault, message: str, fix: str | None = None) -> Finding:
    place = fault.innermost
    return rule.finding(
        message,
        path=place.path if place else "",
        line=place.line if place else None,
        fix=fix,
        trace=fault.trace,
    )


# The first that knows an exception explains it.
_EXPLANATIONS = (
    _exit,
    _exhausted,
    _missing_import,
    _missing_variable,
    _refused_tables,
    _missing_service,
)
