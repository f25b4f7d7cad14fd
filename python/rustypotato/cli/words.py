"""Words of a line, and texts in quotes, in redis-cli's grammar."""

from __future__ import annotations

_ESCAPES = {ord("n"): 10, ord("r"): 13, ord("t"): 9, ord("b"): 8, ord("a"): 7}
_SPACES = b" \t\n\v\f\r"  # between words
_ENDS = b" \t\n\r"  # what ends a word: fewer
_HEX = b"0123456789abcdefABCDEF"
_QUOTE, _SINGLE, _BACKSLASH = ord('"'), ord("'"), ord("\\")

_REPR = [
    bytes([c]) if 32 <= c < 127 else b"\\x%02x" % c for c in range(256)
]  # what quoted() prints for each byte
for _name, _code in (*((chr(k), v) for k, v in _ESCAPES.items()), ("\\", 92), ('"', 34)):
    _REPR[_code] = b"\\" + _name.encode()


def quoted(text: bytes) -> bytes:
    r"""A text in double quotes, with \n, \x00 and the like inside."""
    return b'"' + b"".join([_REPR[c] for c in text]) + b'"'


class BadQuotes(ValueError):
    """A quote that is not closed, or that is closed in the middle of a word.

    Attributes:
        is_open: whether more text could make it right.
    """

    def __init__(self, is_open: bool) -> None:
        super().__init__("Invalid argument(s)")
        self.is_open = is_open


def split(line: bytes) -> list[bytes]:
    r"""The words of a line. "..." knows \n \r \t \b \a \xHH, '...' knows \' only.

    Raises BadQuotes.
    """
    words: list[bytes] = []
    at, end = 0, len(line)
    while True:
        while at < end and line[at] in _SPACES:
            at += 1
        if at == end:
            return words
        word = bytearray()
        at = _take_word(line, at, word)
        words.append(bytes(word))


def _take_word(line: bytes, at: int, word: bytearray) -> int:
    """Appends a word to `word` and returns where it ends."""
    while at < len(line) and line[at] not in _ENDS:
        if line[at] not in (_QUOTE, _SINGLE):
            word.append(line[at])
            at += 1
            continue
        at = (_take_double if line[at] == _QUOTE else _take_single)(line, at + 1, word)
        if at < len(line) and line[at] not in _SPACES:
            raise BadQuotes(is_open=False)
        return at
    return at


def _take_double(line: bytes, at: int, word: bytearray) -> int:
    while at < len(line):
        c = line[at]
        if c == _QUOTE:
            return at + 1
        if c == _BACKSLASH and at + 1 < len(line):
            pair = line[at + 2 : at + 4]
            if line[at + 1] == ord("x") and len(pair) == 2 and all(d in _HEX for d in pair):
                word.append(int(pair, 16))
                at += 4
            else:
                word.append(_ESCAPES.get(line[at + 1], line[at + 1]))
                at += 2
        else:
            word.append(c)
            at += 1
    raise BadQuotes(is_open=True)


def _take_single(line: bytes, at: int, word: bytearray) -> int:
    while at < len(line):
        c = line[at]
        if c == _SINGLE:
            return at + 1
        if c == _BACKSLASH and line[at + 1 : at + 2] == b"'":
            word.append(_SINGLE)
            at += 2
        else:
            word.append(c)
            at += 1
    raise BadQuotes(is_open=True)


def unquote(text: bytes) -> bytes | None:
    """One word that may be in quotes (--quoted-input); None when it is not just one."""
    try:
        words = split(text)
    except BadQuotes:
        return None
    return words[0] if len(words) == 1 else None
