"""Where the names come from that generated modules use."""

from collections.abc import Iterable

from agent.models.offline.importing import Catalogue, Import

_MEMBERS = {
    "collections": ("Counter",),
    "collections.abc": ("Iterable", "Sequence"),
    "decimal": ("Decimal",),
    "fastapi": ("APIRouter", "Depends", "HTTPException", "Query", "status"),
    "pydantic": (
        "AfterValidator",
        "AwareDatetime",
        "BaseModel",
        "BeforeValidator",
        "ConfigDict",
        "Field",
        "FiniteFloat",
        "MISSING",
        "StrictBool",
        "WithJsonSchema",
    ),
    "sqlalchemy": ("UnaryExpression",),
    "sqlalchemy.dialects.postgresql": ("ARRAY",),
    "sqlmodel": ("Session", "SQLModel", "col", "func", "nulls_last", "or_", "select"),
    "typing": ("Annotated", "Any", "Literal", "TypeVar", "get_args"),
    "uuid": ("UUID", "uuid4"),
}
_MODULES = {"builtins": "builtins", "dt": "datetime", "re": "re", "sa": "sqlalchemy"}

# The types that request bodies and query parameters share.
SHARED_TYPES = frozenset(
    {
        "BigInteger",
        "Date",
        "Email",
        "Integer",
        "Key",
        "ListQuery",
        "MAX_INTEGER",
        "MAX_SAFE_INTEGER",
        "MIN_INTEGER",
        "Money",
        "Number",
        "RequestBody",
        "RowId",
        "SearchText",
        "Text",
        "Url",
        "UtcDatetime",
        "VisibleText",
        "require_number",
        "require_visible",
    }
)
# What some of them are made of.
_PARTS = {
    "BigInteger": {"MAX_SAFE_INTEGER"},
    "Integer": {"MAX_INTEGER", "MIN_INTEGER"},
    "Key": {"RowId", "MAX_INTEGER", "require_number"},
    "ListQuery": {"MAX_INTEGER"},
    "MIN_INTEGER": {"MAX_INTEGER"},
    "RowId": {"MAX_INTEGER"},
}
ERROR_RESPONSES = frozenset({"NOT_FOUND", "READ_ERRORS", "WRITE_ERRORS"})

LIBRARY: Catalogue = {
    name: Import(module, name) for module, names in _MEMBERS.items() for name in names
} | {used: Import(module) for used, module in _MODULES.items()}

RATE_LIMIT: Catalogue = {
    name: Import("utils.rate_limit", name) for name in ("RateLimiter", "TOO_MANY")
}
# What the endpoints use at which a backend signs users up and in itself.
SIGN_IN: Catalogue = {
    **RATE_LIMIT,
    "IntegrityError": Import("sqlalchemy.exc", "IntegrityError"),
    "hash_password": Import("utils.passwords", "hash_password"),
    "is_password_of": Import("utils.passwords", "is_password_of"),
    "issue_token": Import("utils.jwt", "issue_token"),
    "unauthorized": Import("dependencies", "unauthorized"),
    **{
        name: Import("schemas.auth", name)
        for name in ("SignInRequest", "SignUpRequest", "TokenResponse")
    },
}

# In `models.py`, `Field` is the one of a table model.
TABLE_LIBRARY: Catalogue = {**LIBRARY, "Field": Import("sqlmodel", "Field")}


def with_parts(names: Iterable[str]) -> frozenset[str]:
    """Return shared types together with those that they are made of."""
    found = set(names) & SHARED_TYPES
    return frozenset(found.union(*(_PARTS.get(name, set()) for name in found)))
