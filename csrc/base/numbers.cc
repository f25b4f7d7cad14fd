// base/numbers.cc: see numbers.h.
#include "base/numbers.h"

#include <errno.h>
#include <locale.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/assert.h"

namespace rp {

// ---- integers ---------------------------------------------------------------------------------

static_assert(std::endian::native == std::endian::little, "eight_digits reads bytes in order");

// Eight decimal digits at once: pairs, then fours, then eights, by three multiplications. False
// if one of the bytes is not a digit.
static inline bool eight_digits(const char* p, uint64_t* out) {
    uint64_t w;
    memcpy(&w, p, sizeof(w));
    constexpr uint64_t kHigh = 0xf0f0f0f0f0f0f0f0u;
    constexpr uint64_t kZeros = 0x3030303030303030u;
    // A digit is 3x, and still 3x when 6 is added; after the first test no byte can carry over.
    if ((w & kHigh) != kZeros || ((w + 0x0606060606060606u) & kHigh) != kZeros) return false;
    w -= kZeros;
    w = (w * 10 + (w >> 8)) & 0x00ff00ff00ff00ffu;
    w = (w * 100 + (w >> 16)) & 0x0000ffff0000ffffu;
    *out = (w * 10000 + (w >> 32)) & 0xffffffffu;
    return true;
}

// At most 19 digits, which cannot overflow 64 bits. False if one of the bytes is not a digit.
static inline bool digits_value(const char* p, size_t n, uint64_t* out) {
    uint64_t v = 0;
    while (n >= 8) {
        uint64_t eight;
        if (!eight_digits(p, &eight)) return false;
        v = v * 100000000 + eight;
        p += 8;
        n -= 8;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned digit = static_cast<unsigned char>(p[i]) - unsigned{'0'};
        if (digit > 9) return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

bool parse_i64(Bytes text, int64_t* out) {
    if (text.len == 0) return false;
    bool negative = text.ptr[0] == '-';
    const char* p = text.ptr + negative;
    size_t n = text.len - negative;
    if (n == 0 || n > 19) return false;
    if (*p == '0') {  // No leading zeros, and no "-0".
        if (text.len != 1) return false;
        *out = 0;
        return true;
    }
    uint64_t v;
    if (!digits_value(p, n, &v)) return false;
    if (v > static_cast<uint64_t>(INT64_MAX) + negative) return false;
    *out = static_cast<int64_t>(negative ? 0 - v : v);
    return true;
}

bool parse_u64(Bytes text, uint64_t* out) {
    size_t n = text.len;
    if (n == 0 || n > 20 || (text.ptr[0] == '0' && n != 1)) return false;
    uint64_t v;
    if (!digits_value(text.ptr, n < 20 ? n : 19, &v)) return false;
    if (n == 20) {
        unsigned digit = static_cast<unsigned char>(text.ptr[19]) - unsigned{'0'};
        if (digit > 9) return false;
        bool over = __builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, digit, &v);
        if (over) return false;
    }
    *out = v;
    return true;
}

static const uint64_t kPowersOf10[20] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
    10000000000000000000u,
};

// log10 from log2 (1233 / 4096 is a little over log10 of 2), then one comparison puts it right.
static inline size_t u64_text_len(uint64_t v) {
    size_t bits = static_cast<size_t>(std::bit_width(v | 1));
    size_t guess = bits * 1233 >> 12;
    return guess + 1 - (v < kPowersOf10[guess] ? 1 : 0) + (v == 0 ? 1 : 0);
}

static uint64_t magnitude(int64_t v) {
    return v < 0 ? 0 - static_cast<uint64_t>(v) : static_cast<uint64_t>(v);
}

size_t i64_text_len(int64_t v) { return u64_text_len(magnitude(v)) + (v < 0 ? 1 : 0); }

static const char kPairs[201] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

size_t format_u64(char* out, uint64_t v) {
    size_t len = u64_text_len(v);
    char* at = out + len;
    while (v >= 100) {
        at -= 2;
        memcpy(at, kPairs + 2 * (v % 100), 2);
        v /= 100;
    }
    if (v >= 10) {
        memcpy(at - 2, kPairs + 2 * v, 2);
    } else {
        at[-1] = static_cast<char>('0' + v);
    }
    return len;
}

size_t format_i64(char* out, int64_t v) {
    if (v >= 0) return format_u64(out, static_cast<uint64_t>(v));
    *out = '-';
    return 1 + format_u64(out + 1, magnitude(v));
}

// ---- floating point ---------------------------------------------------------------------------

// The program around us (Python's, say) may have set a locale whose decimal point is a comma.
static locale_t c_locale() {
    static const locale_t locale = newlocale(LC_ALL_MASK, "C", static_cast<locale_t>(nullptr));
    RP_ASSERT(locale != static_cast<locale_t>(nullptr));
    return locale;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Runs one of the strto* family over the whole text, which must fit in kLdTextMax with its
// terminator. Refuses what overflows, and what underflows to zero, but not subnormal results.
template <typename Float, typename Convert>
static bool convert_whole(Bytes text, Float* out, Convert convert) {
    char buf[kLdTextMax];
    if (text.len == 0 || text.len >= sizeof(buf) || is_space(text.ptr[0])) return false;
    memcpy(buf, text.ptr, text.len);
    buf[text.len] = '\0';
    int caller_errno = errno;
    errno = 0;
    char* end = nullptr;
    Float v = convert(buf, &end);
    bool out_of_range = errno == ERANGE && (std::isinf(v) || v == 0);
    errno = caller_errno;
    if (end != buf + text.len || out_of_range || std::isnan(v)) return false;
    *out = v;
    return true;
}

bool parse_long_double(Bytes text, long double* out) {
    return convert_whole(text, out,
                         [](const char* s, char** end) { return strtold_l(s, end, c_locale()); });
}

bool parse_double(Bytes text, double* out) {
    const char* p = text.ptr;
    const char* end = p + text.len;
    if (p == end) return false;
    const char* unsigned_part = p + (*p == '-' || *p == '+');
    if (*p == '+') p++;  // strtod takes a plus, from_chars does not ...
    if (unsigned_part == end || *unsigned_part == '-') return false;  // ... but would take "+-1".
    bool hex =
        end - unsigned_part >= 2 && unsigned_part[0] == '0' && ascii_lower(unsigned_part[1]) == 'x';
    if (hex) {
        return convert_whole(
            text, out, [](const char* s, char** stop) { return strtod_l(s, stop, c_locale()); });
    }
    double v;
    std::from_chars_result got = std::from_chars(p, end, v, std::chars_format::general);
    if (got.ec != std::errc() || got.ptr != end || std::isnan(v)) return false;
    *out = v;
    return true;
}

// What is not a plain number: rare, so that the copy does not matter.
static bool strtod_whole(Bytes text, double* out) {
    char few[128];
    char* copy = text.len < sizeof few ? few : static_cast<char*>(malloc(text.len + 1));
    if (copy == nullptr) return false;
    if (text.len != 0) memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    int caller_errno = errno;
    char* end = nullptr;
    double v = strtod_l(copy, &end, c_locale());
    errno = caller_errno;
    bool whole = *end == '\0';
    if (copy != few) free(copy);
    if (!whole || std::isnan(v)) return false;
    *out = v;
    return true;
}

bool parse_double_loosely(Bytes text, double* out) {
    size_t len = 0;
    while (len < text.len && text.ptr[len] != '\0')
        len++;
    text.len = len;
    return parse_double(text, out) || strtod_whole(text, out);
}

// Infinity, spelled out because C libraries differ; 0 for a finite value.
template <typename Float>
static size_t format_special(char* out, Float v) {
    const char* text = nullptr;
    if (std::isnan(v)) text = "nan";
    if (std::isinf(v)) text = v > 0 ? "inf" : "-inf";
    if (text == nullptr) return 0;
    size_t len = strlen(text);
    memcpy(out, text, len);
    return len;
}

size_t format_long_double(char* out, long double v) {
    if (size_t len = format_special(out, v)) return len;
    locale_t caller = uselocale(c_locale());
    int n = snprintf(out, kLdTextMax, "%.17Lf", v);
    uselocale(caller);
    RP_ASSERT(n > 0 && static_cast<size_t>(n) < kLdTextMax);  // 4,952 at most.
    size_t len = static_cast<size_t>(n);
    while (out[len - 1] == '0')
        len--;  // Stops at the point, which is always there.
    if (out[len - 1] == '.') len--;
    if (len == 2 && out[0] == '-' && out[1] == '0') {
        out[0] = '0';
        len = 1;
    }
    return len;
}

size_t format_double(char* out, double v) {
    if (size_t len = format_special(out, v)) return len;
    std::to_chars_result got =
        std::to_chars(out, out + kDoubleTextMax, v, std::chars_format::general, 17);
    RP_ASSERT(got.ec == std::errc());
    return static_cast<size_t>(got.ptr - out);
}

// ---- memory sizes -----------------------------------------------------------------------------

static bool memory_unit(Bytes unit, uint64_t* out) {
    static const struct {
        Bytes name;
        uint64_t bytes;
    } kUnits[] = {
        {"", 1},
        {"b", 1},
        {"k", 1000},
        {"kb", 1u << 10},
        {"m", 1000 * 1000},
        {"mb", 1u << 20},
        {"g", 1000000000u},
        {"gb", 1u << 30},
    };
    for (const auto& row : kUnits) {
        if (!bytes_equal_nocase(unit, row.name)) continue;
        *out = row.bytes;
        return true;
    }
    return false;
}

bool parse_memory(Bytes text, uint64_t* out) {
    uint64_t v = 0;
    bool over = false;
    size_t i = 0;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
        unsigned digit = static_cast<unsigned>(text.ptr[i] - '0');
        over |= __builtin_mul_overflow(v, 10u, &v);
        over |= __builtin_add_overflow(v, digit, &v);
    }
    uint64_t unit;
    if (!memory_unit(bytes_slice(text, i, text.len - i), &unit)) return false;
    over |= __builtin_mul_overflow(v, unit, &v);
    *out = over ? UINT64_MAX : v;
    return true;
}

}  // namespace rp
