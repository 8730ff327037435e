"""The commands, thin: each parses its options and calls one function."""

import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

import typer

from agent.errors import BackendProError, InputError
from validators.errors import CheckUnavailableError
from validators.renderers import Format

USAGE_ERROR = 2
INTERNAL_ERROR = 4
INTERRUPTED = 130
TERMINATED = 143

app = typer.Typer(
    name="backendpro",
    help="Build FastAPI + SQLModel backends, proven safe before they reach the disk.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 nothing is wrong, 1 there are errors, 2 the input cannot be used, "
    "3 the model failed, 4 a fault of BackendPro.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Into = Annotated[
    Path,
    typer.Option(
        metavar="DIR",
        help="The project's folder, which holds backend/, or the backend itself. "
        "Default: the current folder.",
        show_default=False,
    ),
]
AppOption = Annotated[
    str | None,
    typer.Option("--app", metavar="MODULE:NAME", help="The app, where it is not found by itself."),
]
UserIdOption = Annotated[
    Literal["text", "int", "uuid"] | None,
    typer.Option(help="Type of the user's id. Default: text, as Better Auth makes it."),
]


def _show_version(is_asked: bool) -> None:  # noqa: FBT001  # the shape that typer calls
    if is_asked:
        from importlib import metadata  # noqa: PLC0415  # slow to load

        typer.echo(f"backendpro {metadata.version('backendpro')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    del version
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(USAGE_ERROR)


@app.command()
def build(
    request: Annotated[
        str, typer.Argument(metavar="REQUEST", help='What to build, such as "add CRUD for tasks".')
    ],
    *,
    into: Into = Path(),
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="offline, haiku, sonnet, opus, recorded:FILE[,FILE] or a model id. "
            "Default: sonnet where ANTHROPIC_API_KEY is set, else offline.",
        ),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(metavar="N", help="How often findings go back to the model. Default: 3."),
    ] = None,
    user_id: UserIdOption = None,
    app_: AppOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the diff and write nothing.")
    ] = False,
    stdout: Annotated[
        bool,
        typer.Option("--stdout", help="Print the files in the reply format and write nothing."),
    ] = False,
) -> int:
    """Build what is asked for, checked and repaired first."""
    from agent.commands import build as command  # noqa: PLC0415  # each loads what it needs

    if dry_run and stdout:
        raise InputError("--dry-run and --stdout exclude each other.")
    delivery: command.Delivery = "diff" if dry_run else "print" if stdout else "apply"
    options = {"model": model, "rounds": rounds, "user_id": user_id, "app": app_}
    return command.build(request, into, options, delivery)


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The backend's folder.")],
    *,
    app_: AppOption = None,
    python: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Interpreter to start the app with. Default: our own."),
    ] = None,
    user_id: UserIdOption = None,
    static: Annotated[
        bool, typer.Option("--static", help="Read the code, do not start the app.")
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="How to write the report.")] = "text",
) -> int:
    """Verify an existing backend."""
    from agent.commands import check as command  # noqa: PLC0415  # as above

    return command.check(folder, {"app": app_, "user_id": user_id}, python, form, is_static=static)


@app.command()
def explain(
    rule: Annotated[
        str | None, typer.Argument(metavar="[RULE]", help="A code such as BP301, or a name.")
    ] = None,
) -> int:
    """Explain a rule; without one, list all rules."""
    from agent.commands import explain as command  # noqa: PLC0415  # as above

    return command.explain(rule) if rule else command.list_rules()


@app.command()
def undo(*, into: Into = Path()) -> int:
    """Take the last build back."""
    from agent.commands import undo as command  # noqa: PLC0415  # as above

    return command.undo(into)


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    # Lets every `finally` run, so that no process and no database is left behind.
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command.

    Args:
        arguments: What follows the name of the program.

    Returns:
        0 nothing wrong; 1 findings of severity error; 2 wrong usage or unusable input; 3 the
        model could not be reached, refused or ran out of budget; 4 an internal error; 130 and
        143 interrupted or terminated from outside.
    """
    try:
        return app(arguments, prog_name="backendpro", standalone_mode=False) or 0
    except typer.TyperException as error:
        _complain(error.format_message(), "`backendpro --help` shows the usage.")
        return USAGE_ERROR
    except BackendProError as error:
        _complain(error.message, error.hint)
        return error.exit_code
    except CheckUnavailableError as error:
        _complain(error.message, error.hint)
        return USAGE_ERROR
    except Exception as error:  # noqa: BLE001  # the outermost net: whatever is left is our fault
        return _report_internal(error)


def _terminate(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise SystemExit(TERMINATED)


def _complain(message: str, hint: str) -> None:
    from agent.terminal import Terminal  # noqa: PLC0415  # most runs complain about nothing

    Terminal().fail(message, hint)


def _report_internal(error: Exception) -> int:
    from agent.given import DEBUG_VARIABLE  # noqa: PLC0415  # not needed where all is well

    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    _complain(
        f"internal error: {type(error).__name__}: {error}{_place(error)}",
        f"This is a fault of BackendPro, not of yours. Please report it, with the command and "
        f"with what it prints when {DEBUG_VARIABLE}=1 is set.",
    )
    return INTERNAL_ERROR


def _place(error: Exception) -> str:
    """Return the innermost line of ours that led to an error."""
    ours = Path(__file__).parent.parent
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(ours) and ".venv" not in path.parts:
            return f" ({path.relative_to(ours).as_posix()}, line {frame.lineno})"
    return ""
