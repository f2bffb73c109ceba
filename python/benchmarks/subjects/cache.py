"""FastCacheManager beside cachebox, moka-py, cachetools, lru_cache, dict and our own twin."""

from __future__ import annotations

import functools
import platform
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from agentcore.cache import FastCacheManager, Policy, cached
from benchmarks.harness import Bar, Case, Contender, Subject, installed, per_operation
from benchmarks.native import OURS_VERSION, native_manager, twin_manager
from benchmarks.traces import CAPACITY, TRACES, hit_ratio, trace

PEERS = {name: installed(name) for name in ("cachebox", "moka-py", "cachetools")}
PYTHON = platform.python_version()
SIZE = 1000
REPEAT = 50
KEYS = [f"user:{number:06d}" for number in range(SIZE)]
EQUAL_KEYS = ["".join(list(key)) for key in KEYS]  # equal, not identical
NEW_KEYS = [[f"new:{batch}:{number}" for number in range(SIZE)] for batch in range(2)]
BEST_PEER = {  # by trace, and the ratio to it that is one point of a hundred less
    "zipf 0.9": ("cachebox LFU", 0.984),
    "zipf 0.99": ("cachebox LFU", 0.986),
    "zipf 0.99 with scans": ("cachebox LFU", 0.98),
    "shifting hot set": ("cachebox LRU", 0.985),
    "loop of 12k": ("moka-py", 0.987),
}
POLICIES: tuple[Policy, ...] = ("s3fifo", "lru", "lfu", "auto")
Measure = Callable[[], float]


def _filled(cache: Any) -> Any:
    for number, key in enumerate(KEYS):
        cache[key] = number
    return cache


def _ours(**options: Any) -> Any:
    return _filled(FastCacheManager[str, int](SIZE, manager=native_manager(), **options))


def _twin(**options: Any) -> Any:
    return _filled(FastCacheManager[str, int](SIZE, manager=twin_manager(), **options))


def _cachebox(kind: str = "LRUCache", *arguments: Any) -> Any:
    import cachebox

    return _filled(getattr(cachebox, kind)(SIZE, *arguments))


def _loop_get(cache: Any, keys: list[str]) -> Measure:
    get = cache.get

    def work() -> None:
        for key in keys:
            get(key)

    return lambda: per_operation(work, SIZE, REPEAT)


def _loop_item(cache: Any, keys: list[str]) -> Measure:
    def work() -> None:
        for key in keys:
            cache[key]

    return lambda: per_operation(work, SIZE, REPEAT)


def _loop_set(cache: Any) -> Measure:
    items = list(zip(KEYS, range(SIZE), strict=True))

    def work() -> None:
        for key, value in items:
            cache[key] = value

    return lambda: per_operation(work, SIZE, REPEAT)


def _get_many(cache: Any) -> Measure:
    return lambda: per_operation(lambda: cache.get_many(KEYS), SIZE, REPEAT)


def _set_many(cache: Any) -> Measure:
    items = list(zip(KEYS, range(SIZE), strict=True))
    return lambda: per_operation(lambda: cache.set_many(items), SIZE, REPEAT)


def _comprehend(cache: Any) -> Measure:
    return lambda: per_operation(lambda: [cache[key] for key in KEYS], SIZE, REPEAT)


