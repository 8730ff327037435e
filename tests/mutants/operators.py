"""The operators: each makes mutants that break isolation, or that must not.

An operator looks at one file and yields, for each place where it applies, the edits to make and
the lines of which at least one must be reported. An empty set of lines stands for "anywhere in
the backend": a defect in the authentication or in a check shows at the queries behind it.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.mutants.source_edit import Edit, source_of
from tests.mutants.subjects import File

OWNER_COLUMNS = frozenset({"user_id", "owner_id", "author_id", "created_by", "owner", "creator_id"})
FILTERS = frozenset({"where", "filter", "filter_by"})
QUERIES = frozenset({"select", "update", "delete", "query"})


@dataclass(frozen=True, slots=True)
class Mutation:
    """Edits of one file, and the lines of which one must be reported."""

    line: int
    edits: list[Edit]
    expected: frozenset[int]


Operator = Callable[[File], Iterator[Mutation]]


def drop_owner_predicate(file: File) -> Iterator[Mutation]:
    """`where(T.id == i, T.user_id == me)` becomes `where(T.id == i, True)`."""
    for predicate in _owner_predicates(file):
        yield _at(file, predicate, "True")


def negate_owner_predicate(file: File) -> Iterator[Mutation]:
    """`T.user_id == me` becomes `T.user_id != me`."""
    for predicate in _owner_predicates(file):
        left = source_of(file.text, predicate.left)
        right = source_of(file.text, predicate.comparators[0])
        yield _at(file, predicate, f"{left} != {right}")


def compare_with_itself(file: File) -> Iterator[Mutation]:
    """`T.user_id == me` becomes `T.user_id == T.user_id`."""
    for predicate in _owner_predicates(file):
        column = source_of(file.text, _column_side(predicate))
        yield _at(file, predicate, f"{column} == {column}")


def compare_with_constant(file: File) -> Iterator[Mutation]:
    """`T.user_id == me` becomes `T.user_id == "1"`."""
    for predicate in _owner_predicates(file):
        column = source_of(file.text, _column_side(predicate))
        yield _at(file, predicate, f'{column} == "1"')


def compare_with_query_parameter(file: File) -> Iterator[Mutation]:
    """`T.user_id == me` becomes `T.user_id == owner`, a new parameter of the handler."""
    for predicate in _owner_predicates(file):
        handler = _handler_around(file, predicate)
        arguments = _all_arguments(handler) if handler else []
        if not arguments:
            continue
        column = source_of(file.text, _column_side(predicate))
        yield Mutation(
            predicate.lineno,
            [
                Edit(predicate, f"{column} == injected_owner"),
                _insert_before(arguments[0], "injected_owner: str, "),
            ],
            _expected(file, predicate),
        )


def or_with_owner_predicate(file: File) -> Iterator[Mutation]:
    """`where(a, T.user_id == me)` becomes `where(a, (T.user_id == me) | (T.id > 0))`."""
    for predicate in _owner_predicates(file):
        column = _column_side(predicate)
        model = source_of(file.text, column.value)
        yield _at(file, predicate, f"({{}}) | ({model}.id != None)")


def select_to_get(file: File) -> Iterator[Mutation]:
    """`s.exec(select(T).where(T.id == i, T.user_id == me)).first()` becomes `s.get(T, i)`."""
    for call in _calls(file):
        match call:
            case ast.Call(
                func=ast.Attribute(
                    attr="first" | "one_or_none",
                    value=ast.Call(
                        func=ast.Attribute(attr="exec", value=session),
                        args=[
                            ast.Call(
                                func=ast.Attribute(
                                    attr="where",
                                    value=ast.Call(
                                        func=ast.Name(id="select"), args=[ast.Name(id=model)]
                                    ),
                                ),
                                args=predicates,
                            ) as where
                        ],
                    ),
                )
            ) if any(_is_owner_predicate(predicate) for predicate in predicates):
                key = _key_of(predicates)
                if key is None or isinstance(file.parents[call], ast.Await):
                    continue
                where_lines = _expected(file, where)
                text = f"{source_of(file.text, session)}.get({model}, {source_of(file.text, key)})"
                lines = where_lines | {call.lineno, call.lineno + 1}
                yield Mutation(call.lineno, [Edit(call, text)], lines)
            case _:
                continue


def drop_post_check(file: File) -> Iterator[Mutation]:
    """`if row is None or row.user_id != me: raise` becomes `if row is None: raise`."""
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.If) or node.orelse or not _leaves(node):
            continue
        match node.test:
            case ast.BoolOp(op=ast.Or(), values=[first, second]) if _is_owner_mismatch(second):
                edit = Edit(node.test, source_of(file.text, first))
            case ast.Compare() if _is_owner_mismatch(node.test):
                edit = Edit(node.test, "False")
            case _:
                continue
        yield Mutation(node.lineno, [edit], frozenset())


def invert_post_check(file: File) -> Iterator[Mutation]:
    """`row.user_id != me` in a check becomes `row.user_id == me`."""
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.If) or not _leaves(node):
            continue
        for test in ast.walk(node.test):
            if isinstance(test, ast.Compare) and _is_owner_mismatch(test):
                left = source_of(file.text, test.left)
                right = source_of(file.text, test.comparators[0])
                edit = Edit(test, f"{left} == {right}")
                yield Mutation(test.lineno, [edit], frozenset())


def log_instead_of_raise(file: File) -> Iterator[Mutation]:
    """The body of an ownership check becomes `print("denied")`."""
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.If) or not _leaves(node) or len(node.body) != 1:
            continue
        if any(
            isinstance(test, ast.Compare) and _is_owner_mismatch(test)
            for test in ast.walk(node.test)
        ):
            edit = Edit(node.body[0], 'print("denied")')
            yield Mutation(node.lineno, [edit], frozenset())


def decode_without_verification(file: File) -> Iterator[Mutation]:
    """`jwt.decode(…)` gets `options={"verify_signature": False}`."""
    for call in _calls(file):
        match call:
            case ast.Call(
                func=ast.Attribute(attr="decode", value=ast.Name(id="jwt")), keywords=keywords
            ):
                kept = [
                    f"{keyword.arg}={source_of(file.text, keyword.value)}"
                    for keyword in keywords
                    if keyword.arg not in (None, "options")
                ]
                parts = [source_of(file.text, argument) for argument in call.args] + kept
                text = f'jwt.decode({", ".join(parts)}, options={{"verify_signature": False}})'
                text = text.replace("{}", "dict()")
                yield Mutation(call.lineno, [Edit(call, text)], frozenset())
            case _:
                continue


def user_from_query_parameters(file: File) -> Iterator[Mutation]:
    """`me: User = Depends(get_current_user)` becomes `me: User = Depends(User)`.

    FastAPI then builds the user from query parameters, so anybody can be anybody.
    """
    for function in _handlers(file):
        for argument, default in _defaults(function):
            match default, argument.annotation:
                case ast.Call(func=ast.Name(id="Depends"), args=[called]), ast.Name(id="User"):
                    if "user" in source_of(file.text, called):
                        edit = Edit(default, "Depends(User)")
                        yield Mutation(default.lineno, [edit], frozenset())
                case _:
                    continue


def owner_from_request(file: File) -> Iterator[Mutation]:
    """`Task(user_id=me.id, …)` becomes `Task(user_id=injected_owner, …)`, a new parameter."""
    for call in _calls(file):
        handler = _handler_around(file, call)
        arguments = _all_arguments(handler) if handler else []
        if not arguments or not isinstance(call.func, ast.Name) or call.func.id in FILTERS:
            continue
        for keyword in call.keywords:
            if keyword.arg in OWNER_COLUMNS and call.func.id[0].isupper():
                edits = [
                    Edit(keyword.value, "injected_owner"),
                    _insert_before(arguments[0], "injected_owner: str, "),
                ]
                # The owner may pass through a service on its way to the row.
                yield Mutation(call.lineno, edits, frozenset())


def swap_operands(file: File) -> Iterator[Mutation]:
    """`T.user_id == me` becomes `me == T.user_id`: the same."""
    for predicate in _owner_predicates(file):
        left = source_of(file.text, predicate.left)
        right = source_of(file.text, predicate.comparators[0])
        yield _at(file, predicate, f"{right} == {left}")


def wrap_in_and(file: File) -> Iterator[Mutation]:
    """`T.user_id == me` becomes `(T.user_id == me) & (T.id != None)`: never more rows."""
    for predicate in _owner_predicates(file):
        model = source_of(file.text, _column_side(predicate).value)
        yield _at(file, predicate, f"({{}}) & ({model}.id != None)")


def repeat_predicate(file: File) -> Iterator[Mutation]:
    """`where(T.user_id == me)` becomes `where(T.user_id == me, T.user_id == me)`: the same."""
    for predicate in _owner_predicates(file):
        if isinstance(file.parents[predicate], ast.Call):
            yield _at(file, predicate, "{}, {}")


def keep_identity_in_variable(file: File) -> Iterator[Mutation]:
    """`T.user_id == me` becomes `T.user_id == (mine := me)`: the same."""
    for predicate in _owner_predicates(file):
        column = _column_side(predicate)
        other = predicate.comparators[0] if column is predicate.left else predicate.left
        column_text, other_text = source_of(file.text, column), source_of(file.text, other)
        yield _at(file, predicate, f"{column_text} == (kept_identity := {other_text})")


BREAKING: tuple[Operator, ...] = (
    drop_owner_predicate,
    negate_owner_predicate,
    compare_with_itself,
    compare_with_constant,
    compare_with_query_parameter,
    or_with_owner_predicate,
    select_to_get,
    drop_post_check,
    invert_post_check,
    log_instead_of_raise,
    decode_without_verification,
    user_from_query_parameters,
    owner_from_request,
)
KEEPING: tuple[Operator, ...] = (
    swap_operands,
    wrap_in_and,
    repeat_predicate,
    keep_identity_in_variable,
)


def _at(file: File, predicate: ast.Compare, text: str) -> Mutation:
    return Mutation(predicate.lineno, [Edit(predicate, text)], _expected(file, predicate))


def _calls(file: File) -> Iterator[ast.Call]:
    return (node for node in ast.walk(file.tree) if isinstance(node, ast.Call))


def _owner_predicates(file: File) -> Iterator[ast.Compare]:
    """Yield the owner comparisons that stand as predicates inside a filter."""
    for call in _calls(file):
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in FILTERS:
            continue
        for argument in call.args:
            for node in ast.walk(argument):
                if _is_owner_predicate(node) and _call_around(file, node) is call:
                    assert isinstance(node, ast.Compare)
                    yield node


def _call_around(file: File, node: ast.AST) -> ast.AST:
    """Return the call that a predicate belongs to, through `and_` and `&`."""
    parent = file.parents[node]
    while isinstance(parent, ast.BinOp) or (
        isinstance(parent, ast.Call)
        and isinstance(parent.func, ast.Name)
        and parent.func.id == "and_"
    ):
        if isinstance(parent, ast.BinOp) and not isinstance(parent.op, ast.BitAnd):
            return parent
        parent = file.parents[parent]
    return parent


def _is_owner_predicate(node: ast.AST) -> bool:
    if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq):
        return False
    sides = [_is_owner_column(side) for side in (node.left, *node.comparators)]
    return sides.count(True) == 1 and len(sides) == 2


def _is_owner_column(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(attr=name, value=ast.Name(id=model)):
            return name in OWNER_COLUMNS and model[0].isupper()
        case _:
            return False


def _column_side(predicate: ast.Compare) -> ast.Attribute:
    side = predicate.left if _is_owner_column(predicate.left) else predicate.comparators[0]
    assert isinstance(side, ast.Attribute)
    return side


def _key_of(predicates: list[ast.expr]) -> ast.expr | None:
    for predicate in predicates:
        match predicate:
            case ast.Compare(left=ast.Attribute(attr="id"), ops=[ast.Eq()], comparators=[key]):
                return key
            case _:
                continue
    return None


def _is_owner_mismatch(node: ast.expr) -> bool:
    match node:
        case ast.Compare(left=left, ops=[ast.NotEq()], comparators=[right]):
            return any(
                isinstance(side, ast.Attribute)
                and side.attr in OWNER_COLUMNS
                and isinstance(side.value, ast.Name)
                and side.value.id[0].islower()
                and "current" not in side.value.id
                for side in (left, right)
            )
        case _:
            return False


def _leaves(node: ast.If) -> bool:
    return isinstance(node.body[-1], ast.Raise | ast.Return)


def _expected(file: File, node: ast.AST) -> frozenset[int]:
    """Return the line of the query that a predicate belongs to, or its function's sites."""
    call = node if isinstance(node, ast.Call) else _call_around(file, node)
    while isinstance(call, ast.Call):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else None
        if (isinstance(call.func, ast.Name) and call.func.id in QUERIES) or name in QUERIES:
            return frozenset({call.lineno, call.func.end_lineno or call.lineno})
        call = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    return _function_sites(file, node)


