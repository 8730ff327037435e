"""Finds the kind of token that a backend accepts; nothing can be shown before one is accepted."""

from collections.abc import Iterable

from validators.probes.operations import Operation
from validators.probes.requests.filling import Filler, UnfilledError
from validators.probes.results import Results, reason
from validators.probes.worlds.tokens import styles_for
from validators.probes.worlds.world import Exchange, World
from validators.rules import probes as rules
from validators.runtime.faults import Frame

_REFUSED = (401, 403)
_SERVER_ERROR = 500
# What Python says of a text that is none, and the option that fits.
_OTHER_IDS = {
    "badly formed hexadecimal UUID string": "uuid",
    "invalid literal for int() with base 16": "uuid",
    "invalid literal for int() with base 10": "int",
}


def find_style(
    world: World, filler: Filler, operations: Iterable[Operation], results: Results
) -> bool:
    """Find the kind of token that the backend accepts, for `world` to use.

    Returns:
        Whether there is one; where there is none, that is reported in `results`.
    """
    for operation in sorted(
        operations, key=lambda o: (not o.is_secured, len(o.path_names), o.body is not None)
    ):
        refused = _try_styles(world, filler, operation)
        if refused is None:
            return True
        if operation.is_secured:
            said = world.neutral(reason(refused)).rstrip(".")
            message = f"The owner's valid token is refused{_setting(world)}: "
            message += f"{operation.route} answers {said}."
            tried = tuple(f"tried: {style}" for style in styles_for(world.app))
            place = _place(refused)
            fix = _find_fix(refused)
            results.report(
                rules.TOKEN_REFUSED, operation, message, place=place, fix=fix, trace=tried
            )
            results.note("life", operation, "failed", message)
            return False
    return True


def _find_fix(refused: Exchange) -> str | None:
    """Return what to do where the code takes the user's id for something else than text."""
    causes = [cause for fault in refused.response.faults for cause in fault.chain]
    for sign, kind in _OTHER_IDS.items():
        if any(cause.is_a("ValueError") and sign in cause.message for cause in causes):
            return (
                "Take the user's id as text, as Better Auth issues it. Where your user table has "
                f"other ids, check with `--user-id {kind}`."
            )
    return None


def _setting(world: World) -> str:
    """Return where the backend looks for keys, if it was told."""
    app = world.app
    if app.verification == "secret" or app.keys is None:
        return ""
    return f" (keys are served at {world.neutral(app.keys.shown_url)})"


def _try_styles(world: World, filler: Filler, operation: Operation) -> Exchange | None:
    """Return None where the backend accepts one of the styles, otherwise the first refusal."""
    styles = styles_for(world.app)
    first: Exchange | None = None
    broken = None
    for style in styles:
        world.style = style
        try:
            filled = filler.fill(operation, "owner", lambda _: "nobody")
        except UnfilledError:
            return first
        exchange = world.send("owner", filled.request)
        world.undo(exchange)
        if exchange.response.status >= _SERVER_ERROR or exchange.response.status == 0:
            # Perhaps its keys cannot be had; perhaps the route itself fails.
            broken = broken or style
        elif exchange.response.status not in _REFUSED:
            return None
        first = first or exchange
    world.style = broken or styles[0]
    return None if broken else first


def _place(refused: Exchange) -> Frame | None:
    """Return the line that refused, or that of the route's handler."""
    frames = [fault.innermost for fault in refused.response.faults]
    return next(filter(None, frames), refused.response.handler)
