"""DUMP and RESTORE: each server is given what the other one has dumped."""

from __future__ import annotations

import grammar_hashes
import grammar_lists
import grammar_sets
import grammar_zsets
from grammar import (
    TRANSPLANT,
    Command,
    cmd,
    key,
    keys,
    strings,
    value,
    weighted,
    with_options,
    word,
)
from hypothesis import strategies as st

NAMES = [b"DUMP", b"RESTORE"]

# Far away or none at all: two servers do not share a clock.
ttl = st.sampled_from([b"0", b"0", b"0", b"1000000", b"-1", b"x"])
at = st.sampled_from([b"4102444800000", b"1", b"0"])
options = [
    word("REPLACE", "replace", "REPLACE", "nonsense"),
    cmd("IDLETIME", st.sampled_from([b"0", b"10", b"-1", b"x"])),
    cmd("FREQ", st.sampled_from([b"0", b"255", b"256", b"x"])),
]
transplant = with_options(cmd(TRANSPLANT.decode(), key, key, ttl), options, 2)
transplant_at = with_options(cmd(TRANSPLANT.decode(), key, key, at, "ABSTTL"), options, 2)
damaged = with_options(cmd("RESTORE", key, ttl, value), options, 2)

commands: st.SearchStrategy[Command] = weighted(
    (8, transplant),
    (2, transplant_at),
    (1, damaged),
    (1, keys),
    (3, strings),
    (3, grammar_lists.commands),
    (3, grammar_hashes.commands),
    (3, grammar_sets.commands),
    (3, grammar_zsets.commands),
)
