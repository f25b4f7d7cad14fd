"""Keyspace events: the same names in the same order as redis-server 7.0's, for every command."""

from __future__ import annotations

import pytest

from tools.doors import Door
from tools.resp import Conn, encode
from tools.wait import until

# Lines run one after the other on an empty store; behind "|" is what they must tell, as
# event:key, with db> in front when it is not database 0.
SCRIPT = """
SET k v                          | new:k set:k
SET k v EX 100                   | set:k expire:k
SET k v NX                       |
SET k v KEEPTTL                  | set:k
SETNX k v                        |
SETNX n v                        | new:n set:n
SETEX k 100 v                    | set:k expire:k
PSETEX k 100000 v                | set:k expire:k
GETSET k w                       | set:k
GETEX k EX 10                    | expire:k
GETEX k PERSIST                  | persist:k
GETEX k PERSIST                  |
GETEX k                          |
GETEX k EXAT 1                   | del:k
GETDEL n                         | del:n
MSET a 1 b 2                     | new:a set:a new:b set:b
MSETNX a 1 c 2                   |
MSETNX c 1 d 2                   | new:c set:c new:d set:d
APPEND a 23                      | append:a
APPEND e x                       | new:e append:e
SETRANGE e 3 y                   | setrange:e
SETRANGE e 0 ""                  |
SETRANGE f 1 y                   | new:f setrange:f
INCR a                           | incrby:a
DECR i                           | new:i incrby:i
INCRBY i 5                       | incrby:i
DECRBY i 5                       | incrby:i
INCRBYFLOAT i 1.5                | incrbyfloat:i
INCR e                           |
EXPIRE a 100                     | expire:a
EXPIRE a 100 NX                  |
PEXPIRE a 100000                 | expire:a
EXPIREAT a 99999999999           | expire:a
PEXPIREAT a 9999999999999        | expire:a
PERSIST a                        | persist:a
PERSIST a                        |
EXPIRE a 0                       | del:a
DEL b c nosuch                   | del:b del:c
UNLINK d e                       | del:d del:e
RENAME f g                       | new:g rename_from:f rename_to:g
RENAME g g                       |
SET h v                          | new:h set:h
RENAME g h                       | new:h rename_from:g rename_to:h
RENAMENX h i                     |
RENAMENX h j                     | new:j rename_from:h rename_to:j
COPY j l                         | new:l copy_to:l
COPY j l                         |
COPY j l REPLACE                 | new:l copy_to:l
COPY j l DB 1                    | 1>new:l 1>copy_to:l
MOVE j 1                         | 1>new:j move_from:j 1>move_to:j
FLUSHALL                         |
RPUSH list a b c                 | new:list rpush:list
LPUSH list a                     | lpush:list
LPUSHX list a                    | lpush:list
RPUSHX list a                    | rpush:list
LPUSHX none a                    |
LINSERT list BEFORE b x          | linsert:list
LINSERT list BEFORE nosuch x     |
LSET list 0 z                    | lset:list
LREM list 0 nosuch               |
LREM list 1 a                    | lrem:list
LTRIM list 0 -1                  | ltrim:list
LMOVE list list LEFT RIGHT       | rpush:list lpop:list
LMOVE list other RIGHT LEFT      | new:other lpush:other rpop:list
RPOPLPUSH other list             | lpush:list rpop:other del:other
LPOP list                        | lpop:list
RPOP list                        | rpop:list
LPOP list 0                      |
LMPOP 2 none list LEFT           | lpop:list
LPOP list 100                    | lpop:list del:list
RPUSH list a a                   | new:list rpush:list
LREM list 0 a                    | lrem:list del:list
RPUSH list a a                   | new:list rpush:list
LTRIM list 5 6                   | ltrim:list del:list
RPUSH list a                     | new:list rpush:list
RPOPLPUSH list list              | lpush:list rpop:list
LMPOP 1 list RIGHT COUNT 5       | rpop:list del:list
HSET h a 1 b 2                   | new:h hset:h
HSET h a 1                       | hset:h
HMSET h a 1                      | hset:h
HSETNX h a 1                     |
HSETNX h c 1                     | hset:h
HINCRBY h a 1                    | hincrby:h
HINCRBYFLOAT h a 1.5             | hincrbyfloat:h
HDEL h nosuch                    |
HDEL h a                         | hdel:h
HDEL h b c                       | hdel:h del:h
HINCRBY h2 a 1                   | new:h2 hincrby:h2
SADD s a b c                     | new:s sadd:s
SADD s a                         |
SREM s nosuch                    |
SREM s a                         | srem:s
SMOVE s t b                      | srem:s new:t sadd:t
SMOVE s t nosuch                 |
SMOVE s t c                      | srem:s del:s sadd:t
SADD s b                         | new:s sadd:s
SMOVE s t b                      | srem:s del:s
SPOP t                           | spop:t
SPOP t 0                         |
SPOP t                           | spop:t del:t
SADD s a b c d                   | new:s sadd:s
SPOP s 2                         | spop:s
SPOP s 2                         | spop:s del:s
SADD s a b                       | new:s sadd:s
SADD t b c                       | new:t sadd:t
SINTERSTORE d s t                | new:d sinterstore:d
SUNIONSTORE d s t                | sunionstore:d
SDIFFSTORE d s t                 | sdiffstore:d
SINTERSTORE d s none             | del:d
SDIFFSTORE d none s              |
SREM s a b                       | srem:s del:s
ZADD z 1 a 2 b 3 c               | new:z zadd:z
ZADD z 1 a                       |
ZADD z XX CH 5 a                 | zadd:z
ZADD z INCR 1 a                  | zincr:z
ZINCRBY z 1 a                    | zincr:z
ZINCRBY z 0 a                    |
ZREM z nosuch                    |
ZREM z a                         | zrem:z
ZRANGESTORE y z 0 -1             | new:y zrangestore:y
ZRANGESTORE y none 0 -1          | del:y
ZUNIONSTORE y 1 z                | new:y zunionstore:y
ZINTERSTORE y 1 z                | zinterstore:y
ZDIFFSTORE y 2 z none            | zdiffstore:y
ZDIFFSTORE y 2 none z            | del:y
ZPOPMIN z                        | zpopmin:z
ZPOPMAX z                        | zpopmax:z del:z
ZADD z 1 a 2 b 3 c 4 d           | new:z zadd:z
ZPOPMIN z 0                      |
ZMPOP 1 z MAX                    | zpopmax:z
ZREMRANGEBYRANK z 0 0            | zremrangebyrank:z
ZREMRANGEBYSCORE z 0 0           |
ZREMRANGEBYSCORE z 2 2           | zremrangebyscore:z
ZREMRANGEBYLEX z [c [c           | zremrangebylex:z del:z
ZADD z 1 a                       | new:z zadd:z
ZREM z a                         | zrem:z del:z
DEBUG SET-ACTIVE-EXPIRE 0        |
SET x v PX 1                     | new:x set:x expire:x
"""
EVENTS = [line.partition("|") for line in SCRIPT.strip().splitlines()]


