"""What well-known words stand for: the kind of a field by its name, the fields of a noun."""

from decimal import Decimal

from agent.models.offline.blueprint import FieldKind, FieldSpec
from agent.models.offline.nouns import word_set

TEXT_LIMIT = Decimal(200)

_BY_NAME: dict[FieldKind, frozenset[str]] = {
    FieldKind.LONG_TEXT: word_set((
        """about answer bio biography body comment comments content contents description details
        direction directions excerpt explanation feedback ingredients instruction instructions
        message note notes reflection remark remarks review steps summary text transcript"""
    )),
    FieldKind.INTEGER: word_set((
        """age amount_of_pages attempts calories capacity count counter difficulty distance duration
        estimate floor goal height hours kilometers kilometres level likes minutes number order
        page pages points position quantity rank rating reps score seats seconds sequence servings
        sets size steps_count stock streak target times views votes weeks year years"""
    )),
    FieldKind.MONEY: word_set((
        """amount balance budget cost costs deposit discount_amount expense fare fee income limit
        payment premium price rent salary spend subtotal tax total wage"""
    )),
    FieldKind.DECIMAL: word_set(
        ("""altitude latitude longitude percent percentage rate ratio temperature weight""")
    ),
    FieldKind.BOOLEAN: word_set((
        """active answered approved archived available billable bookmarked bought checked closed
        complete completed confirmed done enabled favorite favorited favourite favourited featured
        finished flag flagged hidden important learned locked open packed paid pinned private
        public published purchased read recurring reimbursed resolved seen sold starred urgent
        verified visible watched"""
    )),
    FieldKind.DATE: word_set((
        """anniversary birthday birthdate date day dates deadline due duedate dob expiry
        expiration"""
    )),
    FieldKind.DATETIME: frozenset({"datetime", "timestamp", "time", "reminder"}),
    FieldKind.URL: word_set(("avatar homepage link permalink uri url webpage website thumbnail")),
    FieldKind.EMAIL: frozenset({"email", "mail"}),
    FieldKind.TEXT_LIST: word_set(
        ("aliases allergens authors hashtags keywords labels skills tags topics")
    ),
    FieldKind.TEXT: word_set((
        """address author brand category city code color colour company country cuisine currency
        department director emoji frequency genre icon isbn label language location make material
        mood name nickname occupation owner phone place platform postcode publisher reference
        region role room section sku source street subject symbol title topic type unit vendor
        venue zip"""
    )),
}
_KIND = {name: kind for kind, names in _BY_NAME.items() for name in names}


def kind_by_name(name: str) -> FieldKind | None:
    """Return the kind that a field's snake-case name tells, or None where it tells none."""
    if name in _KIND:
        return _KIND[name]
    words = name.split("_")
    if words[-1] == "at" and len(words) > 1:
        return FieldKind.DATETIME
    if words[-1] == "on" and len(words) > 1:
        return FieldKind.DATE
    if words[0] in {"is", "has", "was", "can", "should"} and len(words) > 1:
        return FieldKind.BOOLEAN
    if words[:2] in (["number", "of"], ["how", "many"]):
        return FieldKind.INTEGER
    return _KIND.get(words[-1])


def text(name: str, maximum: Decimal = TEXT_LIMIT) -> FieldSpec:
    """Return a required short text."""
    return FieldSpec(
        name=name, kind=FieldKind.TEXT, is_required=True, minimum=Decimal(1), maximum=maximum
    )


def optional(name: str, kind: FieldKind) -> FieldSpec:
    """Return a field that may be null; a yes/no field defaults to no."""
    default = {FieldKind.BOOLEAN: False, FieldKind.TEXT_LIST: ()}.get(kind)
    maximum = TEXT_LIMIT if kind is FieldKind.TEXT else None
    return FieldSpec(name=name, kind=kind, default=default, maximum=maximum)
