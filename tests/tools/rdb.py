"""Bytes of Redis' RDB format by hand, for payloads and files that today's redis-server no longer
writes, and for damaged ones. Written from the description of the format, not from our code."""

from __future__ import annotations

import struct
from collections.abc import Iterable

Text = bytes | int


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x95AC9329AC4BC9B5 if crc & 1 else 0)
        table.append(crc)
    return table


CRC_TABLE = _crc_table()


def crc64(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc


def sealed(body: bytes, version: int = 10) -> bytes:
    """A type byte and a value as a payload of DUMP."""
    data = body + struct.pack("<H", version)
    return data + struct.pack("<Q", crc64(data))


def body_of(payload: bytes) -> bytes:
    return payload[:-10]


def file_of(keys: Iterable[tuple[bytes, bytes]], version: int = 10) -> bytes:
    """A file with one database of (key, type byte and value)."""
    out = b"REDIS%04d\xfe\x00" % version
    for key, body in keys:
        out += body[:1] + text(key) + body[1:]
    out += b"\xff"
    return out + struct.pack("<Q", crc64(out))


def length(n: int) -> bytes:
    if n < 64:
        return bytes([n])
    if n < 16384:
        return struct.pack(">H", 0x4000 | n)
    return b"\x80" + struct.pack(">I", n)


def text(data: bytes) -> bytes:
    return length(len(data)) + data


def small_int(n: int) -> bytes:
    """A string of digits as RDB keeps it: 8, 16 or 32 bits."""
    for code, form in enumerate(("<b", "<h", "<i")):
        try:
            return bytes([0xC0 | code]) + struct.pack(form, n)
        except struct.error:
            continue
    return text(b"%d" % n)


def listpack(items: Iterable[Text]) -> bytes:
    body, count = b"", 0
    for item in items:
        entry = _listpack_entry(item)
        body += entry + _back(len(entry))
        count += 1
    return struct.pack("<IH", len(body) + 7, min(count, 65535)) + body + b"\xff"


def _listpack_entry(item: Text) -> bytes:
    if isinstance(item, int):
        n = item
        if 0 <= n < 128:
            return bytes([n])
        if -4096 <= n < 4096:
            return struct.pack(">H", 0xC000 | (n & 0x1FFF))
        if -(2**15) <= n < 2**15:
            return b"\xf1" + struct.pack("<h", n)
        if -(2**23) <= n < 2**23:
            return b"\xf2" + struct.pack("<i", n)[:3]
        if -(2**31) <= n < 2**31:
            return b"\xf3" + struct.pack("<i", n)
        return b"\xf4" + struct.pack("<q", n)
    if len(item) < 64:
        return bytes([0x80 | len(item)]) + item
    if len(item) < 4096:
        return struct.pack(">H", 0xE000 | len(item)) + item
    return b"\xf0" + struct.pack("<I", len(item)) + item


def _back(size: int) -> bytes:
    groups = 1 if size <= 127 else 2 if size < 16383 else 3 if size < 2097151 else 4
    out = [size >> (7 * i) & 127 | (128 if i + 1 < groups else 0) for i in range(groups)]
    return bytes(reversed(out))


def ziplist(items: Iterable[Text]) -> bytes:
    body, before, tail, count = b"", 0, 10, 0
    for item in items:
        head = bytes([before]) if before < 254 else b"\xfe" + struct.pack("<I", before)
        entry = head + _ziplist_entry(item)
        tail = 10 + len(body)
        body += entry
        before = len(entry)
        count += 1
    return struct.pack("<IIH", len(body) + 11, tail, min(count, 65535)) + body + b"\xff"


def _ziplist_entry(item: Text) -> bytes:
    if isinstance(item, int):
        n = item
        if 0 <= n <= 12:
            return bytes([0xF1 + n])
        if -128 <= n < 128:
            return b"\xfe" + struct.pack("<b", n)
        if -(2**15) <= n < 2**15:
            return b"\xc0" + struct.pack("<h", n)
        if -(2**23) <= n < 2**23:
            return b"\xf0" + struct.pack("<i", n)[:3]
        if -(2**31) <= n < 2**31:
            return b"\xd0" + struct.pack("<i", n)
        return b"\xe0" + struct.pack("<q", n)
    if len(item) < 64:
        return bytes([len(item)]) + item
    if len(item) < 16384:
        return struct.pack(">H", 0x4000 | len(item)) + item
    return b"\x80" + struct.pack(">I", len(item)) + item


def zipmap(pairs: Iterable[tuple[bytes, bytes]], spare: int = 0) -> bytes:
    def size(data: bytes) -> bytes:
        return bytes([len(data)]) if len(data) < 254 else b"\xfe" + struct.pack("<I", len(data))

    body, count = b"", 0
    for field, value in pairs:
        body += size(field) + field + size(value) + bytes([spare]) + value + b"." * spare
        count += 1
    return bytes([min(count, 254)]) + body + b"\xff"


def intset(values: Iterable[int], width: int = 2) -> bytes:
    ordered = sorted(values)
    form = {2: "<h", 4: "<i", 8: "<q"}[width]
    head = struct.pack("<II", width, len(ordered))
    return head + b"".join(struct.pack(form, v) for v in ordered)
