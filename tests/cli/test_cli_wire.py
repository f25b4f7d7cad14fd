"""The parser of replies, and addresses."""

from __future__ import annotations

import pytest

from rustypotato.wire.address import Address, BadAddress
from rustypotato.wire.resp import DEPTH_MAX, Parser, ProtocolError, Reply, encode
from tools.canned import SHAPES
from tools.resp import parse

ALL = b"".join(SHAPES.values())


def replies(*pieces: bytes) -> list[Reply]:
    parser = Parser()
    found = []
    for piece in pieces:
        parser.feed(piece)
        while (reply := parser.next()) is not None:
            found.append(reply)
    assert parser.is_between
    return found


def test_any_cut_gives_the_same_replies() -> None:
    whole = replies(ALL)
    assert len(whole) > len(SHAPES)
    for size in (1, 2, 3, 7, 64):
        assert replies(*(ALL[at : at + size] for at in range(0, len(ALL), size))) == whole
    for cut in range(1, len(ALL), 11):
        assert replies(ALL[:cut], ALL[cut:]) == whole


def shape_of(reply: Reply) -> object:
    return [shape_of(item) for item in reply.value] if reply.is_aggregate else reply.kind


def test_kinds_are_kept() -> None:
    assert [shape_of(reply) for reply in replies(SHAPES["map_with_odd_keys"])] == [
        [":", ":", "#", ":", "_", ":", ["$"], ":"]
    ]
    assert replies(b"!5\r\nERR a\r\n") == [Reply("-", b"ERR a")]
    assert replies(b"=5\r\ntxt:a\r\n") == [Reply("=", b"a")]
    assert replies(b"(12\r\n,inf\r\n") == [Reply("(", b"12"), Reply(",", b"inf")]


def test_attributes_are_dropped() -> None:
    assert replies(b"|1\r\n+ttl\r\n:1\r\n*2\r\n|1\r\n+a\r\n*1\r\n:9\r\n:1\r\n|0\r\n:2\r\n") == [
        Reply("*", [Reply(":", 1), Reply(":", 2)])
    ]


def test_a_large_bulk_is_read_in_linear_time() -> None:
    """Half a million pieces: a parser that starts anew with each of them would not end."""
    parser = Parser()
    parser.feed(b"*2\r\n$8000000\r\n")
    for _ in range(500_000):
        assert parser.next() is None
        parser.feed(b"x" * 16)
    parser.feed(b"\r\n:1\r\n")
    reply = parser.next()
    assert reply is not None
    assert len(reply.value[0].value) == 8_000_000


@pytest.mark.parametrize(
    "data",
    [
        b"x\r\n",
        b"\r\n",
        b":\r\n",
        b"$-2\r\n",
        b"*-2\r\n",
        b"$1\r\nabc\r\n",
        b"=2\r\nab\r\n",
        b"#x\r\n",
        b"_x\r\n",
        b"*99999999999\r\n",
        b"*1\r\n" * (DEPTH_MAX + 1),
    ],
)
def test_wrong_bytes_are_refused(data: bytes) -> None:
    parser = Parser()
    parser.feed(data)
    with pytest.raises(ProtocolError):
        parser.next()


def test_commands_are_arrays_of_bulks() -> None:
    raw = encode([b"SET", b"", b"\x00\r\n"])
    assert raw == b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$3\r\n\x00\r\n\r\n"
    assert parse(raw)[1] == len(raw)


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("redis://h:7/3", "h:7 None None 3 plain"),
        ("redis://", "127.0.0.1:6379 None None 0 plain"),
        ("redis://u:p%40:x@h", "h:6379 u p@:x 0 plain"),
        ("redis://:secret@h", "h:6379 None secret 0 plain"),
        ("redis://secret@h", "h:6379 None secret 0 plain"),
        ("REDISS://h", "h:6379 None None 0 tls"),
        ("redis://[::1]:7", "::1:7 None None 0 plain"),
        ("unix:///a%20b/s.sock?db=2", "/a b/s.sock None None 2 plain"),
        ("unix://u:p@/s.sock", "/s.sock u p 0 plain"),
    ],
)
def test_urls(url: str, want: str) -> None:
    address = Address()
    address.take_url(url)
    tls = "tls" if address.tls else "plain"
    assert f"{address} {address.user} {address.password} {address.db} {tls}" == want


@pytest.mark.parametrize(
    "url", ["http://h", "h:7", "redis://h:x", "redis://h:70000", "redis://h/x"]
)
def test_wrong_urls_are_refused(url: str) -> None:
    with pytest.raises(BadAddress, match=r"redis://|number"):
        Address().take_url(url)
