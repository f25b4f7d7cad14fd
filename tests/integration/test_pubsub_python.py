"""Store.pubsub(): the interface and the messages of redis-py's PubSub, inside the process."""

from __future__ import annotations

import asyncio
import os
import selectors
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tools.resp import info_fields
from tools.wait import SCALE

rustypotato = pytest.importorskip("rustypotato")
pytestmark = pytest.mark.ours("the Python API")
TIMEOUT = 20 * SCALE


@pytest.fixture
def store() -> Iterator[Any]:
    with rustypotato.Store() as made:
        yield made


def message(kind: str, channel: Any, data: Any, pattern: Any = None) -> dict[str, Any]:
    return {"type": kind, "pattern": pattern, "channel": channel, "data": data}


def test_subscribe_get_message_unsubscribe(store: Any) -> None:
    with store.pubsub() as p:
        assert p.get_message() is None
        p.subscribe("a", b"b")
        p.psubscribe("a*")
        assert p.get_message() == message("subscribe", b"a", 1)
        assert p.get_message() == message("subscribe", b"b", 2)
        assert p.get_message() == message("psubscribe", b"a*", 3)
        assert p.get_message() is None
        assert store.execute("PUBLISH", "a", "hello") == 2
        assert store.execute("PUBLISH", "c", "x") == 0
        assert p.get_message() == message("message", b"a", b"hello")
        assert p.get_message() == message("pmessage", b"a", b"hello", b"a*")
        assert set(p.channels) == {b"a", b"b"}
        assert p.subscribed
        p.unsubscribe()
        p.punsubscribe("a*")
        p.ssubscribe("s")
        assert [p.get_message()["type"] for _ in range(4)] == [
            "unsubscribe",
            "unsubscribe",
            "punsubscribe",
            "ssubscribe",
        ]
        assert store.execute("SPUBLISH", "s", "m") == 1
        assert p.get_message() == message("smessage", b"s", b"m")
        p.ping()
        assert p.get_message() == message("pong", None, b"")
        p.sunsubscribe()
        assert p.get_message() == message("sunsubscribe", b"s", 0)
        assert not p.subscribed
    assert store.execute("PUBSUB", "CHANNELS") == []


def test_the_same_messages_as_redis_py(store: Any) -> None:
    """One script for both: redis-py over a socket to the same store, and Store.pubsub()."""
    redis = pytest.importorskip("redis")
    listener = store.listen(port=0)
    client = redis.Redis(port=listener.port, protocol=3)
    theirs, ours = client.pubsub(), store.pubsub()
    handled: list[tuple[str, Any]] = []
    for name, p in (("theirs", theirs), ("ours", ours)):
        p.subscribe("a", h=lambda m, name=name: handled.append((name, m)))
        p.psubscribe("a*")

    def take(p: Any, n: int) -> list[Any]:
        got: list[Any] = []
        while len(got) < n:
            one = p.get_message(timeout=TIMEOUT)
            if one is not None:
                got.append(one)
        return got

    assert take(ours, 3) == take(theirs, 3)
    for channel, text in (("a", "x"), ("ab", "y"), ("h", "z"), ("a", b"\x00\xff")):
        client.publish(channel, text)
    assert take(ours, 5) == take(theirs, 5)
    assert [m for name, m in handled if name == "ours"] == [
        m for name, m in handled if name == "theirs"
    ]
    ours.unsubscribe("a")
    theirs.unsubscribe("a")
    assert take(ours, 1) == take(theirs, 1)
    theirs.close()
    client.close()
    ours.close()
    listener.stop()


def test_decoded_messages_and_ignored_confirmations() -> None:
    with rustypotato.Store(decode=True) as store:
        p = store.pubsub(ignore_subscribe_messages=True)
        p.subscribe("a")
        store.execute("PUBLISH", "a", "ü")
        assert p.get_message() is None
        assert p.get_message() == message("message", "a", "ü")


def test_get_message_waits_for_another_thread(store: Any) -> None:
    p = store.pubsub()
    p.subscribe("a")
    p.get_message()
    publisher = threading.Timer(0.05, lambda: store.execute("PUBLISH", "a", "late"))
    publisher.start()
    assert p.get_message(timeout=TIMEOUT)["data"] == b"late"
    publisher.join()


def test_listen_ends_with_close_from_another_thread(store: Any) -> None:
    p = store.pubsub()
    p.subscribe("a")
    seen: list[Any] = []
    first = threading.Event()

    def consume() -> None:
        for one in p.listen():
            seen.append(one["data"])
            first.set()

    thread = threading.Thread(target=consume)
    thread.start()
    assert first.wait(TIMEOUT)
    p.close()
    thread.join(TIMEOUT)
    assert not thread.is_alive()
    assert seen == [1]
    with pytest.raises(rustypotato.ClosedError):
        p.get_message()


