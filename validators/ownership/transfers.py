"""Transfers: when a stored row may change its owner, by an offer or because it is declared."""

import ast
from collections.abc import Iterator

from validators.frozen import frozen
from validators.ownership.declarations import Declaration, declared_transfer, stray_transfer
from validators.ownership.execution import Execution
from validators.ownership.facts import Facts, Fresh, equals
from validators.ownership.proofs import Needs, Why, WhyNot
from validators.ownership.recorder import Frame, OwnerChange, Place, Problem
from validators.ownership.schema import OWNER_COLUMNS, TableModel
from validators.ownership.values import Attr, Given

NOT_THE_USER = "a user who is not the signed-in one"
_COMMENT = "`# backendpro: transfer — reason`"
_OFFER_FIX = (
    "Let the recipient accept it: store an offer, and change the owner in their request; or "
    f"declare the line: {_COMMENT}."
)
_RECIPIENTS = ("recipient", "receiver", "to_")


@frozen
class Change:
    """A column of a stored row is written.

    Attributes:
        row: The row's symbol.
        column: The column.
        node: Where it is written, for people.
        before: What was known before.
        places: Where else a declaration may stand: path and node.
    """

    row: int
    column: str
    node: ast.AST
    before: Facts
    places: tuple[tuple[str, ast.AST], ...] = ()


class Transfers(Execution):
    """Checks who a row is given to, and by whom."""

    def give_away(self, change: Change, doubt: WhyNot, facts: Facts, frame: Frame) -> None:
        """Check the write of an owner who is not the signed-in user."""
        model = self.prover.rows[change.row]
        declaration = self._declaration(change, frame)
        is_own = self._is_own(change)
        is_found = self._is_found_user(change, facts)
        if declaration is not None and declaration.reason and is_own and is_found:
            self._accept(change, frame, declaration.reason, frozenset())
            return
        message = f"{doubt.text.lstrip('~')}: the row changes its owner."
        if declaration is not None:
            why = _why_it_does_not_hold(declaration, model, is_own=is_own)
        else:
            why = self._stray(change, frame)
        if why:
            message = f"{model.name}.{change.column} is set to {NOT_THE_USER}. {why}"
        self._refuse(change, frame, message, _OFFER_FIX if is_own and is_found else None)

    def take_over(self, change: Change, facts: Facts, frame: Frame) -> None:
        """Check the write of the signed-in user as the owner of somebody else's row."""
        model = self.prover.rows[change.row]
        attr = Attr(change.row, change.column)
        if not (len(model.owners) == 1 or change.column in OWNER_COLUMNS):
            return  # an assignee or an editor beside the owner
        if self.prover.identity(attr, facts) is None or self._is_own(change):
            return
        why = self.prover.owned(change.row, change.before)
        # A row that nothing proves has its finding where it is fetched.
        grants = self._grants(model, why) if why is not None else []
        if why is None or not grants:
            return
        needs = self._sender_needs(change)
        if needs is not None:
            self._accept(change, frame, "", why.needs | needs)
            return
        declaration = self._declaration(change, frame)
        if declaration is not None and declaration.reason:
            self._accept(change, frame, declaration.reason, why.needs)
            return
        message = _taken(change, model, grants[0])
        if declaration is not None:
            message = f"{message} {_why_it_does_not_hold(declaration, model, is_own=True)}"
        else:
            message = f"{message} {self._stray(change, frame)}".rstrip()
        self._refuse(change, frame, message, _sender_fix(change, model, grants[0]))

    def _grants(self, model: TableModel, why: Why) -> list[TableModel]:
        """Return the models whose rows grant this very row, by a proof."""
        found = []
        for key, column in sorted(why.needs):
            grant = self.schema.models[key]
            is_direct = any(c == column and p == model.key for c, p, _ in grant.parents)
            if is_direct and grant is not model and grant.owners:
                found.append(grant)
        return found

    def _sender_needs(self, change: Change) -> Needs | None:
        """Return what must hold of an offer whose sender owns the row; None without one."""
        model, before = self.prover.rows[change.row], change.before
        for offer, column in self.prover.grants_of(change.row, model, before):
            for owner in equals(Attr(change.row, change.column), before):
                is_sender = isinstance(owner, Attr) and owner.row == offer
                if is_sender and self.prover.identity(owner, before) is None:
                    grant = self.prover.rows[offer]
                    sender = owner.column if isinstance(owner, Attr) else ""
                    if sender in grant.owners:
                        return frozenset({(grant.key, column), (grant.key, sender)})
        return None

    def _is_own(self, change: Change) -> bool:
        """Tell whether a row was the signed-in user's own, and not only granted, before."""
        attr = Attr(change.row, change.column)
        if self.prover.identity(attr, change.before) is not None:
            return True
        why = self.prover.owned(change.row, change.before)
        return why is not None and not why.needs

    def _is_found_user(self, change: Change, facts: Facts) -> bool:
        """Tell whether the new owner is a user who was found by what the sender named."""
        for term in equals(Attr(change.row, change.column), facts):
            row = term.row if isinstance(term, Attr) else None
            if not isinstance(row, int) or not self.prover.rows[row].is_user:
                continue
            named = self.prover.looked_up_by(row, facts)
            if Fresh(row) not in facts and isinstance(named, Given):
                return True
        return False

    # Declarations.

    def _declaration(self, change: Change, frame: Frame) -> Declaration | None:
        for path, node in self._places(change, frame):
            found = declared_transfer(self.program.project.modules[path], node)
            if found is not None:
                return found
        return None

    def _places(self, change: Change, frame: Frame) -> Iterator[tuple[str, ast.AST]]:
        yield frame.path, change.node
        yield from change.places

    def _stray(self, change: Change, frame: Frame) -> str:
        """Say that a declaration stands elsewhere; nothing where there is none."""
        found = stray_transfer(self.program.project.modules[frame.path], change.node)
        if found is None:
            return ""
        return (
            f"The transfer that line {found.line} declares is not here: the comment belongs on the "
            "line of the write."
        )

    def _accept(self, change: Change, frame: Frame, reason: str, needs: Needs) -> None:
        model = self.prover.rows[change.row]
        place = Place.of(frame.path, change.node)
        found = OwnerChange(place, model.name, change.column, reason, needs)
        frame.entry.owner_changes[found] = None

    def _refuse(self, change: Change, frame: Frame, message: str, fix: str | None) -> None:
        found = Problem("BP307", Place.of(frame.path, change.node), message, fix)
        frame.entry.problems[found] = None


