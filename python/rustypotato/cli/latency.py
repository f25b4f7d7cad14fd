"""--latency, --latency-history, --latency-dist, --intrinsic-latency."""

from __future__ import annotations

import math
import signal
import time

from .printing import CSV, JSON, QUOTED_JSON, STANDARD
from .reconnect import call_again
from .session import Session, write

_SAMPLE_S = 0.01  # between PINGs
_ONCE_S = 1.0  # --latency into a file: one line after that time
_HISTORY_S = 15.0
_SPECTRUM_S = 1.0
_LEGEND_EVERY = 20  # lines
_CLEAR = b"\x1b[0G\x1b[2K"


class Samples:
    """Round trips in whole milliseconds, as redis-cli counts them."""

    def __init__(self) -> None:
        self.count = self.total = self.low = self.high = 0

    def add(self, ms: int) -> None:
        self.low = min(self.low, ms) if self.count else ms
        self.high = max(self.high, ms)
        self.total += ms
        self.count += 1

    def text(self, mode: str) -> bytes:
        average = self.total / self.count
        numbers = (self.low, self.high, average, self.count)
        if mode == STANDARD:
            return b"min: %d, max: %d, avg: %.2f (%d samples)" % numbers
        if mode == CSV:
            return b"%d,%d,%.2f,%d\n" % numbers
        if mode in (JSON, QUOTED_JSON):
            return b'{"min": %d, "max": %d, "avg": %.2f, "count": %d}\n' % numbers
        return b"%d %d %.2f %d\n" % numbers


def _ping_s(session: Session) -> float:
    began = time.monotonic()
    call_again(session, b"PING")
    return time.monotonic() - began


def run_latency(session: Session) -> int:
    """On a terminal for ever; else one line after a second (-i)."""
    return _run(session, False, session.options.interval_s or _ONCE_S)


def run_history(session: Session) -> int:
    return _run(session, True, session.options.interval_s or _HISTORY_S)


def _run(session: Session, with_history: bool, interval_s: float) -> int:
    mode = session.options.style.mode
    samples, began = Samples(), time.monotonic()
    while True:
        samples.add(int(_ping_s(session) * 1000))
        took = time.monotonic() - began
        is_over = took > interval_s
        if mode == STANDARD:
            write(_CLEAR + samples.text(mode))
        elif with_history or is_over:
            write(samples.text(mode))
            if not with_history:
                return 0
        if with_history and is_over:
            write(b" -- %.2f seconds range\n" % took)
            samples, began = Samples(), time.monotonic()
        time.sleep(_SAMPLE_S)


# ---- the spectrum --------------------------------------------------------------------------------

# (up to that many microseconds, its sign); the last one has no bound
BANDS: list[tuple[float, str]] = [
    *zip((10, 125, 250, 500), ".-*#"),
    *((1000 * ms, str(ms)) for ms in range(1, 10)),
    *((10_000 * n, sign) for n, sign in enumerate("ABCDE", 1)),
    *((100_000 * n, sign) for n, sign in enumerate("FGHIJ", 1)),
    *((1_000_000 * s, sign) for s, sign in zip((1, 2, 4, 8, 16, 30, 60), "KLMNOPQ")),
    (math.inf, "?"),
]
_RAINBOW = (
    0,
    233,
    234,
    235,
    237,
    239,
    241,
    243,
    245,
    247,
    144,
    143,
    142,
    184,
    226,
    214,
    208,
    202,
    196,
)
_GREYS = (0, 233, 234, 235, 237, 239, 241, 243, 245, 247, 249, 251, 253)
_LEGEND = b"""\
. - * #          .01 .125 .25 .5 milliseconds
1,2,3,...,9      from 1 to 9     milliseconds
A,B,C,D,E        10,20,30,40,50  milliseconds
F,G,H,I,J        .1,.2,.3,.4,.5       seconds
K,L,M,N,O,P,Q,?  1,2,4,8,16,30,60,>60 seconds
From 0 to 100%: """
_RULE = b"-" * 45 + b"\n"


def spectrum(counts: list[int], palette: tuple[int, ...]) -> bytes:
    """A line of signs: the brighter, the more of the samples."""
    total = sum(counts)
    out = [b"\x1b[38;5;0m"]
    for (_, sign), count in zip(BANDS, counts):
        color = palette[math.ceil(count / total * (len(palette) - 1))]
        out.append(f"\x1b[48;5;{color}m{sign}".encode())
    return b"".join(out) + b"\x1b[0m\n"


def run_spectrum(session: Session) -> int:
    palette = _GREYS if session.options.mono else _RAINBOW
    interval_s = session.options.interval_s or _SPECTRUM_S
    counts, lines, began = [0] * len(BANDS), 0, time.monotonic()
    while True:
        us = _ping_s(session) * 1e6
        counts[next(at for at, (bound, _) in enumerate(BANDS) if us <= bound)] += 1
        if time.monotonic() - began > interval_s:
            if lines % _LEGEND_EVERY == 0:
                colors = b"".join(b"\x1b[48;5;%dm " % color for color in palette)
                write(_RULE + _LEGEND + colors + b"\x1b[0m\n" + _RULE)
            write(spectrum(counts, palette))
            counts, lines, began = [0] * len(BANDS), lines + 1, time.monotonic()
        time.sleep(_SAMPLE_S)


# ---- without a server ----------------------------------------------------------------------------


def run_intrinsic(seconds: int) -> int:
    """How long this process is kept from running: the worst of many very short runs.

    A run here is a turn of the interpreter, longer than redis-cli's, so the average is another; the
    worst, which is what matters, is the machine's.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runs, worst = 0, 0.0
    clock = time.perf_counter
    began = last = clock()
    end = began + seconds
    try:
        while last < end:
            now = clock()
            runs += 1
            if now - last > worst:
                worst = now - last
                write(b"Max latency so far: %d microseconds.\n" % (worst * 1e6))
            last = now
    except KeyboardInterrupt:
        pass
    average = (clock() - began) / max(runs, 1)
    write(
        b"\n%d total runs (avg latency: %.4f microseconds / %.2f nanoseconds per run).\n"
        % (runs, average * 1e6, average * 1e9)
    )
    write(b"Worst run took %.0fx longer than the average latency.\n" % (worst / average))
    return 0