def test_closing_the_store_wakes_who_waits() -> None:
    store = rustypotato.Store()
    p = store.pubsub()
    p.subscribe("a")
    p.get_message()
    closer = threading.Timer(0.05, store.close)
    closer.start()
    with pytest.raises(rustypotato.ClosedError):
        p.get_message(timeout=None)
    closer.join()
    p.close()


def test_a_selector_sees_messages(store: Any) -> None:
    p = store.pubsub()
    with selectors.DefaultSelector() as selector:
        selector.register(p, selectors.EVENT_READ)
        assert selector.select(0) == []
        p.subscribe("a")
        assert selector.select(TIMEOUT)
        assert p.get_message()["type"] == "subscribe"
        assert p.get_message() is None
        assert selector.select(0) == []
        store.execute("PUBLISH", "a", "x")
        assert selector.select(TIMEOUT)
        assert p.get_message()["data"] == b"x"


def test_asyncio_reads_messages_without_a_thread(store: Any) -> None:
    async def main() -> list[Any]:
        p = store.pubsub()
        p.subscribe("a")
        got: list[Any] = []
        done = asyncio.Event()

        def readable() -> None:
            while (one := p.get_message()) is not None:
                got.append(one["data"])
            if len(got) == 3:
                done.set()

        loop = asyncio.get_running_loop()
        loop.add_reader(p.fileno(), readable)
        store.execute("PUBLISH", "a", "x")
        store.execute("PUBLISH", "a", "y")
        await asyncio.wait_for(done.wait(), TIMEOUT)
        loop.remove_reader(p.fileno())
        p.close()
        return got

    assert asyncio.run(main()) == [1, b"x", b"y"]


def test_a_subscriber_that_takes_nothing_is_cut_off(store: Any) -> None:
    p = store.pubsub(max_bytes=100_000)
    p.subscribe("a")
    other = store.pubsub()
    other.subscribe("a")
    before = int(info_fields(store.execute("INFO", "memory"))["used_memory"])
    for _ in range(1000):
        store.execute("PUBLISH", "a", "x" * 1000)
        while other.get_message() is not None:
            pass
    assert int(info_fields(store.execute("INFO", "memory"))["used_memory"]) - before < 1_000_000
    got = 0
    with pytest.raises(rustypotato.SubscriberCutError):
        while True:
            assert p.get_message() is not None
            got += 1
    assert 50 < got < 100


def test_key_events_arrive_in_process() -> None:
    with rustypotato.Store(notify_keyspace_events="KEA") as store:
        p = store.pubsub(ignore_subscribe_messages=True)
        p.psubscribe("__keyevent@0__:*")
        p.get_message()
        store.set("k", "v")
        store.delete("k")
        assert p.get_message()["channel"] == b"__keyevent@0__:set"
        assert p.get_message()["channel"] == b"__keyevent@0__:del"


def test_socket_and_in_process_subscribers_see_one_order(store: Any) -> None:
    redis = pytest.importorskip("redis")
    listener = store.listen(port=0)
    client = redis.Redis(port=listener.port)
    theirs, ours = client.pubsub(ignore_subscribe_messages=True), store.pubsub(True)
    theirs.subscribe("a")
    theirs.get_message(timeout=TIMEOUT)
    ours.subscribe("a")

    def publish(name: str) -> None:
        for i in range(500):
            store.execute("PUBLISH", "a", f"{name}{i}")

    threads = [threading.Thread(target=publish, args=(name,)) for name in "xyz"]
    for t in threads:
        t.start()

    def take(p: Any) -> list[bytes]:
        got: list[bytes] = []
        while len(got) < 1500:
            one = p.get_message(timeout=TIMEOUT)
            if one is not None:
                got.append(one["data"])
        return got

    assert take(ours) == take(theirs)
    for t in threads:
        t.join()
    theirs.close()
    client.close()
    ours.close()
    listener.stop()


def test_a_forked_child_is_told_that_the_subscriber_is_foreign(store: Any) -> None:
    p = store.pubsub()
    p.subscribe("a")
    child = os.fork()
    if child == 0:
        try:
            p.get_message()
        except rustypotato.ForeignStoreError:
            os._exit(7)
        except BaseException:
            os._exit(8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert p.get_message()["type"] == "subscribe"


def test_ordinary_sessions_cannot_subscribe(store: Any) -> None:
    with pytest.raises(rustypotato.ResponseError, match="SUBSCRIBE isn't allowed"):
        store.execute("SUBSCRIBE", "a")
    with pytest.raises(ValueError, match="at least one"):
        store.pubsub().subscribe()
