// base/glob.h: Redis' glob patterns (KEYS, SCAN MATCH, CONFIG GET): * ? [abc] [^a] [a-z] and \x.
//
// Runs in O(pattern x text) time and constant space: one remembered star, no recursion, so that
// a*a*a*...b costs no more than any other pattern (CVE-2022-36021, CVE-2024-31228). Same answers as
// Redis 7.0 (x86-64) on every pattern, malformed ones included. The surprising ones:
//   an empty text is matched by the empty pattern only, not even by "*": commands that take "*" to
//   mean "everything" (KEYS, SCAN) test for that one-byte pattern first, as Redis does;
//   an unclosed [ takes what is there, "[]" nothing, "[^]" any byte;
//   a range may be written backwards; bytes from 0x80 sort below the ASCII ones;
//   inside [ ] a backslashed byte is compared with case even if `nocase`.
#pragma once
#include "base/bytes.h"

namespace rp {

// `nocase`: ASCII letters only.
bool glob_match(Bytes pattern, Bytes text, bool nocase = false);

}  // namespace rp
