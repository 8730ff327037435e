"""The table models: columns, foreign keys, relationships, and which of them are owned."""

import ast
import re
from dataclasses import dataclass, field

from validators.frozen import frozen
from validators.ownership.program import Program, dotted_name

USER_TABLES = frozenset({"user", "users", "auth_user", "app_user", "app_users", "user_account"})
USER_CLASSES = frozenset(
    {"User", "Users", "UserModel", "UserDB", "DBUser", "AuthUser", "UserTable"}
)
OWNER_COLUMNS = frozenset(
    {
        "user_id", "userId", "userid", "user_uuid", "user_uid", "user_email",
        "owner_id", "ownerId", "owner", "owner_email", "owner_uuid", "uid",
        "created_by", "created_by_id", "creator_id", "author_id", "account_id", "member_id",
    }
)  # fmt: skip
_SECRET = re.compile(
    r"^(.*_)?(token|secret|api_?key|session_key|session_id|token_hash|key_hash|hashed_token|"
    r"hashed_key|secret_hash|jti)$",
    re.IGNORECASE,
)
_MAYBE_PUBLIC = re.compile(r"^(.*_)?(session_id|session_key|jti)$", re.IGNORECASE)
_CREDENTIAL = re.compile(
    r"session|token|api_?key|credential|verification|reset|invit", re.IGNORECASE
)
_GRANT = re.compile(
    r"share|grant|member|collab|permission|access|invit|assign|participant|viewer|follow",
    re.IGNORECASE,
)
_KEYS = frozenset({"id", "email", "username", "user_id", "uid", "sub", "external_id", "auth_id"})
_SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_COLUMN_CALLS = frozenset({"Field", "Column", "mapped_column"})
_RELATION_CALLS = frozenset({"Relationship", "relationship", "relation"})


@frozen
class ForeignKey:
    """A column that refers to another table's column."""

    column: str
    table: str
    target: str


@frozen
class Relation:
    """A relationship attribute: the model it loads, and whether it is a list."""

    name: str
    model: str
    is_list: bool
    columns: tuple[str, ...] = ()


@dataclass
class TableModel:
    """One table model.

    Attributes:
        key: Path and name, unique in the project.
        name: The class's name.
        path: The file that defines it.
        table: The table's name.
        columns: Its columns in order.
        primary: Its primary key's columns.
        unique: Columns that identify one row.
        foreign: Its foreign keys.
        relations: Its relationship attributes by name.
        owners: Columns that name a user.
        parents: Foreign keys to owned models.
        is_user: Whether it is the user table.
        is_external: Whether it is a table of somebody else's that only SQL names.
    """

    key: str
    name: str
    path: str
    table: str
    columns: tuple[str, ...] = ()
    primary: tuple[str, ...] = ()
    unique: frozenset[str] = frozenset()
    foreign: tuple[ForeignKey, ...] = ()
    relations: dict[str, Relation] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
    parents: tuple[tuple[str, str, str], ...] = ()
    is_user: bool = False
    is_public: bool = False
    is_external: bool = False

    @property
    def is_owned(self) -> bool:
        """Whether its rows belong to a user."""
        return bool(self.owners or self.parents) and not (self.is_user or self.is_external)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Columns whose value only the right person can know."""
        found = tuple(c for c in self.columns if _SECRET.match(c))
        # A chat has a `session_id` as well, which is no secret: it stands in the address.
        return (
            found
            if _CREDENTIAL.search(self.name)
            else tuple(c for c in found if not _MAYBE_PUBLIC.match(c))
        )

    @property
    def is_grant(self) -> bool:
        """Whether its rows let users at rows of others, such as shares and memberships."""
        return bool(self.owners and self.parents and _GRANT.search(self.name))

    @property
    def is_credential(self) -> bool:
        """Whether its rows stand for being signed in, such as sessions and tokens."""
        return bool(self.secrets and _CREDENTIAL.search(self.name))


@dataclass
class Schema:
    """All table models of a project, by key and by class definition."""

    models: dict[str, TableModel] = field(default_factory=dict)
    by_node: dict[ast.ClassDef, TableModel] = field(default_factory=dict)

    def table(self, name: str) -> TableModel | None:
        """Return the model of a table, by the table's name without quotes or schema."""
        plain = name.rpartition(".")[2].strip('"').lower()
        mapped = (model for model in self.models.values() if not model.is_external)
        return next((model for model in mapped if model.table.lower() == plain), None)

    def named(self, name: str) -> TableModel | None:
        """Return the model with a class name."""
        return next((m for m in self.models.values() if m.name == name), None)

    @property
    def user(self) -> TableModel | None:
        """The user table's model."""
        return next((m for m in self.models.values() if m.is_user and not m.is_external), None)

    def external(self, name: str, columns: tuple[str, ...]) -> TableModel | None:
        """Return a table that SQL names and no class maps, if it says who is signed in.

        Better Auth owns such tables: `session`, whose `token` is a secret, and `user`.
        """
        plain = name.rpartition(".")[2].strip('"')
        is_user = plain.lower() in USER_TABLES
        if not (is_user or _CREDENTIAL.search(plain)):
            return None
        model = self.models.setdefault(f"sql:{plain}", TableModel(f"sql:{plain}", plain, "", plain))
        model.columns = tuple(dict.fromkeys((*model.columns, *columns)))
        model.is_user, model.is_external = is_user, True
        model.owners = tuple(c for c in model.columns if c in OWNER_COLUMNS)
        _default_primary(model)
        return model


