// base/bytes.h: a borrowed run of bytes. It never owns; whoever made it says how long it lives.
//
// Keys and values are binary: no terminator is implied and NUL is an ordinary byte.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace rp {

struct Bytes {
    const char* ptr = nullptr;
    size_t len = 0;

    constexpr Bytes() = default;
    constexpr Bytes(const char* p, size_t n) : ptr(p), len(n) {}
    // From a literal: the terminator is left out.
    template <size_t N>
    constexpr Bytes(const char (&text)[N]) : ptr(text), len(N - 1) {}

    char operator[](size_t i) const { return ptr[i]; }
};

// From a NUL-terminated string of unknown length.
inline Bytes bytes_of(const char* text) { return {text, strlen(text)}; }

inline bool bytes_equal(Bytes a, Bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

// ASCII only, as command names and option words are.
inline char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
inline char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

inline bool bytes_equal_nocase(Bytes a, Bytes b) {
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i])) return false;
    }
    return true;
}

inline Bytes bytes_slice(Bytes b, size_t from, size_t len) { return {b.ptr + from, len}; }

}  // namespace rp
