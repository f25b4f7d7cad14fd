// Fuzz target: the number parsers against the C library's, and every result printed and read back.
//
// Input: the text of a number; its first bytes also serve as the bits of numbers to print.
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/numbers.h"

namespace {

using rp::Bytes;

void expect(bool fact) {
    if (!fact) abort();
}

constexpr size_t kTextMax = 5000;

// Redis' conditions around strtod and strtold. `text` is terminated.
template <typename Float>
bool reference_float(Float (*convert)(const char*, char**), const char* text, size_t len,
                     Float* out) {
    char* end = nullptr;
    errno = 0;
    Float v = convert(text, &end);
    bool out_of_range = errno == ERANGE && (std::isinf(v) || v == 0);
    bool space = len > 0 && strchr(" \t\n\v\f\r", text[0]) != nullptr && text[0] != '\0';
    *out = v;
    return len > 0 && !space && end == text + len && !out_of_range && !std::isnan(v);
}

void check_floats(const char* text, size_t len) {
    double want = 0, got = 0;
    bool fine = reference_float<double>(strtod, text, len, &want);
    expect(rp::parse_double({text, len}, &got) == fine);
    if (fine) expect(got == want && std::signbit(got) == std::signbit(want));
    long double want_long = 0, got_long = 0;
    fine = reference_float<long double>(strtold, text, len, &want_long);
    expect(rp::parse_long_double({text, len}, &got_long) == fine);
    if (fine) expect(got_long == want_long && std::signbit(got_long) == std::signbit(want_long));
}

// A strict integer is what prints back to the very same bytes.
void check_integers(const char* text, size_t len) {
    char again[rp::kI64TextMax + 12];
    errno = 0;
    long long want = strtoll(text, nullptr, 10);
    bool ranged = errno == 0;
    int n = snprintf(again, sizeof(again), "%lld", want);
    bool fine = ranged && static_cast<size_t>(n) == len && memcmp(again, text, len) == 0;
    int64_t got = 0;
    expect(rp::parse_i64({text, len}, &got) == fine);
    if (fine) expect(got == want);

    errno = 0;
    unsigned long long want_u = strtoull(text, nullptr, 10);
    ranged = errno == 0;
    n = snprintf(again, sizeof(again), "%llu", want_u);
    fine = ranged && static_cast<size_t>(n) == len && memcmp(again, text, len) == 0;
    uint64_t got_u = 0;
    expect(rp::parse_u64({text, len}, &got_u) == fine);
    if (fine) expect(got_u == want_u);
}

void check_printing(uint64_t bits) {
    char want[64], got[64];
    int64_t i = static_cast<int64_t>(bits);
    size_t len = rp::format_i64(got, i);
    expect(static_cast<size_t>(snprintf(want, sizeof(want), "%lld", static_cast<long long>(i))) ==
           len);
    expect(memcmp(want, got, len) == 0 && rp::i64_text_len(i) == len);

    double d;
    memcpy(&d, &bits, sizeof(d));
    if (std::isnan(d)) return;
    len = rp::format_double(got, d);
    expect(static_cast<size_t>(snprintf(want, sizeof(want), "%.17g", d)) == len);
    expect(memcmp(want, got, len) == 0);
    double back = 0;
    expect(rp::parse_double({got, len}, &back) && back == d);

    static char human[rp::kLdTextMax];
    len = rp::format_long_double(human, static_cast<long double>(d));
    long double read = 0;
    expect(rp::parse_long_double({human, len}, &read));
    if (std::isinf(d)) {
        expect(read == static_cast<long double>(d));
    } else {
        expect(fabsl(read - static_cast<long double>(d)) <= 1e-17L);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size > kTextMax) return 0;
    static char text[kTextMax + 1];
    if (size > 0) memcpy(text, data, size);
    text[size] = '\0';
    check_integers(text, size);
    check_floats(text, size);
    uint64_t memory = 0;
    rp::parse_memory({text, size}, &memory);
    uint64_t bits = 0;
    memcpy(&bits, text, size < sizeof(bits) ? size : sizeof(bits));
    check_printing(bits);
    return 0;
}
