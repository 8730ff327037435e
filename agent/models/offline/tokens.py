"""A request's text, cut into sentences of tokens that know where they stand."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Kind = Literal["word", "number", "path", "mark", "item", "unknown"]


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number, path or punctuation mark.

    Attributes:
        kind: What it is; an `item` starts a bullet, `unknown` is text that no rule can read.
        text: As the request has it.
        norm: Lower case, with the parts of `dueDate`, `due_date` and `due-date` joined by `-`.
        start: Its first character in the request.
        end: The character after its last one.
    """

    kind: Kind
    text: str
    norm: str
    start: int
    end: int

    @property
    def parts(self) -> tuple[str, ...]:
        """The words that it is made of."""
        return tuple(part for part in self.norm.split("-") if part)


Sentence = tuple[Token, ...]

# Capitals inside these names do not start a word.
_NAMES = frozenset(
    """better-auth chatgpt dynamodb fastapi firebase github gitlab graphql grpc icloud ios
    javascript jwt jwts linkedin mariadb mongodb mysql nestjs nextjs nosql oauth openai openapi
    paypal postgres postgresql postgrest pydantic rabbitmq restful sqlalchemy sqlite sqlmodel
    stripe supabase tiktok typescript urls ids crud cruds apis vuejs websocket websockets whatsapp
    youtube isbns faqs pdfs csvs sms""".split()  # noqa: SIM905 - data reads best as text
)

_PATTERN = re.compile(
    r"""
    (?P<path>(?<![\w/])/(?:[A-Za-z{][\w{}.~-]*)(?:/[\w{}.~-]+)+/?)
  | (?P<number>(?<![\w.])-?\d{1,3}(?:,\d{3})+(?![\d,]) | (?:(?<![\w)\].])-)?\d+(?:\.\d+)?)
  | (?P<short>(?<!\w)[wW]/(?:[oO](?!\w))?)
  | (?P<word>[^\W\d_](?:\w|['\u2019](?=[^\W\d_])|-(?=\w))*(?:\(s\)|['\u2019])?)
  | (?P<mark><=|>=|\.\.+|[,;:.!?()\[\]/=<>|{}&+%\#-])
  | (?P<unknown>\S)
    """,
    re.VERBOSE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BULLET = re.compile(r"[ \t]*(?:[-*\u2022\u2023\u25e6\u2013\u2014+]|\(?\d{1,2}[.)]|[a-z]\))[ \t]+")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]+")
_EXAMPLE = re.compile(r"\b(?:e\.g\.|i\.e\.|eg\.|ie\.),?", re.IGNORECASE)
_TODO = re.compile(r"\bto[ -]do(?=s?\b)(?:'(?=s))?", re.IGNORECASE)
_DECORATION = re.compile(
    r"[`*\"\u201c\u201d\u201e\u00ab\u00bb]|(?<!\w)['\u2018\u2019](?=\w)|(?<=\w)['\u2019](?=[\s,.;:)]|$)(?<!s['\u2019])"
)
_DASH = re.compile("[\u2010-\u2015]")
_SHORT_LINE = 60

