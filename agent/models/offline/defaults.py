"""What well-known words stand for: the kind of a field by its name, the fields of a noun."""

from agent.models.offline.blueprint import FieldKind
from agent.models.offline.nouns import plural_name, singular, word_set

_BY_NAME: dict[FieldKind, frozenset[str]] = {
    FieldKind.LONG_TEXT: word_set(
        """about answer bio biography body comment content contents description desc details detail
        directions excerpt explanation feedback instruction instructions message note notes
        reflection remark remarks review summary text transcript caption abstract definition
        preparation thoughts annotation lyrics quote story memo"""
    ),
    FieldKind.INTEGER: word_set(
        """age attempts calories capacity count counter difficulty duration estimate floor goal
        hours level likes minutes number order page pages points position quantity qty rank rating
        reps score seats seconds sequence servings stock streak target times views votes weeks
        year years days attendees guests rounds bedrooms bathrooms mileage stars episodes
        participants portions laps sets players"""
    ),
    FieldKind.MONEY: word_set(
        """amount balance budget cost costs deposit expense fare fee fees income payment premium
        price rent salary spend subtotal tax total wage savings revenue debt"""
    ),
    FieldKind.DECIMAL: word_set(
        """altitude latitude longitude percent percentage rate ratio temperature weight height
        distance length width depth volume lat lng lon"""
    ),
    FieldKind.BOOLEAN: word_set(
        """active answered approved archived available billable bookmarked bought cancelled canceled
        checked closed complete completed completion confirmed done enabled favorite favorited
        favourite favourited featured finished flagged hidden important learned locked open packed
        paid pinned private published purchased read reimbursed resolved seen sold starred urgent
        verified visible visited watched watered returned shipped delivered overdue mastered signed
        optional-flag won vaccinated solved"""
    ),
    FieldKind.DATE: word_set(
        """anniversary birthday birthdate date day deadline due duedate dob expiry expiration
        birth"""
    ),
    FieldKind.DATETIME: word_set("datetime timestamp time reminder start end"),
    FieldKind.URL: word_set(
        "avatar homepage link permalink uri url webpage website thumbnail linkedin"
    ),
    FieldKind.EMAIL: word_set("email"),
    FieldKind.TEXT_LIST: word_set(
        """aliases allergens authors hashtags keywords labels skills tags topics ingredients genres
        symptoms allergies languages interests hobbies synonyms steps"""
    ),
    FieldKind.TEXT: word_set(
        """address author brand category city code color colour company country cuisine currency
        department director emoji first-name frequency genre icon isbn label language last-name
        location make material model mood name nickname occupation owner phone place platform
        postcode publisher reference region role room section sku source street subject symbol
        title topic type unit vendor venue zip term question word breed species species-name job
        position-title surname gender size merchant teacher instructor artist album format file-name
        sport exercise muscle airline destination origin doctor dosage hotel key status priority
        state stage severity kind method team organization organisation manufacturer store
        headline plate vin barcode customer client supplier recipient sender payee account"""
    ),
}
_KIND = {name: kind for kind, names in _BY_NAME.items() for name in names}

# Text that a row is hardly worth storing without; required where nothing else is said.
ESSENTIAL = word_set(
    """title name subject content body text url link amount question term word headline label
    first-name"""
)
# Bounded by what they are.
NOT_NEGATIVE = word_set(
    """quantity qty count stock price amount cost fee pages page calories servings duration minutes
    seconds hours age capacity weight height distance year"""
)

TASK_FIELDS = "title!, description, completed"
# The fields of well-known nouns: "!" marks a required one, a kind or choices stand in brackets.
USUAL: dict[str, str] = {
    name: fields
    for names, fields in {
        "task todo subtask to_do chore sub_task": TASK_FIELDS,
        "note memo": "title!, content, pinned",
        "project": "name!, description",
        "expense": "amount!, category, date, notes",
        "income transaction": "amount!, description, date",
        "contact": "name!, email, phone, notes",
        "person": "name!, email, phone, notes",
        "customer client": "name!, email, phone, company, notes",
        "company": "name!, website, notes",
        "bookmark": "url!, title, notes, tags",
        "link": "url!, title",
        "habit": "name!, description, active",
        "comment": "content!",
        "category folder list group collection label board tag notebook album section area": (
            "name!, description"
        ),
        "event appointment": "title!, description, location, starts_at!, ends_at",
        "meeting": "title!, agenda (long text), location, starts_at!, ends_at",
        "reminder": "title!, remind_at!, done",
        "book": "title!, author, isbn, pages, read",
        "movie film show": "title!, director, year, watched",
        "game": "title!, platform, finished",
        "song": "title!, artist, album, year",
        "recipe": "title!, description, ingredients, instructions, servings",
        "ingredient": "name!, quantity, unit",
        "meal": "name!, date, calories, notes",
        "product item article": "name!, description, price, quantity",
        "shopping_item shopping_list_item grocery grocery_item": "name!, quantity, bought",
        "order": "reference!, total, status (open, paid, shipped, cancelled), notes",
        "invoice": "number (text)!, amount!, due_date, paid",
        "payment": "amount!, date, reference, notes",
        "subscription": "name!, amount!, renewal_date, active",
        "budget": "name!, amount!, notes",
        "goal": "title!, description, target_date, achieved (yes/no)",
        "workout": "name!, date, duration, notes",
        "exercise": "name!, description, reps, sets (whole number)",
        "post blog_post": "title!, content!, published",
        "entry journal_entry diary_entry": "title!, content, date",
        "message": "content!",
        "review": "title!, content, rating",
        "quote": "text!, author, source",
        "question": "question!, answer",
        "flashcard card": "front (long text)!, back (long text)!",
        "deck": "name!, description",
        "trip": "destination!, start_date, end_date, notes",
        "course": "title!, description, instructor",
        "lesson": "title!, content, position",
        "student member patient pet teacher employee": "name!, notes",
        "issue ticket bug": "title!, description, status (open, in_progress, closed)",
        "milestone sprint": "title!, description, due_date, completed",
        "column stage": "name!, position",
        "plant": "name!, species, location, notes",
        "vehicle car": "name!, make, model, year",
        "job_application application": "company!, position (text)!, status (applied, interview, "
        "offer, rejected), notes",
        "deal lead": "title!, amount, notes",
        "idea": "title!, description",
        "document page": "title!, content",
        "measurement": "name!, value (decimal)!, unit, measured_at",
        "check_in checkin": "date!, notes",
        "session_log log time_entry": "description!, date, minutes",
        "wish wishlist_item": "name!, url, price",
        "snippet": "title!, code (long text)!, language",
        "address": "street!, postcode, city!, country",
        "place location": "name!, address, notes",
    }.items()
    for name in names.split()
}
# Fields that well-known nouns often have too; taken where a list is to be sorted by one.
EXTRAS = {
    "task": "due_date, priority, tags",
    "todo": "due_date, priority, tags",
    "note": "tags, category",
    "expense": "currency, merchant",
    "book": "genre, year, rating, tags",
    "project": "due_date, status (planned, active, done), deadline",
    "movie": "genre, rating",
    "recipe": "category, tags",
    "contact": "birthday, company, tags",
}
GENERIC_FIELDS = "name!, description"

