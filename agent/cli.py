"""The commands, thin: each parses its options and calls one function."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, get_args

import click

from agent.auth import Auth
from agent.errors import BackendProError, InputError
from validators.errors import CheckUnavailableError
from validators.renderers import FORMATS, Format

USAGE_ERROR = 2
INTERNAL_ERROR = 4
INTERRUPTED = 130
TERMINATED = 143

_PATH = click.Path(path_type=Path)

Decorator = Callable[[Callable[..., int]], Callable[..., int]]

into_option: Decorator = click.option(
    "--into",
    metavar="DIR",
    type=_PATH,
    default=Path(),
    help="The project's folder, which holds backend/, or the backend itself. "
    "Default: the current folder.",
)
app_option: Decorator = click.option(
    "--app", metavar="MODULE:NAME", help="The app, where it is not found by itself."
)
user_id_option: Decorator = click.option(
    "--user-id",
    type=click.Choice(["text", "int", "uuid"]),
    help="Type of the user's id. Default: text, as Better Auth makes it.",
)


@click.group(
    name="backendpro",
    help="Build FastAPI + SQLModel backends, proven safe before they reach the disk.",
    epilog="Exit codes: 0 nothing is wrong, 1 there are errors, 2 the input cannot be used, "
    "3 the model failed, 4 a fault of BackendPro.",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(
    package_name="backendpro", message="%(package)s %(version)s", help="Show the version."
)
@click.pass_context
def app(context: click.Context) -> None:
    """Show the help where no command is given."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(USAGE_ERROR)


@app.command()
@click.argument("request", metavar="REQUEST")
@into_option
@click.option(
    "--model",
    metavar="NAME",
    help="offline, haiku, sonnet, opus, recorded:FILE[,FILE] or a model id. "
    "Default: sonnet where ANTHROPIC_API_KEY is set, else offline.",
)
@click.option(
    "--rounds", metavar="N", type=int, help="How often findings go back to the model. Default: 3."
)
@user_id_option
@click.option(
    "--auth",
    type=click.Choice(get_args(Auth)),
    help="How users are known. Default: what the backend does already; better-auth in a new one.",
)
@app_option
@click.option("--dry-run", is_flag=True, help="Show the diff and write nothing.")
@click.option(
    "--stdout", is_flag=True, help="Print the files in the reply format and write nothing."
)
def build(request: str, into: Path, *, dry_run: bool, stdout: bool, **options: Any) -> int:  # noqa: ANN401  # validated as settings
    """Build what is asked for, checked and repaired first.

    REQUEST says in plain words what to build, such as "add CRUD for tasks".
    """
    from agent.commands import build as command  # noqa: PLC0415  # each loads what it needs

    if dry_run and stdout:
        raise InputError("--dry-run and --stdout exclude each other.")
    delivery: command.Delivery = "diff" if dry_run else "print" if stdout else "apply"
    return command.build(request, into, options, delivery)


@app.command()
@click.argument("folder", metavar="DIR", type=_PATH)
@app_option
@click.option(
    "--python",
    metavar="PATH",
    type=_PATH,
    help="Interpreter to start the app with. Default: our own.",
)
@user_id_option
@click.option("--static", is_flag=True, help="Read the code, do not start the app.")
@click.option(
    "--fuzz",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=0.0,
    help="Send random requests for so long as well (needs the extra `fuzz`).",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="How to write the report.",
)
@click.option(
    "--certificate",
    metavar="FILE",
    type=_PATH,
    help="Write the table of all queries with verdict and proof to this Markdown file.",
)
@click.option(
    "--reproduce",
    metavar="FILE",
    type=_PATH,
    help="Write a pytest file that shows the findings of the probes on a server of yours.",
)
@click.option(
    "--coverage",
    metavar="SHARE",
    type=float,
    help="The share of the routes that must be exercised for a pass. Default: 0.9.",
)
@click.option(
    "--require-sandbox",
    is_flag=True,
    help="Fail where the system refuses a layer of the sandbox.",
)
@click.option("--watch", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
def check(
    folder: Path,
    python: Path | None,
    form: Format,
    *,
    static: bool,
    fuzz: float,
    require_sandbox: bool,
    watch: bool,
    **options: Any,  # noqa: ANN401  # validated as settings, but for the files
) -> int:
    """Verify an existing backend.

    DIR is the backend's folder.
    """
    from agent.commands import check as command  # noqa: PLC0415  # as above

    certificate, reproduction = options.pop("certificate"), options.pop("reproduce")
    if watch:
        if form != "text" or certificate is not None or reproduction is not None or fuzz:
            message = "--watch goes with none of --format, --certificate, --reproduce and --fuzz."
            raise InputError(message)
        return command.watch(
            folder, options, python, is_static=static, requires_sandbox=require_sandbox
        )
    return command.check(
        folder,
        options,
        python,
        command.Results(form, certificate, reproduction),
        is_static=static,
        fuzz_seconds=fuzz,
        requires_sandbox=require_sandbox,
    )


@app.command()
@click.argument("rule", metavar="[RULE]", required=False)
def explain(rule: str | None) -> int:
    """Explain a rule; without one, list all rules.

    RULE is its code, such as BP301, or its name.
    """
    from agent.commands import explain as command  # noqa: PLC0415  # as above

    return command.explain(rule) if rule else command.list_rules()


@app.command()
@into_option
def undo(into: Path) -> int:
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
        with app.make_context("backendpro", arguments) as context:
            return app.invoke(context) or 0
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except click.ClickException as error:
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