def _function_sites(file: File, node: ast.AST) -> frozenset[int]:
    """Return the annotated sites of the function around, else those of the file."""
    around = node
    while around in file.parents:
        around = file.parents[around]
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            span = range(around.lineno, (around.end_lineno or around.lineno) + 1)
            lines = file.site_lines & set(span)
            return frozenset(lines or file.site_lines)
    return file.site_lines


def _handlers(file: File) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(file.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_handler(node):
            yield node


def _is_handler(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    methods = {"get", "post", "put", "patch", "delete"}
    return any(
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in methods
        for decorator in node.decorator_list
    )


def _handler_around(file: File, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    around = node
    while around in file.parents:
        around = file.parents[around]
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            return around if _is_handler(around) else None
    return None


def _all_arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args]


def _defaults(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
) -> Iterator[tuple[ast.arg, ast.expr]]:
    arguments = _all_arguments(function)
    defaults = function.args.defaults
    yield from zip(arguments[len(arguments) - len(defaults) :], defaults, strict=True)
    for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if default is not None:
            yield argument, default


def _insert_before(argument: ast.arg, text: str) -> Edit:
    # An `arg` node has a position like an expression has.
    place = ast.Name(id=argument.arg)
    ast.copy_location(place, argument)
    return Edit(place, text + "{}")
