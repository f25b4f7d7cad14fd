#include "conf/split_args.h"

namespace rp {

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// -1 unless c is a hexadecimal digit.
static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char low = ascii_lower(c);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

static char unescape(char c) {
    switch (c) {
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        case 'b': return '\b';
        case 'a': return '\a';
        default: return c;
    }
}

// A byte of a quoted part, escapes decoded; *p is advanced by what it took.
static char take_quoted(const char** p, const char* end, char quote) {
    const char* at = *p;
    const size_t left = static_cast<size_t>(end - at);
    if (quote == '\'') {
        const size_t taken = left >= 2 && at[0] == '\\' && at[1] == '\'' ? 2 : 1;
        *p += taken;
        return at[taken - 1];
    }
    if (at[0] != '\\' || left < 2 || at[1] == '\0') {
        *p += 1;
        return at[0];
    }
    if (left >= 4 && at[1] == 'x' && hex_digit(at[2]) >= 0 && hex_digit(at[3]) >= 0) {
        *p += 4;
        return static_cast<char>(hex_digit(at[2]) * 16 + hex_digit(at[3]));
    }
    *p += 2;
    return unescape(at[1]);
}

SplitArg split_args_next(Bytes* rest, char* out, size_t* len) {
    const char* p = rest->ptr;
    const char* end = p + rest->len;
    while (p < end && is_space(*p))
        p++;
    if (p == end || *p == '\0') {
        *rest = {end, 0};
        return SplitArg::end;
    }
    char* to = out;
    char quote = '\0';
    while (p < end && *p != '\0') {
        if (quote == '\0') {
            if (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') break;
            if (*p == '"' || *p == '\'') {
                quote = *p++;
            } else {
                *to++ = *p++;
            }
        } else if (*p == quote) {
            p++;
            if (p < end && *p != '\0' && !is_space(*p)) return SplitArg::unbalanced;
            quote = '\0';
            break;
        } else {
            *to++ = take_quoted(&p, end, quote);
        }
    }
    if (quote != '\0') return SplitArg::unbalanced;
    *len = static_cast<size_t>(to - out);
    *rest = {p, static_cast<size_t>(end - p)};
    return SplitArg::arg;
}

}  // namespace rp
