"""English nouns: one of them, many of them, and their names in snake case."""


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text that is written down as data."""
    return frozenset(text.split())


_IRREGULAR = {
    "analysis": "analyses",
    "appendix": "appendices",
    "axis": "axes",
    "basis": "bases",
    "child": "children",
    "crisis": "crises",
    "criterion": "criteria",
    "datum": "data",
    "diagnosis": "diagnoses",
    "foot": "feet",
    "goose": "geese",
    "hypothesis": "hypotheses",
    "index": "indexes",
    "man": "men",
    "matrix": "matrices",
    "medium": "media",
    "mouse": "mice",
    "movie": "movies",
    "person": "people",
    "phenomenon": "phenomena",
    "quiz": "quizzes",
    "thesis": "theses",
    "tooth": "teeth",
    "woman": "women",
}
_SINGULAR = {plural: singular for singular, plural in _IRREGULAR.items()} | {
    "indices": "index",
    "persons": "person",
}

# "-f" and "-fe" that become "-ves".
_VES = ("calf", "half", "knife", "leaf", "life", "loaf", "self", "shelf", "thief", "wife", "wolf")
_FROM_VES = {(word[:-2] if word.endswith("fe") else word[:-1]) + "ves": word for word in _VES}

# "-o" that takes "-es"; every other one takes "-s".
# Plurals that words are compounded with: "stepchildren", "bookshelves".
_COMPOUND = word_set("people children women shelves knives wives")
# "-ies" whose singular keeps the "ie".
_IE = word_set(
    """brownie calorie cookie die foodie genie hoodie lie newbie pie prairie rookie selfie smoothie
    sortie tie zombie walkie-talkie"""
)
_LONG = 5
_SHORT = 3

_OES = frozenset({"echo", "hero", "potato", "tomato", "torpedo", "veto"})

# Words in "-s" that are singular, and those whose plural in "-es" drops to "-s".
_SINGULAR_S = word_set(
    """alias atlas bias bonus bus business campus canvas cactus census chorus consensus corpus
    cosmos dais focus gas genius iris lens mars minus nexus octopus plus radius status stimulus
    surplus syllabus terminus thermos tennis trellis virus"""
)
_UNCOUNTABLE = word_set(
    """advice aircraft baggage cash clothing content data equipment feedback fish food furniture
    gear hardware homework information inventory jewellery jewelry knowledge laundry luggage mail
    media merchandise metadata money music news progress rain research rice series sheep software
    species spending staff stuff traffic transport travel trivia weather work"""
)


def singular(word: str) -> str:
    """Return the singular of a lower-case noun; a noun that has none is returned unchanged."""
    if word in _UNCOUNTABLE or word in _SINGULAR_S or word in _IRREGULAR:
        return word
    for suffix, full in (*_SINGULAR.items(), *_FROM_VES.items()):
        if word == suffix or (suffix in _COMPOUND and word.endswith(suffix)):
            return word[: -len(suffix)] + full
    if word.endswith("es") and word[:-2] in _SINGULAR_S | _OES:
        return word[:-2]
    if word.endswith("ies") and word[:-1] in _IE:
        return word[:-1]
    if word.endswith("ies") and len(word) >= _LONG:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")) and word not in _KEEP_E:
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is", "'s")) and len(word) >= _SHORT:
        return word[:-1]
    return word


# Their singular ends in "-e", whatever stands before it.
_KEEP_E = frozenset({"axes", "aches", "caches", "headaches", "niches", "moustaches"})


def plural(word: str) -> str:
    """Return the plural of a lower-case singular noun.

    A noun without a plural of its own is returned unchanged.
    """
    if word in _UNCOUNTABLE:
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _VES:
        return (word[:-2] if word.endswith("fe") else word[:-1]) + "ves"
    for irregular in ("woman", "man", "person", "child"):
        if word.endswith(irregular) and not word.endswith("human"):
            return word[: -len(irregular)] + _IRREGULAR[irregular]
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith(("s", "sh", "ch", "x", "z")) or word in _OES:
        return word + "es"
    return word + "s"


def is_plural(word: str) -> bool:
    """Tell whether a lower-case noun surely stands for many."""
    return word not in _UNCOUNTABLE and singular(word) != word


def snake(words: tuple[str, ...]) -> str:
    """Return a name in snake case."""
    return "_".join(words)


def singular_name(words: tuple[str, ...]) -> str:
    """Return the snake-case name of one: ("blog", "posts") gives `blog_post`."""
    return snake((*words[:-1], singular(words[-1])))


def plural_name(words: tuple[str, ...]) -> str:
    """Return the snake-case name of many, which always differs from that of one.

    A noun without a plural gets one that reads well in a path: `equipment_items`.
    """
    last = singular(words[-1])
    many = plural(last)
    return snake((*words[:-1], *((last, "items") if many == last else (many,))))