def read_schema(
    program: Program, owner_columns: frozenset[str], public_models: frozenset[str]
) -> Schema:
    """Read the table models of a project."""
    schema = Schema()
    reader = _Reader(program)
    for path in program.modules:
        for nodes in program.names(path).values():
            for node in nodes:
                if isinstance(node, ast.ClassDef) and node not in schema.by_node:
                    model = reader.read(node, path)
                    if model is not None:
                        schema.models[model.key] = model
                        schema.by_node[node] = model
    _imply_keys(schema, owner_columns)
    _find_owners(schema, owner_columns)
    for model in schema.models.values():
        model.is_public = model.name in public_models
        _find_relations(schema, model)
    return schema


class _Reader:
    """Reads classes into table models."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.bases: dict[ast.ClassDef, list[tuple[ast.ClassDef, str]]] = {}

    def read(self, node: ast.ClassDef, path: str) -> TableModel | None:
        lineage = self._lineage(node, path)
        table = _table_name(node)
        if not _is_table(node, table, lineage):
            return None
        name = table or node.name.lower()
        model = TableModel(f"{path}:{node.name}", node.name, path, name)
        for cls in reversed(lineage):
            self._read_body(model, cls)
        model.is_user = model.table.lower() in USER_TABLES or model.name in USER_CLASSES
        return model

    def _lineage(self, node: ast.ClassDef, path: str) -> list[ast.ClassDef]:
        """Return a class and all that it inherits from in the project, nearest first."""
        found: dict[ast.ClassDef, None] = {}
        stack = [(node, path)]
        while stack:
            cls, where = stack.pop()
            if cls not in found:
                found[cls] = None
                stack.extend(reversed(self._bases(cls, where)))
        return list(found)

    def _bases(self, node: ast.ClassDef, path: str) -> list[tuple[ast.ClassDef, str]]:
        known = self.bases.get(node)
        if known is None:
            known = self.bases[node] = []
            for base in node.bases:
                dotted = dotted_name(base.value if isinstance(base, ast.Subscript) else base)
                found = self.program.find(path, dotted) if dotted else None
                if found and isinstance(found.node, ast.ClassDef) and found.scope:
                    known.append((found.node, found.scope.path))
        return known

    def _read_body(self, model: TableModel, cls: ast.ClassDef) -> None:
        for node in cls.body:
            match node:
                case ast.AnnAssign(target=ast.Name(id=name)):
                    self._read_field(model, name, node.annotation, node.value)
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call()):
                    self._read_field(model, name, None, node.value)
                case ast.FunctionDef(name=name) if _is_declared(node):
                    returned = next((s.value for s in node.body if isinstance(s, ast.Return)), None)
                    self._read_field(model, name, node.returns, returned)
                case _:
                    continue

    def _read_field(
        self, model: TableModel, name: str, annotation: ast.expr | None, value: ast.expr | None
    ) -> None:
        if name.startswith("__") or (annotation is not None and _mentions(annotation, "ClassVar")):
            return
        call = value if isinstance(value, ast.Call) else None
        called = (dotted_name(call.func) or "").rpartition(".")[2] if call else ""
        if called in _RELATION_CALLS and call is not None:
            model.relations[name] = _relation(name, annotation, call)
            return
        if called not in _COLUMN_CALLS and annotation is None:
            return
        model.columns = tuple(dict.fromkeys((*model.columns, name)))
        # A redefined column replaces the inherited one.
        model.foreign = tuple(fk for fk in model.foreign if fk.column != name)
        if call is not None:
            _read_column(model, name, call)


def _read_column(model: TableModel, name: str, call: ast.Call) -> None:
    for inner in (node for node in ast.walk(call) if isinstance(node, ast.Call)):
        words = {k.arg: k.value for k in inner.keywords if k.arg}
        if _is_true(words.get("primary_key")):
            model.primary = tuple(dict.fromkeys((*model.primary, name)))
        if _is_true(words.get("unique")):
            model.unique |= {name}
        reference = _text(words.get("foreign_key"))
        called = (dotted_name(inner.func) or "").rpartition(".")[2]
        if called == "ForeignKey" and inner.args:
            reference = _reference(inner.args[0])
        if reference and "." in reference:
            table, _, target = reference.rpartition(".")
            table = table.rpartition(".")[2].strip('"')
            model.foreign = (*model.foreign, ForeignKey(name, table, target.strip('"')))


def _reference(node: ast.expr) -> str | None:
    """Return what a foreign key names, given as text or as `User.id`."""
    return _text(node) or dotted_name(node)


def _imply_keys(schema: Schema, owner_columns: frozenset[str]) -> None:
    """Read `conversation_id` as a foreign key to the conversations, where none is declared."""
    names: dict[str, TableModel] = {}
    for model in schema.models.values():
        table, snake = model.table.lower(), _SNAKE.sub("_", model.name).lower()
        names |= dict.fromkeys((table, table.removesuffix("s"), snake), model)
    for model in schema.models.values():
        declared = {key.column for key in model.foreign}
        for column in model.columns:
            named = names.get(column.lower().removesuffix("_id"))
            is_key = column.lower().endswith("_id") and column not in declared | owner_columns
            if is_key and named is not None and not named.is_user and len(named.primary) <= 1:
                target = named.primary[0] if named.primary else "id"
                model.foreign = (*model.foreign, ForeignKey(column, named.table, target))


def _find_owners(schema: Schema, owner_columns: frozenset[str]) -> None:
    for model in schema.models.values():
        named = {c for c in model.columns if c in owner_columns}
        keyed = {fk.column for fk in model.foreign if _names_user(schema, fk)}
        elsewhere = {fk.column for fk in model.foreign if not _names_user(schema, fk)}
        model.owners = tuple(c for c in model.columns if c in keyed | (named - elsewhere))
    for model in schema.models.values():
        _default_primary(model)
    grew = True
    while grew:
        grew = False
        for model in schema.models.values():
            parents = tuple(
                (fk.column, parent.key, fk.target)
                for fk in model.foreign
                if (parent := _referenced(schema, fk)) is not None
                and (parent.is_owned or parent is model)
                and not parent.is_user
            )
            grew |= parents != model.parents
            model.parents = parents
    for model in schema.models.values():
        # A reference to itself alone does not make a model owned.
        if not model.owners and all(parent == model.key for _, parent, _ in model.parents):
            model.parents = ()


def _default_primary(model: TableModel) -> None:
    if not model.primary and "id" in model.columns:
        model.primary = ("id",)
    single = set(model.primary) if len(model.primary) == 1 else set()
    named = set(model.columns) & _KEYS if model.is_user else set()
    model.unique |= single | named


def _referenced(schema: Schema, key: ForeignKey) -> TableModel | None:
    return schema.table(key.table) or schema.named(key.table)


def _names_user(schema: Schema, key: ForeignKey) -> bool:
    found = _referenced(schema, key)
    return found.is_user if found else key.table.lower() in USER_TABLES


def _find_relations(schema: Schema, model: TableModel) -> None:
    for name, relation in list(model.relations.items()):
        target = schema.named(relation.model)
        if target is None:
            del model.relations[name]
        else:
            model.relations[name] = Relation(name, target.key, relation.is_list, relation.columns)


def _relation(name: str, annotation: ast.expr | None, call: ast.Call) -> Relation:
    columns = tuple(
        name
        for keyword in call.keywords
        if keyword.arg in ("foreign_keys", "sa_relationship_kwargs")
        for name in _last_names(keyword.value)
    )
    text = _text(call.args[0]) if call.args else None
    if text is None and call.args:
        text = dotted_name(call.args[0])
    words = _type_words(annotation) if annotation is not None else []
    is_list = any(word in ("list", "List", "Sequence", "set", "Set") for word in words)
    skipped = ("list", "List", "Sequence", "set", "Set", "Optional", "Mapped", "None", "Union")
    target = text or next((word for word in words if word not in skipped), "")
    if annotation is None:
        is_list = not any(k.arg == "uselist" and not _is_true(k.value) for k in call.keywords)
        is_list = is_list and name.endswith("s")
    return Relation(name, target.rpartition(".")[2], is_list, columns)


def _last_names(node: ast.expr) -> list[str]:
    found = []
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute):
            found.append(inner.attr)
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            found.append(inner.value.strip("[]").rpartition(".")[2])
    return found


def _type_words(annotation: ast.expr) -> list[str]:
    words: list[str] = []
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            words.append(node.id)
        elif isinstance(node, ast.Attribute):
            words.append(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            cleaned = "".join(c if c.isidentifier() or c.isdigit() else " " for c in node.value)
            words += cleaned.split()
    return words


def _table_name(node: ast.ClassDef) -> str | None:
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__tablename__")], value=value):
                return _text(value)
            case ast.AnnAssign(target=ast.Name(id="__tablename__"), value=value):
                return _text(value)
            case _:
                continue
    return None


def _is_table(node: ast.ClassDef, table: str | None, lineage: list[ast.ClassDef]) -> bool:
    if any(k.arg == "table" and _is_true(k.value) for k in node.keywords):
        return True
    if table is not None:
        return True
    # A declarative class without a table name inherits one, or is a mixin or a base.
    has_columns = any(
        (dotted_name(n.func) or "").rpartition(".")[2] in ("mapped_column", "Column")
        for s in node.body
        if isinstance(s, ast.Assign | ast.AnnAssign)
        for n in [s.value]
        if isinstance(n, ast.Call)
    )
    has_base = any(
        (dotted_name(base) or "").rpartition(".")[2] in ("DeclarativeBase", "Base")
        for cls in lineage
        for base in cls.bases
    )
    is_base = any((dotted_name(b) or "").endswith("DeclarativeBase") for b in node.bases)
    return has_columns and has_base and not is_base


def _is_declared(node: ast.FunctionDef) -> bool:
    return any((dotted_name(d) or "").endswith("declared_attr") for d in node.decorator_list)


def _mentions(node: ast.expr, word: str) -> bool:
    return word in _type_words(node)


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