class Watcher:
    """Reads events: both kinds of channels must tell the same."""

    def __init__(self, door: Door) -> None:
        self.conn: Conn = door.socket()
        for pattern in ("__keyspace@*", "__keyevent@*", "mark"):
            self.conn.call("PSUBSCRIBE", pattern)

    def until_mark(self, door: Door) -> list[str]:
        door("PUBLISH", "mark", "x")
        spaces: list[str] = []
        events: list[str] = []
        while True:
            _, pattern, channel, data = self.conn.read()
            if pattern == b"mark":
                assert spaces == events
                return spaces
            where, _, rest = channel.decode().partition("__:")
            db = where.partition("@")[2]
            front = "" if db == "0" else db + ">"
            if pattern == b"__keyspace@*":
                spaces.append(f"{front}{data.decode()}:{rest}")
            else:
                events.append(f"{front}{rest}:{data.decode()}")


@pytest.mark.sockets
def test_every_command_tells_what_redis_tells(door: Door) -> None:
    door.config("notify-keyspace-events", "KEAn")
    watcher = Watcher(door)
    for command, _, expected in EVENTS:
        words = [word if word != '""' else "" for word in command.split()]
        door(*words)
        assert watcher.until_mark(door) == expected.split(), command
    until(lambda: door("PTTL", "x") == -2, "x has expired")
    assert watcher.until_mark(door) == ["expired:x"]
    door("DEBUG", "SET-ACTIVE-EXPIRE", "1")


@pytest.mark.sockets
def test_what_nobody_reads_expires_with_an_event(door: Door) -> None:
    door.config("notify-keyspace-events", "Ex")
    conn = door.socket()
    conn.call("SUBSCRIBE", "__keyevent@0__:expired")
    door("SET", "gone", "v", "PX", "1")
    assert conn.read()[1:] == [b"__keyevent@0__:expired", b"gone"]


@pytest.mark.sockets
def test_classes_choose_what_is_told(door: Door) -> None:
    for letters, told in (
        ("Kg", ["del:l", "del:k"]),
        ("K$", ["set:k"]),
        ("Kl", ["rpush:l", "lpop:l"]),
        ("Kn", ["new:k", "new:l"]),
        ("g$lshz", []),
        ("", []),
        ("Ks", []),
    ):
        door.config("notify-keyspace-events", letters)
        conn = door.socket()
        conn.call("PSUBSCRIBE", "__key*", "mark")
        conn.read()
        for line in ("SET k v", "RPUSH l a", "LPOP l", "DEL k", "PUBLISH mark x"):
            door(*line.split())
        got = []
        while (message := conn.read())[1] != b"mark":
            got.append(message[3].decode() + ":" + message[2].decode().partition("__:")[2])
        assert got == told, letters


@pytest.mark.sockets
def test_a_miss_is_an_event_of_its_own(door: Door) -> None:
    door.config("notify-keyspace-events", "Km")
    conn = door.socket()
    conn.call("PSUBSCRIBE", "__key*", "mark")
    conn.read()
    door("SET", "k", "v")
    for line in (
        "GET k",
        "GET a",
        "MGET b k c",
        "EXISTS d",
        "TTL e",
        "HGET f x",
        "OBJECT FREQ g",
        "GETDEL h",
        "GETEX i",
        "SETNX j 1",
        "STRLEN l",
        "TYPE m",
        "PUBLISH mark x",
    ):
        door(*line.split())
    got = []
    while (message := conn.read())[1] != b"mark":
        assert message[3] == b"keymiss"
        got.append(message[2].decode()[-1])
    assert "".join(got) == "abcdefhilm"


@pytest.mark.sockets
def test_events_of_a_transaction_come_in_its_order(door: Door) -> None:
    door.config("notify-keyspace-events", "KA")
    conn = door.socket()
    conn.call("PSUBSCRIBE", "__key*")
    many = door.socket()
    many.send(encode("MULTI") + encode("SET", "k", "v") + encode("PUBLISH", "__key", "mid"))
    many.send(encode("DEL", "k") + encode("EXEC"))
    got = [conn.read()[3] for _ in range(3)]
    assert got == [b"set", b"mid", b"del"]
