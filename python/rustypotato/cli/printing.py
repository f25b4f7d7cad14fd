"""Replies as redis-cli prints them. Pure: replies in, bytes out."""

from __future__ import annotations

from dataclasses import dataclass

from ..wire.resp import Reply
from .words import quoted

STANDARD, RAW, CSV, JSON, QUOTED_JSON = "standard", "raw", "csv", "json", "quoted-json"


@dataclass
class Style:
    """How replies are printed.

    Attributes:
        delimiter: between the elements of one reply, when raw.
        end: after each reply, when raw.
    """

    mode: str = STANDARD
    delimiter: bytes = b"\n"
    end: bytes = b"\n"


_JSON_ESCAPES = {
    ord("\\"): b"\\\\",
    ord('"'): b'\\"',
    ord("\n"): b"\\n",
    ord("\f"): b"\\f",
    ord("\r"): b"\\r",
    ord("\t"): b"\\t",
    ord("\b"): b"\\b",
}
_JSON = [_JSON_ESCAPES.get(c) or (b"\\u%04x" % c if c < 32 else bytes([c])) for c in range(256)]
_EMPTY = {"*": b"(empty array)\n", "%": b"(empty hash)\n", "~": b"(empty set)\n"}
_EMPTY[">"] = b"(empty push)\n"
_MARKS = {"~": b"~", "%": b"#"}


def shown(reply: Reply, style: Style, verbatim: bool = False) -> bytes:
    """A reply with all that follows it.

    Args:
        verbatim: the text itself, as for INFO; the style does not matter.
    """
    if verbatim:
        return raw(reply, style.delimiter)
    if style.mode == STANDARD:
        return standard(reply)
    if style.mode == RAW:
        return raw(reply, style.delimiter) + style.end
    if style.mode == CSV:
        return csv(reply) + b"\n"
    return json(reply, _JSON_TEXTS[style.mode]) + b"\n"


# ---- for people ----------------------------------------------------------------------------------


def standard(reply: Reply, prefix: bytes = b"") -> bytes:
    """Typed and numbered, with a line end.

    Args:
        prefix: what stands before each line but the first.
    """
    kind, value = reply.kind, reply.value
    if isinstance(value, list):
        return _aggregate(kind, value, prefix)
    if kind == "$":
        return quoted(value) + b"\n"
    if kind in "+=(":
        return bytes(value) + b"\n"
    if kind == ":":
        return b"(integer) %d\n" % value
    if kind == ",":
        return b"(double) " + bytes(value) + b"\n"
    if kind == "_":
        return b"(nil)\n"
    if kind == "#":
        return b"(true)\n" if value else b"(false)\n"
    return b"(error) " + bytes(value) + b"\n"


def _aggregate(kind: str, items: list[Reply], prefix: bytes) -> bytes:
    if not items:
        return _EMPTY[kind]
    step = 2 if kind == "%" else 1
    width = len(str(len(items) // step))
    inner = prefix + b" " * (width + 2)
    out = []
    for at in range(0, len(items), step):
        number = str(at // step + 1).rjust(width).encode()
        out.append((prefix if at else b"") + number + _MARKS.get(kind, b")") + b" ")
        out.append(standard(items[at], inner))
        if step == 2:
            out[-1] = out[-1][:-1] + b" => "
            if _has_lines(items[at + 1]):
                out.append(b"\n" + inner)
            out.append(standard(items[at + 1], inner))
    return b"".join(out)


def _has_lines(reply: Reply) -> bool:
    """Whether a value is printed as several lines."""
    if not reply.is_aggregate or not reply.value:
        return False
    one = 2 if reply.kind == "%" else 1
    return len(reply.value) > one or _has_lines(reply.value[one - 1])


# ---- for programs --------------------------------------------------------------------------------


def raw(reply: Reply, delimiter: bytes) -> bytes:
    """The texts alone."""
    kind, value = reply.kind, reply.value
    if kind == "%":
        pairs = zip(value[::2], value[1::2])
        return delimiter.join(raw(k, delimiter) + b" " + raw(v, delimiter) for k, v in pairs)
    if isinstance(value, list):
        return delimiter.join(raw(item, delimiter) for item in value)
    if kind == "-":
        return bytes(value) + b"\n"
    if kind == "_":
        return b""
    if kind == "#":
        return b"(true)" if value else b"(false)"
    return b"%d" % value if kind == ":" else bytes(value)


def csv(reply: Reply) -> bytes:
    """One line; what is nested is flat."""
    kind, value = reply.kind, reply.value
    if isinstance(value, list):
        return b",".join(csv(item) for item in value)
    if kind in "$+=":
        return quoted(value)
    if kind == "-":
        return b"ERROR," + quoted(value)
    return _plain(reply, b"NULL")


def _plain(reply: Reply, null: bytes) -> bytes:
    if reply.kind == "_":
        return null
    if reply.kind == "#":
        return b"true" if reply.value else b"false"
    return b"%d" % reply.value if reply.kind == ":" else bytes(reply.value)


def _json_text(text: bytes) -> bytes:
    return b'"' + b"".join([_JSON[c] for c in text]) + b'"'


def _json_quoted(text: bytes) -> bytes:
    return quoted(text).replace(b"\\", b"\\\\")


_JSON_TEXTS = {JSON: _json_text, QUOTED_JSON: _json_quoted}


def json(reply: Reply, text=_json_text) -> bytes:  # type: ignore[no-untyped-def]
    """JSON as redis-cli writes it: an error is error:"...", a text stays the bytes it is."""
    kind, value = reply.kind, reply.value
    if kind == "%":
        pairs = zip(value[::2], value[1::2])
        return b"{" + b",".join(_json_key(k, text) + b":" + json(v, text) for k, v in pairs) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(json(item, text) for item in value) + b"]"
    if kind in "$+=":
        return text(value)  # type: ignore[no-any-return]
    if kind == "-":
        return b"error:" + text(value)  # type: ignore[no-any-return]
    return _plain(reply, b"null")


def _json_key(key: Reply, text) -> bytes:  # type: ignore[no-untyped-def]
    """Keys of JSON are texts: others are written as JSON first."""
    out = json(key, text)
    return out if out.startswith((b'"', b"error:")) else b'"' + out + b'"'
