"""Splits Rust source into tokens, without comments."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<blank>\s+|//[^\n]*)
    | (?P<string>[bc]?"(?:\\.|[^"\\])*")
    | (?P<char>b?'(?:\\x[0-9a-fA-F]{2}|\\u\{[0-9a-fA-F_]+\}|\\.|[^'\\])')
    | (?P<lifetime>'[^\W\d]\w*)
    | (?P<name>(?:r\#)?[^\W\d]\w*)
    | (?P<number>\d[\w.]*)
    | (?P<mark>::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_RAW_START = re.compile(r'(?:br|cr|r)(#*)"')


@dataclass(frozen=True)
class Token:
    """A name, a mark, or a literal. `kind` is `name`, `mark`, `string` or `other`."""

    kind: str
    text: str
    line: int


def tokens_of(source: str) -> list[Token]:
    """Returns the tokens of a file."""
    tokens: list[Token] = []
    position, line = 0, 1
    while position < len(source):
        raw = _RAW_START.match(source, position)
        if raw:
            closing = '"' + raw.group(1)
            end = source.find(closing, raw.end())
            end = len(source) if end < 0 else end + len(closing)
            tokens.append(Token("string", source[raw.end() : end - len(closing)], line))
        elif source.startswith("/*", position):
            end = _end_of_comment(source, position)
        else:
            match = _TOKEN.match(source, position)
            assert match is not None, "the last alternative matches any character"
            end = match.end()
            token = _token(match, line)
            if token:
                tokens.append(token)
        line += source.count("\n", position, end)
        position = end
    return tokens


def _token(match: re.Match[str], line: int) -> Token | None:
    kind, text = match.lastgroup, match.group()
    if kind == "blank":
        return None
    if kind == "name":
        return Token("name", text.removeprefix("r#"), line)
    if kind == "mark":
        return Token("mark", text, line)
    if kind == "string":
        return Token("string", text[text.index('"') + 1 : -1], line)
    return Token("other", text, line)


def _end_of_comment(source: str, position: int) -> int:
    """Block comments nest."""
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(source, position):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return len(source)