# Words for applications that are named after something else than what they store.
STANDS_FOR = {
    "blog": "posts",
    "journal": "journal entries",
    "diary": "diary entries",
    "calendar": "events",
    "address book": "contacts",
    "reading list": "books",
    "watchlist": "movies",
    "cookbook": "recipes",
    "wishlist": "wishlist items",
    "wish list": "wishlist items",
    "shopping list": "shopping list items",
    "grocery list": "grocery items",
    "todo": "todos",
    "todo list": "todos",
    "task list": "tasks",
    "inventory": "items",
    "expense": "expenses",
    "budgeting": "budgets",
    "spending": "expenses",
    "note taking": "notes",
    "notetaking": "notes",
    "flashcards": "flashcards",
    "bookmarking": "bookmarks",
    "blogging": "posts",
    "time": "time entries",
}


_WHOLES = word_set("collection catalog catalogue inventory")


def stands_for(words: tuple[str, ...], *, is_plain: bool) -> tuple[str, ...]:
    """Return what a name stands for: posts for a blog, wines for a plain wine collection."""
    said = " ".join(words)
    if said in STANDS_FOR:
        return tuple(STANDS_FOR[said].split())
    if is_plain and len(words) > 1 and words[-1] in _WHOLES:
        return tuple(plural_name(words[:-1]).split("_"))
    return words


def kind_by_name(name: str) -> FieldKind | None:
    """Return the kind that a field's snake-case name tells, or None where it tells none."""
    if (kind := _KIND.get(name.replace("_", "-"))) is not None:
        return kind
    *front, last = name.split("_")
    if front:
        return _kind_by_words(name, front, last)
    return FieldKind.BOOLEAN if last.endswith("ed") else None


def is_state(word: str) -> bool:
    """Tell whether a word is a well-known yes/no: "completed", "pinned"."""
    return word in _BY_NAME[FieldKind.BOOLEAN]


def _kind_by_words(name: str, front: list[str], last: str) -> FieldKind | None:
    if last in _KIND_BY_END:
        return _KIND_BY_END[last]
    if front[0] in _STATES or name in _STATE_NAMES:
        return FieldKind.BOOLEAN
    if "of" in front[1:2] or front[1:] == ["of"]:
        return FieldKind.INTEGER if front[0] in {"number", "count"} else _KIND.get(front[0])
    if last in {"number", "id"} and front[0] in _NUMBERED_TEXT:
        return FieldKind.TEXT
    if last in _UNIT_KIND:
        return _KIND.get(front[-1]) or FieldKind.INTEGER
    return _KIND.get(last)


_KIND_BY_END = {"at": FieldKind.DATETIME, "on": FieldKind.DATE}
_STATES = word_set("is has was can should")
_STATE_NAMES = word_set("in_stock on_sale on_hold")
# "phone number" is no number to count with.
_NUMBERED_TEXT = word_set(
    """phone telephone mobile serial invoice order account tracking reference house passport iban
    card license licence registration flight ticket policy model part contract customer room
    contact fax vat tax bank"""
)
_UNIT_KIND = word_set("seconds minutes hours days weeks months years")


def is_known_noun(name: str) -> bool:
    """Tell whether a resource's snake-case name is one whose fields are known."""
    return name in USUAL or singular(name.rsplit("_", 1)[-1]) in USUAL


def usual_fields(name: str) -> str:
    """Return the usual fields of a resource, written as in `USUAL`."""
    if name in USUAL:
        return USUAL[name]
    return USUAL.get(singular(name.rsplit("_", 1)[-1]), GENERIC_FIELDS)
