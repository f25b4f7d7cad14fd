// base/glob.cc: see glob.h.
//
// Every part of a pattern except '*' eats exactly one byte of the text. So only the last star met
// ever needs to be widened: whatever an earlier one could still take, the last one can take too.
#include "base/glob.h"

namespace rp {

// What Redis' tolower((int)c) gives for a (signed, x86) char in the C locale: glibc's table maps
// the negative values to 128..254, and -1 (its EOF) to itself. Only ranges can tell.
static int fold(char c) {
    int v = static_cast<signed char>(c);
    if (v >= 'A' && v <= 'Z') return v + 32;
    return v < -1 ? v + 256 : v;
}

static bool same_char(char a, char b, bool nocase) {
    return a == b || (nocase && ascii_lower(a) == ascii_lower(b));
}

// The ends are put in order before they are folded, as Redis does: "[Z-a]" without case is z..a,
// which holds nothing.
static bool in_range(char from, char to, char c, bool nocase) {
    int low = static_cast<signed char>(from);
    int high = static_cast<signed char>(to);
    if (low > high) {
        char swap = from;
        from = to;
        to = swap;
    }
    if (nocase) return fold(c) >= fold(from) && fold(c) <= fold(to);
    int v = static_cast<signed char>(c);
    return v >= static_cast<signed char>(from) && v <= static_cast<signed char>(to);
}

// *at stands behind the '['; it is left behind the ']', or at `end` if there is none. An escaped
// byte is compared with case even if nocase, and "[]" holds nothing: both as in Redis.
static bool class_match(const char** at, const char* end, char c, bool nocase) {
    const char* p = *at;
    bool negate = p < end && *p == '^';
    if (negate) p++;
    bool hit = false;
    while (p < end && *p != ']') {
        size_t left = static_cast<size_t>(end - p);
        if (*p == '\\' && left >= 2) {
            hit |= p[1] == c;
            p += 2;
        } else if (left >= 3 && p[1] == '-') {
            hit |= in_range(p[0], p[2], c, nocase);
            p += 3;
        } else {
            hit |= same_char(*p, c, nocase);
            p++;
        }
    }
    *at = p < end ? p + 1 : end;
    return hit != negate;
}

// Whether the one-byte part of the pattern at *at takes c; moves *at behind that part.
static bool part_match(const char** at, const char* end, char c, bool nocase) {
    const char* p = (*at)++;
    switch (*p) {
        case '?': return true;
        case '[': return class_match(at, end, c, nocase);
        case '\\':
            // A backslash that ends the pattern stands for itself.
            if (*at < end) p = (*at)++;
            break;
        default: break;
    }
    return same_char(*p, c, nocase);
}

static const char* skip_stars(const char* p, const char* end) {
    while (p < end && *p == '*')
        p++;
    return p;
}

// The first place at or after t where the pattern from p (not a star, not its end) may begin to
// match; null if there is none.
static const char* next_start(const char* p, const char* t, const char* t_end, bool nocase) {
    if (t == t_end) return nullptr;
    if (nocase || *p == '?' || *p == '[' || *p == '\\') return t;
    return static_cast<const char*>(memchr(t, *p, static_cast<size_t>(t_end - t)));
}

bool glob_match(Bytes pattern, Bytes text, bool nocase) {
    // Redis' loop does not run for an empty text, so that not even "*" takes it.
    if (text.len == 0) return pattern.len == 0;
    const char* p = pattern.ptr;
    const char* p_end = p + pattern.len;
    const char* t = text.ptr;
    const char* t_end = t + text.len;
    const char* star = nullptr;    // The pattern behind the last star met.
    const char* star_t = nullptr;  // Where the text behind that star begins.
    while (t < t_end) {
        if (p < p_end && *p == '*') {
            star = p = skip_stars(p, p_end);
            if (p == p_end) return true;
            star_t = t = next_start(star, t, t_end, nocase);
            if (t == nullptr) return false;
        }
        if (p < p_end && part_match(&p, p_end, *t, nocase)) {
            t++;
        } else {
            if (star == nullptr) return false;
            p = star;
            star_t = t = next_start(star, star_t + 1, t_end, nocase);
            if (t == nullptr) return false;
        }
    }
    return skip_stars(p, p_end) == p_end;
}

}  // namespace rp
