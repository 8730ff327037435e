"""Requests without a valid token: every protected route must answer 401."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from validators.probes.operations import Operation
from validators.probes.requests.filling import Filled
from validators.probes.results import Results
from validators.probes.worlds.forgery import BadToken
from validators.probes.worlds.world import Exchange, World
from validators.rules import probes as rules

_UNAUTHORIZED, _FORBIDDEN = 401, 403
_PUBLIC_WORDS = frozenset(
    {
        "auth", "health", "healthz", "login", "signin", "sign-in", "signup", "sign-up", "register",
        "token", "refresh", "logout", "docs", "openapi.json", "version", "ping", "ready", "live",
        "status", "public", "webhook", "webhooks", "forgot-password", "reset-password", "metrics",
    }
)  # fmt: skip


@dataclass
class Authentication:
    """The experiments without a valid token on one world."""

    world: World
    results: Results

    def attempt_all(self, operation: Operation, control: Filled) -> None:
        """Send the owner's request without a token and with tokens that are not valid."""
        self._attempt("authentication", operation, control, self.world.forger().bad())

    def confuse(self, operation: Operation, control: Filled) -> bool:
        """Send the owner's request with tokens that are made to confuse their verification.

        Returns:
            Whether that was done: a public route looks at no token.
        """
        if not self._is_protected(operation, control):
            return False
        self._attempt("token confusion", operation, control, self.world.forger().confusing())
        return True

    def _is_protected(self, operation: Operation, control: Filled) -> bool:
        if operation.is_secured:
            return True
        without = replace(control.request, token=None)
        statuses = [each.response.status for each in self.world.try_all("nobody", [without])]
        return statuses[0] in (_UNAUTHORIZED, _FORBIDDEN)

    def _attempt(
        self, name: str, operation: Operation, control: Filled, tokens: Iterable[BadToken]
    ) -> None:
        accepted: list[str] = []
        forbidden: list[str] = []
        for (what, token), exchange in self._exchanges(operation, control, list(tokens)):
            self.results.remember(operation, exchange)
            status = exchange.response.status
            if status == _FORBIDDEN:
                forbidden.append(what)
            elif status != _UNAUTHORIZED:
                if self._signs_nobody_out(operation, exchange):
                    continue
                if token is None and not self._must_be_protected(operation, exchange):
                    self._note_public(operation, exchange)
                    return
                accepted.append(f"{what}: {status}")
                if exchange.response.is_success:
                    self.results.leaking.add(operation.route)
        self._judge(name, operation, control, accepted, forbidden)

    def _exchanges(
        self, operation: Operation, control: Filled, tokens: Sequence[BadToken]
    ) -> Iterator[tuple[BadToken, Exchange]]:
        """Yield each token with what came of it; where a route may be public, one at a time."""
        requests = [replace(control.request, token=token) for _, token in tokens]
        size = len(requests) if operation.is_secured else 1
        for start in range(0, len(requests), size or 1):
            exchanges = self.world.try_all("nobody", requests[start : start + size])
            yield from zip(tokens[start : start + size], exchanges, strict=True)

    def _signs_nobody_out(self, operation: Operation, exchange: Exchange) -> bool:
        """Tell whether somebody without a valid token was told to be signed out, and nobody was."""
        return (
            operation.ends_session
            and exchange.response.is_success
            and not exchange.change
            and not self.world.holds_data_of("owner", exchange.response)
        )

    def _must_be_protected(self, operation: Operation, exchange: Exchange) -> bool:
        return (
            operation.is_secured
            or bool(exchange.change)
            or self.world.holds_data_of("owner", exchange.response)
        )

    def _note_public(self, operation: Operation, exchange: Exchange) -> None:
        words = {word.lower() for word in operation.segments}
        is_meant = bool(words & _PUBLIC_WORDS) or "api" not in words
        if exchange.response.is_success and not is_meant:
            self.results.report(
                rules.PUBLIC,
                operation,
                f"{operation.route} answers {exchange.response.status} without a token.",
            )
        detail = f"The route is public: {exchange.response.status} without a token."
        self.results.note("authentication", operation, "passed", detail)

    def _judge(
        self,
        name: str,
        operation: Operation,
        control: Filled,
        accepted: list[str],
        forbidden: list[str],
    ) -> None:
        if accepted:
            detail = (
                f"{operation.route} does not answer 401 to every bad token ({', '.join(accepted)})."
            )
            self.results.report(rules.UNAUTHENTICATED, operation, detail, trace=(control.shown,))
            self.results.note(name, operation, "failed", detail)
            return
        if forbidden:
            self.results.report(
                rules.WRONG_REFUSAL,
                operation,
                f"{operation.route} answers 403 in place of 401 ({', '.join(forbidden)}).",
            )
        kind = "" if name == "authentication" else f" where valid ones are {self.world.style}"
        refused = "signs nobody out" if operation.ends_session else "is refused"
        detail = f"Every token that is not valid {refused}{kind}."
        self.results.note(name, operation, "passed", detail)
