// Fuzz target: glob_match against a plain recursive matcher, on inputs short enough for it.
//
// Input: one byte of options (bit 0 = nocase, the rest = length of the pattern), pattern, text.
#include <cstdint>
#include <cstdlib>

#include "base/glob.h"

namespace {

using rp::Bytes;

// The pattern cut into what each part takes, so that matching and reading the syntax stay apart.
struct Part {
    bool star;
    bool takes[256];
};

constexpr size_t kPartsMax = 12;
constexpr size_t kTextMax = 16;

// tolower as Redis calls it: on a signed char, in the C locale of glibc.
int lower(int c) {
    if (c >= 'A' && c <= 'Z') return c + ('a' - 'A');
    return c >= -128 && c < -1 ? c + 256 : c;
}

int signed_at(Bytes b, size_t i) { return static_cast<signed char>(b.ptr[i]); }

void take(Part* part, int c, bool nocase) {
    for (int t = -128; t < 128; t++) {
        if (t == c || (nocase && lower(t) == lower(c))) part->takes[t + 128] = true;
    }
}

void take_range(Part* part, int from, int to, bool nocase) {
    int low = from < to ? from : to;
    int high = from < to ? to : from;
    for (int t = -128; t < 128; t++) {
        bool in =
            nocase ? lower(low) <= lower(t) && lower(t) <= lower(high) : low <= t && t <= high;
        if (in) part->takes[t + 128] = true;
    }
}

// i is the position behind '['; returns the position behind the class.
size_t read_class(Bytes p, size_t i, Part* part, bool nocase) {
    bool negate = i < p.len && p.ptr[i] == '^';
    if (negate) i++;
    while (i < p.len && p.ptr[i] != ']') {
        if (p.ptr[i] == '\\' && i + 1 < p.len) {
            take(part, signed_at(p, i + 1), false);
            i += 2;
        } else if (i + 2 < p.len && p.ptr[i + 1] == '-') {
            take_range(part, signed_at(p, i), signed_at(p, i + 2), nocase);
            i += 3;
        } else {
            take(part, signed_at(p, i), nocase);
            i++;
        }
    }
    for (bool& taken : part->takes)
        taken = taken != negate;
    return i < p.len ? i + 1 : i;
}

// The number of parts, or kPartsMax + 1 if there are too many.
size_t read_parts(Bytes p, bool nocase, Part* parts) {
    size_t count = 0;
    for (size_t i = 0; i < p.len; count++) {
        if (count == kPartsMax) return kPartsMax + 1;
        Part* part = &parts[count];
        *part = {};
        char c = p.ptr[i++];
        if (c == '*') {
            part->star = true;
        } else if (c == '?') {
            for (bool& taken : part->takes)
                taken = true;
        } else if (c == '[') {
            i = read_class(p, i, part, nocase);
        } else {
            if (c == '\\' && i < p.len) i++;
            take(part, signed_at(p, i - 1), nocase);
        }
    }
    return count;
}

bool parts_match(const Part* part, size_t count, Bytes text, size_t at) {
    if (count == 0) return at == text.len;
    if (part->star) {
        for (size_t next = at; next <= text.len; next++) {
            if (parts_match(part + 1, count - 1, text, next)) return true;
        }
        return false;
    }
    return at < text.len && part->takes[signed_at(text, at) + 128] &&
           parts_match(part + 1, count - 1, text, at + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    bool nocase = (data[0] & 1) != 0;
    size_t pattern_len = data[0] >> 1;
    if (pattern_len > size - 1) pattern_len = size - 1;
    const char* body = reinterpret_cast<const char*>(data) + 1;
    Bytes pattern = {body, pattern_len};
    Bytes text = {body + pattern_len, size - 1 - pattern_len};
    bool got = rp::glob_match(pattern, text, nocase);

    Part parts[kPartsMax];
    size_t count = read_parts(pattern, nocase, parts);
    if (count > kPartsMax || text.len > kTextMax) return 0;
    // Redis' rule: an empty text is matched by the empty pattern alone.
    bool want = text.len == 0 ? pattern.len == 0 : parts_match(parts, count, text, 0);
    if (got != want) abort();
    return 0;
}