_UNITS = dict(
    zip(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
        fifteen sixteen seventeen eighteen nineteen twenty""".split(),  # noqa: SIM905
        range(21),
        strict=True,
    )
)
_TENS = {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_SMALL = _UNITS | _TENS


def sentences(request: str) -> Iterator[Sentence]:
    """Yield the request's sentences.

    A bulleted list belongs to the line above it; a bullet below a bullet belongs to that one.
    """
    current: list[Token] = []
    for line in _lines(request):
        starts_anew = line.depth is None and not _continues(current, line)
        if starts_anew or (line.depth is not None and line.closes):
            yield from _cut(current)
            current = []
        if line.depth is not None:
            if _opens_list(current, line):
                current.append(Token("mark", "", ":", line.start, line.start))
            current.append(Token("item", "", "•", line.start, line.start))
        current += line.tokens
    yield from _cut(current)


def _opens_list(current: list[Token], line: "_Line") -> bool:
    """Tell whether a bullet starts a list that lacks its colon."""
    if not current or current[-1].norm == ":":
        return False
    is_first = not any(token.kind == "item" for token in current)
    return line.opens or (is_first and current[-1].norm not in {".", "with", "for", "and", "of"})


def number_of(norm: str) -> Decimal | None:
    """Return the value of a number as the tokens hold it, or None for other text."""
    try:
        value = Decimal(norm)
    except ArithmeticError:
        return None
    return value if value.is_finite() else None


@dataclass(frozen=True)
class _Line:
    """One line: its tokens and, of a bullet, how deep it stands and what that changes."""

    tokens: tuple[Token, ...]
    start: int
    depth: int | None = None
    opens: bool = False
    closes: bool = False
    is_after_blank: bool = False
    is_heading: bool = False


def _lines(request: str) -> Iterator[_Line]:
    start, depth, blank = 0, None, False
    first_depth: int | None = None
    for raw in request.splitlines(keepends=True):
        text = raw.expandtabs(4) if "\t" in raw else raw
        if not text.strip():
            blank = True
        elif (bullet := _BULLET.match(text)) and text[bullet.end() :].strip():
            here = len(text) - len(text.lstrip())
            first_depth = here if first_depth is None else first_depth
            tokens = _tokens(raw, start + _bullet_length(raw))
            opens = depth is not None and here > depth
            closes = depth is not None and here < depth
            yield _Line(tokens, start, here, opens, closes, blank)
            depth, blank = here, False
        else:
            heading = _HEADING.match(text)
            offset = heading.end() if heading else 0
            yield _Line(
                _tokens(raw, start + offset, offset),
                start,
                is_after_blank=blank,
                is_heading=bool(heading),
            )
            depth, blank = None, False
        start += len(raw)


def _bullet_length(raw: str) -> int:
    match = _BULLET.match(raw)
    return match.end() if match else 0


def _tokens(raw: str, start: int, offset: int | None = None) -> tuple[Token, ...]:
    offset = _bullet_length(raw) if offset is None else offset
    text = raw[offset:]
    text = _EXAMPLE.sub(lambda match: " " * len(match[0]), text)
    text = _TODO.sub(lambda match: "todo" + "\x01" * (len(match[0]) - 4), text)
    text = _DECORATION.sub(" ", text)
    text = _DASH.sub("-", text)
    found = [token for match in _PATTERN.finditer(text) for token in _token(match, start)]
    return _join_numbers(tuple(found))


def _token(match: re.Match[str], start: int) -> Iterator[Token]:
    kind, text = match.lastgroup or "unknown", match[0]
    first, last = start + match.start(), start + match.end()
    if kind == "word":
        norm = _norm(text)
        is_readable = norm.isascii()
        yield Token("word" if is_readable else "unknown", text, norm, first, last)
    elif kind == "short":
        yield Token("word", text, "without" if len(text) > len("w/") else "with", first, last)
    elif kind == "number":
        yield Token("number", text, text.replace(",", ""), first, last)
    elif kind == "path":
        yield Token("path", text.rstrip("."), text.rstrip(".").lower(), first, last)
    elif kind == "mark":
        norm = {"&": "and", "+": "and"}.get(text, text)
        yield Token("word" if norm == "and" else "mark", text, norm, first, last)
    elif text != "\x01" and unicodedata.category(text) not in {"So", "Sk", "Cf", "Mn"}:
        yield Token("unknown", text, text, first, last)


def _norm(text: str) -> str:
    word = text.replace("\u2019", "'").replace("(s)", "s").removesuffix("'")
    if word.lower() in _NAMES or word.isupper():
        return word.lower().replace("_", "-").strip("-")
    spaced = _CAMEL.sub("-", word).replace("_", "-")
    return re.sub("-+", "-", spaced).strip("-").lower() or word.lower()


def _join_numbers(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Turn numbers in words into numbers: "two hundred", "twenty-five"."""
    result: list[Token] = []
    index = 0
    while index < len(tokens):
        value, count = _number_words(tokens, index)
        if count:
            first, last = tokens[index], tokens[index + count - 1]
            text = " ".join(token.text for token in tokens[index : index + count])
            result.append(Token("number", text, str(value), first.start, last.end))
        else:
            result.append(tokens[index])
        index += count or 1
    return tuple(result)


def _number_words(tokens: tuple[Token, ...], index: int) -> tuple[int, int]:
    total = value = count = 0
    # "one" is a number only where a unit follows; elsewhere it is a pronoun ("one of").
    if tokens[index].norm == "one" and not _is_counted(tokens, index):
        return 0, 0
    for token in tokens[index:]:
        if token.kind != "word":
            break
        parts = token.parts
        if all(part in _SMALL for part in parts):
            if count and not value and not total:
                break
            value += sum(_SMALL[part] for part in parts)
        elif token.norm in _SCALES and count:
            scale = _SCALES[token.norm]
            if scale == _SCALES["hundred"]:
                value *= scale
            else:
                total, value = total + value * scale, 0
        else:
            break
        count += 1
    return total + value, count


def _is_counted(tokens: tuple[Token, ...], index: int) -> bool:
    before = tokens[index - 1].norm if index else ""
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    if before in {"between", "from", "least", "most", "than", "minimum", "maximum", "max", "min"}:
        return True
    return after is not None and (
        after.kind == "number"
        or after.norm in {"hundred", "thousand", "million", "to", "call", "request", "character"}
    )


def _continues(current: list[Token], line: _Line) -> bool:
    """Tell whether a line carries on the sentence of the line before it."""
    if not current or line.is_after_blank or line.is_heading or not line.tokens:
        return False
    last = current[-1]
    if last.norm in {",", "and", "or", "with", ":", "(", "for", "by", "of", "a", "the", "has"}:
        return True
    if last.norm in {".", "!", "?", ";"} or any(token.kind == "item" for token in current):
        return False
    width = last.end - current[0].start
    return line.tokens[0].text[:1].islower() and width >= _SHORT_LINE


def _cut(tokens: list[Token]) -> Iterator[Sentence]:
    """Yield the sentences of a block, cut at full stops outside brackets."""
    current: list[Token] = []
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token.norm in "([{") - (token.norm in ")]}") if token.kind == "mark" else 0
        is_stop = token.kind == "mark" and (
            token.norm in {"!", ";"}
            or (token.norm == "." and not _is_glued(tokens, index))
            or (token.norm == "?" and _ends(tokens, index))
        )
        if is_stop and (depth <= 0 or token.norm != ";"):
            depth = 0
            if current:
                yield tuple(current)
            current = []
        else:
            current.append(token)
    if current:
        yield tuple(current)


def _is_glued(tokens: list[Token], index: int) -> bool:
    """Tell whether a full stop stands inside a name, as in `main.py`."""
    return index + 1 < len(tokens) and tokens[index + 1].start == tokens[index].end


def _ends(tokens: list[Token], index: int) -> bool:
    """Tell whether a question mark ends a sentence, and does not mark a field as optional."""
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    return following is None or (following.norm not in {",", ")", "]"} and following.kind != "item")
