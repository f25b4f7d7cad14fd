// base/numbers.h: the only number parsers and formatters. Strict and locale-free.
//
// "Strict" is Redis' string2ll: an optional '-', no '+', no "-0", no leading zeros, no spaces, all
// bytes used.
#pragma once
#include "base/bytes.h"

namespace rp {

constexpr size_t kI64TextMax = 20;       // "-9223372036854775808"
constexpr size_t kLdTextMax = 5 * 1024;  // as Redis: a long double in full, human-friendly digits
constexpr size_t kDoubleTextMax = 40;

// False unless `text` is exactly one integer in range; *out is then untouched.
bool parse_i64(Bytes text, int64_t* out);
bool parse_u64(Bytes text, uint64_t* out);
// Redis' string2ld as INCRBYFLOAT uses it: what strtold takes (a plus, exponents, hex floats,
// "inf", "infinity"), but no surrounding space, no NaN, no overflow, no underflow to zero. Less
// than kLdTextMax bytes.
bool parse_long_double(Bytes text, long double* out);
// Redis' string2d: like the above for double, of any length (hex floats: less than kLdTextMax).
bool parse_double(Bytes text, double* out);
// As strtod reads a C string, which ends at a NUL and must be used up: spaces in front are fine,
// nothing is 0, too much is infinite, too little is 0. No NaN. (The bounds of score ranges.)
bool parse_double_loosely(Bytes text, double* out);

// Each writes at most the bound named, adds no terminator, and returns the length. The integer
// ones write kI64TextMax bytes at most.
size_t format_i64(char* out, int64_t v);
size_t format_u64(char* out, uint64_t v);
// Redis' LD_STR_HUMAN: fixed notation, 17 digits after the point, trailing zeros and point removed,
// "-0" as "0"; "inf", "-inf". `out` holds kLdTextMax bytes, all of which may be overwritten.
size_t format_long_double(char* out, long double v);
// 17 significant digits ("%.17g"), which read back to v exactly, as Redis 7.0 prints RESP3 doubles
// and scores; "inf", "-inf", "nan". `out` holds kDoubleTextMax bytes.
size_t format_double(char* out, double v);

// Decimal digits of v, sign included: what format_i64 would write.
size_t i64_text_len(int64_t v);

// "100", "1k", "1kb", "2mb", "1g"... (k = 1000, kb = 1024, any case). As in Redis leading zeros are
// fine and no digits at all mean 0. What exceeds 64 bits is UINT64_MAX: out of everybody's range.
bool parse_memory(Bytes text, uint64_t* out);

}  // namespace rp
