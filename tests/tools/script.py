r"""A tiny language for "this command, exactly this reply", so that a test reads like a session.

    SET k "a\r\nb"        -> +OK          a simple string
    B> INCR k             -> -ERR value is not an integer or out of range
    GET none              -> nil          $-1 in RESP2, _ in RESP3; nilarray is *-1 in RESP2
    MGET k $big           -> ["a\r\nb", nil]
    CONFIG GET port       -> {"port": anybulk}      a map in RESP3, a flat array in RESP2
    TTL k                 -> :9..10       an integer in a range
    DEL k                                 no arrow: anything but an error

"B>" uses a second connection, created when first named. "$name" is a value passed to check().
An error at top level runs to the end of the line; inside brackets it is -"text". An error that
ends in "..." is a prefix. `any`, `anybulk`, `anyint` match what they say; `set[...]` ignores
order; `double 1.5` is ,1.5 or a bulk; `true`/`false` are #t/#f or :1/:0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tools.resp import Node

ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "a": b"\a", "b": b"\b", "0": b"\0"}
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|\S+')


def unquote(text: str) -> bytes:
    out = bytearray()
    pos = 1
    while pos < len(text) - 1:
        char = text[pos]
        if char != "\\":
            out += char.encode()
            pos += 1
        elif text[pos + 1] == "x":
            out += bytes([int(text[pos + 2 : pos + 4], 16)])
            pos += 4
        else:
            out += ESCAPES.get(text[pos + 1], text[pos + 1].encode())
            pos += 2
    return bytes(out)


def argument(token: str, names: Mapping[str, Any]) -> bytes:
    if token.startswith('"'):
        return unquote(token)
    if token.startswith("'"):
        return token[1:-1].encode()
    if token.startswith("$") and token[1:] in names:
        value = names[token[1:]]
        return value if isinstance(value, bytes) else str(value).encode()
    return token.encode()


class Expected:
    """Recursive-descent reader of the right-hand side."""

    LEX = re.compile(
        r'\s*(-?"(?:[^"\\]|\\.)*"|[\[\]{},]|set\[|:-?\d+(?:\.\.-?\d+)?|\+[^,\]}]*'
        r"|\$\w+|double [^\s,\]}]+|\w+|:)"
    )

    def __init__(self, text: str, names: Mapping[str, Any]) -> None:
        self.text, self.pos, self.names = text, 0, names

    def token(self) -> str:
        found = self.LEX.match(self.text, self.pos)
        assert found, f"cannot read the expected reply at {self.text[self.pos :]!r}"
        self.pos = found.end()
        return found.group(1)

    def peek(self) -> str:
        pos = self.pos
        token = self.token()
        self.pos = pos
        return token

    def whole(self) -> Any:
        text = self.text.strip()
        if text.startswith("-") and not text.startswith('-"'):
            return ("error", text[1:].encode())
        value = self.value()
        assert not self.text[self.pos :].strip(), f"rest: {self.text[self.pos :]!r}"
        return value

    def items(self, end: str) -> list[Any]:
        out: list[Any] = []
        while self.peek() != end:
            out.append(self.value())
            if self.peek() in (",", ":"):
                self.token()
        self.token()
        return out

    def value(self) -> Any:
        token = self.token()
        if token == "[":
            return ("array", self.items("]"))
        if token == "set[":
            return ("unordered", self.items("]"))
        if token == "{":
            return ("map", self.items("}"))
        if token.startswith('"'):
            return ("bulk", unquote(token))
        if token.startswith('-"'):
            return ("error", unquote(token[1:]))
        if token.startswith("+"):
            return ("simple", token[1:].strip().encode())
        if token.startswith(":"):
            low, _, high = token[1:].partition("..")
            return ("int", (int(low), int(high or low)))
        if token.startswith("$"):
            value = self.names[token[1:]]
            return ("int", (value, value)) if isinstance(value, int) else ("bulk", value)
        if token.startswith("double "):
            return ("double", token[7:].encode())
        assert token in (
            "nil",
            "nilarray",
            "any",
            "anybulk",
            "anyint",
            "anyarray",
            "true",
            "false",
        ), f"unknown word {token!r}"
        return (token, None)


def matches(want: Any, node: Node, protocol: int) -> bool:
    kind, value = want
    if kind == "any":
        return True
    if kind == "anybulk":
        return node.kind == "$"
    if kind == "anyint":
        return node.kind == ":"
    if kind == "anyarray":
        return node.kind in "*~"
    if kind in ("nil", "nilarray"):
        if protocol == 3:
            return node.kind == "_"
        return node.kind == ("$-1" if kind == "nil" else "*-1")
    if kind in ("true", "false"):
        if protocol == 3:
            return node == Node("#", b"t" if kind == "true" else b"f")
        return node == Node(":", 1 if kind == "true" else 0)
    if kind == "simple":
        return node == Node("+", value)
    if kind == "bulk":
        return node == Node("$", value)
    if kind == "double":
        return node == Node("," if protocol == 3 else "$", value)
    if kind == "int":
        return node.kind == ":" and value[0] <= node.value <= value[1]
    if kind == "error":
        if node.kind != "-":
            return False
        if value.endswith(b"..."):
            return node.value.startswith(value[:-3])
        return node.value == value
    if kind == "map":
        if node.kind != ("%" if protocol == 3 else "*"):
            return False
        return _all(value, node.value, protocol)
    if kind == "unordered":
        if node.kind not in "*~" or len(node.value) != len(value):
            return False
        left = list(node.value)
        for item in value:
            hit = next((n for n in left if matches(item, n, protocol)), None)
            if hit is None:
                return False
            left.remove(hit)
        return True
    assert kind == "array", kind
    return node.kind == "*" and _all(value, node.value, protocol)


def _all(want: list[Any], got: list[Node], protocol: int) -> bool:
    return len(want) == len(got) and all(
        matches(w, g, protocol) for w, g in zip(want, got, strict=True)
    )


def split_line(line: str) -> tuple[str, str, str | None]:
    """(connection name, command, expected reply or None)."""
    who = "A"
    found = re.match(r"([A-Z])> ", line)
    if found:
        who, line = found.group(1), line[found.end() :]
    command, arrow, reply = line.partition(" -> ")
    return who, command.strip(), reply.strip() if arrow else None


def run_script(text: str, names: Mapping[str, Any], door: Callable[[str], Any]) -> None:
    """door(name) gives an object with .node(*args) -> (raw, Node) and .protocol."""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        who, command, reply = split_line(line)
        args = [argument(token, names) for token in TOKEN.findall(command)]
        conn = door(who)
        raw, node = conn.node(*args)
        if reply is None:
            good = node.kind != "-"
        else:
            good = matches(Expected(reply, names).whole(), node, conn.protocol)
        if not good:
            raise AssertionError(
                f"line {number}: {line}\n  wanted: {reply or 'no error'}\n  got:    {raw[:600]!r}"
            )