def _replace_all(cache: Any, *, batch: bool) -> Measure:
    """Turn by turn two sets of keys that are not in, so every one evicts another."""
    batches = [[(key, 0) for key in keys] for keys in NEW_KEYS]

    def many() -> None:
        for items in batches:
            cache.set_many(items)

    def one_by_one() -> None:
        for items in batches:
            for key, value in items:
                cache[key] = value

    work = many if batch else one_by_one
    return lambda: per_operation(work, 2 * SIZE, REPEAT // 2)


def _case(
    name: str, bar: Bar | None, ours: Measure, peers: Sequence[Contender], unit: str = "ns/op"
) -> Case:
    better: Any = "higher" if unit == "%" else "lower"
    return Case(name, unit, better, Contender("agentcore", OURS_VERSION, ours), peers, bar)


def _peer(name: str, measure: Callable[[], Measure]) -> Iterator[Contender]:
    """Yield a peer, made only where it is installed."""
    own = {"dict": PYTHON, "lru_cache": PYTHON, "python twin": OURS_VERSION}
    version = own.get(name) or PEERS.get(name.split()[0], "")
    if version:
        yield Contender(name, version, measure())


def _hits() -> Iterator[Case]:
    plain = dict(zip(KEYS, range(SIZE), strict=True))  # keeps the keys' identity
    loops: dict[str, Callable[..., Measure]] = {
        "cache.get(key)": _loop_get,
        "cache[key]": _loop_item,
    }
    for label, keys, must, aim in (
        ("identical key", KEYS, 0.9, 1.05),
        ("equal key", EQUAL_KEYS, 0.8, 1.0),
    ):
        for call, loop in loops.items():
            for policy in ("s3fifo", "lru"):
                make = functools.partial(loop, keys=keys)
                name = f"{call} hit, {label}, {policy}"
                ours = _ours(policy=policy)
                peers = [
                    *_peer("cachebox", lambda make=make: make(_cachebox())),  # type: ignore[misc]
                    *_peer("dict", lambda make=make: make(plain)),  # type: ignore[misc]
                ]
                yield _case(name, Bar("cachebox", must, aim), make(ours), peers)
                if policy == "s3fifo" and label == "identical key":
                    against = [peer for peer in peers if peer.name == "dict"]
                    yield _case(f"{name}, and dict", Bar("dict", 0.5, 0.7), make(ours), against)


def _batches() -> Iterator[Case]:
    plain = dict(zip(KEYS, range(SIZE), strict=True))
    yield _case(
        "get_many of 1000",
        Bar("dict", 1.2, 1.5),
        _get_many(_ours()),
        [
            *_peer("cachebox", lambda: _loop_item(_cachebox(), KEYS)),
            *_peer("dict", lambda: _comprehend(plain)),
            *_peer("python twin", lambda: _get_many(_twin())),
        ],
    )
    yield _case(
        "set_many of 1000 known keys",
        Bar("dict", 1.25, 1.5),
        _set_many(_ours()),
        [
            *_peer("cachebox", lambda: _loop_set(_cachebox())),
            *_peer("dict", lambda: _loop_set(dict(plain))),
            *_peer("python twin", lambda: _set_many(_twin())),
        ],
    )
    for policy in ("s3fifo", "lru"):
        yield _case(
            f"1000 new keys into a full cache, batch, {policy}",
            Bar("cachebox", 1.3, 2.0),
            _replace_all(_ours(policy=policy), batch=True),
            [*_peer("cachebox", lambda: _replace_all(_cachebox(), batch=False))],
        )
    yield _case(
        "cache.get(key) hit, with a time to live",
        Bar("cachebox", 1.3, 1.5),
        _loop_get(_ours(ttl=3600), KEYS),
        [*_peer("cachebox", lambda: _loop_get(_cachebox("TTLCache", 3600), KEYS))],
    )


class _Locked:
    """A cachetools cache under a lock, as its documentation asks of threads."""

    def __init__(self, size: int) -> None:
        import cachetools

        self._cache: Any = cachetools.LRUCache(size)
        self._lock = threading.RLock()

    def get(self, key: str) -> Any:
        with self._lock:
            return self._cache.get(key)

    def set(self, key: str, value: Any) -> None:
        with self._lock:
            self._cache[key] = value


def _moka(size: int) -> Any:
    import moka_py

    return moka_py.Moka(size)


def _threads(cache: Any) -> Measure:
    """Four threads, four reads to a write, Zipf over ten times the capacity."""
    names = [f"item:{key}" for key in trace("zipf 0.99")[:40_000]]
    chance = random.Random(1)  # noqa: S311 - a fixed mix
    writes = [chance.random() < 0.2 for _ in names]
    parts = [(names[at::4], writes[at::4]) for at in range(4)]
    get = cache.get
    put = getattr(cache, "set", None) or cache.__setitem__

    def work(part: tuple[list[str], list[bool]]) -> None:
        for name, write in zip(*part, strict=True):
            if write:
                put(name, name)
            else:
                get(name)

    def measure() -> float:
        threads = [threading.Thread(target=work, args=(part,)) for part in parts]
        begun = time.perf_counter_ns()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return (time.perf_counter_ns() - begun) / len(names)

    return measure


def _shared() -> Iterator[Case]:
    ours = FastCacheManager[str, str](CAPACITY, manager=native_manager())
    peers = [
        *_peer("moka-py", lambda: _threads(_moka(CAPACITY))),
        *_peer("cachetools with a lock", lambda: _threads(_Locked(CAPACITY))),
        *_peer("cachebox", lambda: _threads(_box(CAPACITY))),
    ]
    for peer in peers[:2]:
        name = f"4 threads, zipf mix, and {peer.name}"
        yield _case(name, Bar(peer.name, 4.0, 6.0), _threads(ours), peers)


def _box(size: int, kind: str = "LRUCache") -> Any:
    import cachebox

    return getattr(cachebox, kind)(size)


def _decorators() -> Iterator[Case]:
    def work(text: str) -> str:
        return text

    def loop(function: Callable[[str], str]) -> Measure:
        def run() -> None:
            for key in KEYS:
                function(key)

        return lambda: per_operation(run, SIZE, REPEAT)

    def boxed() -> Measure:
        import cachebox

        decorate: Any = cachebox.cached(cachebox.LRUCache(2 * SIZE))
        return loop(decorate(work))

    ours = loop(cached(manager=native_manager(), maxsize=2 * SIZE)(work))
    peers = [
        *_peer("cachebox", boxed),
        *_peer("lru_cache", lambda: loop(functools.lru_cache(2 * SIZE)(work))),
    ]
    for against, must, aim in (("cachebox", 3.0, 4.5), ("lru_cache", 0.6, 0.75)):
        yield _case(
            f"single-flight decorator hit, and {against}", Bar(against, must, aim), ours, peers
        )


def _policies() -> Iterator[Case]:
    """Each policy of ours beside the peers'; `auto` is held to the best of them."""
    for name in TRACES:
        peers: list[Contender] = []
        for peer, make in (
            ("cachebox LRU", lambda: _box(CAPACITY)),
            ("cachebox LFU", lambda: _box(CAPACITY, "LFUCache")),
            ("moka-py", lambda: _moka(CAPACITY)),
        ):
            peers += _peer(
                peer,
                lambda make=make, name=name: lambda: hit_ratio(make(), trace(name)),  # type: ignore[misc]
            )
        for policy in POLICIES:

            def ours(policy: Policy = policy, name: str = name) -> float:
                made = FastCacheManager[int, int](CAPACITY, policy=policy, manager=native_manager())
                return hit_ratio(made, trace(name))

            bar = Bar(*BEST_PEER[name], 1.0) if policy == "auto" else None
            yield _case(f"hits, {name}, {policy}", bar, ours, peers, "%")


_MEMORY = """
import resource, sys
count, what = int(sys.argv[1]), sys.argv[2]
keys = [f"key:{number:08d}" for number in range(count)]
if what == "cachebox":
    import cachebox
    cache = cachebox.LRUCache(count)
elif what == "dict":
    cache = {}
else:
    from agentcore.cache import FastCacheManager
    cache = FastCacheManager(count, policy=what)
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
before = resident()
for number, key in enumerate(keys):
    cache[key] = key
print((resident() - before) / count)
"""


def _memory_of(what: str) -> Measure:
    command = [sys.executable, "-c", _MEMORY, "300000", what]

    def measure() -> float:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        return float(told.stdout)

    return measure


def _memory() -> Iterator[Case]:
    for policy in ("s3fifo", "lru"):
        yield _case(
            f"memory of an entry over key and value, {policy}",
            Bar("cachebox", 1.0, 1.25),
            _memory_of(policy),
            [
                *_peer("cachebox", lambda: _memory_of("cachebox")),
                *_peer("dict", lambda: _memory_of("dict")),
            ],
            "bytes",
        )


def cases() -> list[Case]:
    """Make the cases; caches are filled here, outside of every clock."""
    made = (_hits(), _batches(), _shared(), _decorators(), _policies(), _memory())
    return [case for some in made for case in some]


_MISSING = [name for name, version in PEERS.items() if not version]
if not PEERS["cachebox"]:
    _MISSING += ["cachebox LRU", "cachebox LFU"]
if not PEERS["cachetools"]:
    _MISSING.append("cachetools with a lock")
SUBJECT = Subject("cache", cases, _MISSING)