def _why_it_does_not_hold(declaration: Declaration, model: TableModel, *, is_own: bool) -> str:
    if not declaration.reason:
        return f"The transfer is declared without a reason: write {_COMMENT}."
    if not is_own:
        return (
            "The declared transfer does not hold: nothing shows that the "
            f"{model.name} is the signed-in user's own."
        )
    return "The declared transfer does not hold: nobody was looked up by what the sender named."


def _sender(grant: TableModel) -> str:
    """Return the column of an offer that names its sender, as far as there is one."""
    named = [c for c in grant.owners if not c.startswith(_RECIPIENTS)]
    return f"{grant.name}.{named[0]}" if len(grant.owners) > 1 and named else ""


def _taken(change: Change, model: TableModel, grant: TableModel) -> str:
    sender, text = _sender(grant), f"{model.name}.{change.column} is taken over by a {grant.name}"
    if not sender:
        return f"{text}, which names nobody who gives the row away."
    return (
        f"{text}, and nothing checks that it is still {sender}: an old one takes the row from a "
        "later owner."
    )


def _sender_fix(change: Change, model: TableModel, grant: TableModel) -> str:
    sender, name = _sender(grant), f"{model.name}.{change.column}"
    if sender:
        return f"Compare {name} with {sender} where the {model.name} is fetched."
    advice = f"Let an offer name its sender, and compare {name} with it"
    return f"{advice}; or declare the line: {_COMMENT}."
