"""What people search by: words beside the terms of `filters`, in one language wherever it is typed.

    severity:critical target.bu:payments -state:fixed seen:<7d "sql injection" login* -staging

What is no term is words, all of which must be there, in title, description, host, URL, parameter, weakness or CVE,
whatever their case. A word is letters and digits: `CVE-2024-1234`, `10.0.0.7` and what stands in double quotes are
words that follow one another. `-` before them means *not*; one word may end with `*`, and go on as it likes.
"""

import re
from dataclasses import dataclass

from purple.domain.errors import InvalidInputError
from purple.domain.filters import TERM, Term, after, bounded, term_of, unreadable

MAX_PHRASES = 20
MAX_TOKENS = 20
"""Words that follow one another."""
MAX_TOKEN = 255
"""Letters of a word; PostgreSQL keeps words of up to 2,046 bytes."""
_WORD = re.compile(r"[^\W_]+")
_BLANKS = {code: " " for code in range(128) if not _WORD.match(chr(code))}
"""Of ASCII, what is of no word."""
_PHRASE = re.compile(r'(?P<not>-?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s"]+))(?=\s|\Z)')
_FIELD = re.compile(r"-?[A-Za-z_.]+:")
"""What is meant as a term."""
_URL = re.compile(r"-?[a-z][a-z0-9+.-]*://")
"""What looks like a term and is none."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow one another in a text."""

    tokens: tuple[str, ...]
    open: bool = False
    """Whether the only one of them may go on."""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A query, as it was read."""

    terms: tuple[Term, ...] = ()
    phrases: tuple[Phrase, ...] = ()


def folded(text: str) -> str:
    """Its words with blanks between, in lower case: what is kept to be searched."""
    lower = text.lower()
    # most texts are ASCII, and all that is not of a word is made a blank in a third of the time
    return " ".join(lower.translate(_BLANKS).split() if lower.isascii() else _WORD.findall(lower))


def parse_query(text: str, field: str = "q") -> Written:
    """Read a query.

    Args:
        text: as it was typed.
        field: where it stood, for what is wrong with it.

    Raises:
        InvalidInputError: it is not written by the grammar, or too long.
    """
    if "\x00" in text:
        raise unreadable(text, text.index("\x00"))
    terms: list[Term] = []
    phrases: list[Phrase] = []
    position = after(text, 0)
    while position < len(text):
        if not _URL.match(text, position) and (match := TERM.match(text, position)):
            terms.append(term_of(match, text))
        elif (match := _PHRASE.match(text, position)) and _is_words(match["bare"] or ""):
            phrases.append(_phrase(match, text, field))
        else:
            raise unreadable(text, position)
        position = after(text, match.end())
    if len(phrases) > MAX_PHRASES:
        raise _refused(f"a query has at most {MAX_PHRASES} words", text, "use fewer, or put some in quotes", field)
    return Written(bounded(terms), tuple(phrases))


def _is_words(bare: str) -> bool:
    return bool(_URL.match(bare)) or not _FIELD.match(bare)


def _phrase(match: re.Match[str], text: str, field: str) -> Phrase:
    bare, quoted = match["bare"], match["quoted"]
    tokens = tuple(folded(bare if bare is not None else re.sub(r"\\(.)", r"\1", quoted)).split())
    is_open = bare is not None and bare.endswith("*")
    if not tokens:
        raise _refused(f"{match[0]} holds no letter or digit", text, "leave it out, or search for words", field)
    if len(tokens) > (1 if is_open else MAX_TOKENS):
        said = "only a single word can end with *" if is_open else f"at most {MAX_TOKENS} words follow one another"
        raise _refused(said, text, "use a shorter one", field)
    if max(map(len, tokens)) > MAX_TOKEN:
        raise _refused(f"a word has at most {MAX_TOKEN} letters", text, "use a shorter one", field)
    return Phrase(tokens, is_open, bool(match["not"]))


def _refused(said: str, text: str, remedy: str, field: str) -> InvalidInputError:
    return InvalidInputError(said, field=field, value=text, remedy=remedy)


def marks(text: str, phrases: tuple[Phrase, ...]) -> tuple[tuple[int, int], ...]:
    """Where a text holds what was searched for: start and end of each place, in characters and in order.

    What is shown is the text itself with these places told apart, so nothing in it is ever markup.
    """
    words = [(match.start(), match.end(), match[0].lower()) for match in _WORD.finditer(text)]
    found: list[tuple[int, int]] = []
    for phrase in phrases:
        if phrase.negated:
            continue
        length = len(phrase.tokens)
        runs = (words[at : at + length] for at in range(len(words) - length + 1))
        found += [(run[0][0], run[-1][1]) for run in runs if _is(phrase, [each[2] for each in run])]
    return _merged(found)


def _is(phrase: Phrase, tokens: list[str]) -> bool:
    return tokens[0].startswith(phrase.tokens[0]) if phrase.open else tuple(tokens) == phrase.tokens


def _merged(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    made: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if made and start <= made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((start, end))
    return tuple(made)
