// The shapes of a line: see log.h.
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "base/log.h"

namespace rp {

const char* log_level_name(LogLevel level) {
    static const char* const kNames[] = {"debug", "verbose", "notice", "warning"};
    return kNames[static_cast<int>(level)];
}

// ---- Redis' -----------------------------------------------------------------------------------

// "pid:M 23 Nov 2026 04:32:15.123 * ", the role always M: we have no replicas, sentinels or
// forked savers. Month names are spelled here because strftime's follow the locale.
static size_t redis_head(char* out, size_t size, LogLevel level, int64_t now_ms) {
    static const char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static const char kMarks[] = ".-*#";
    time_t seconds = static_cast<time_t>(now_ms / 1000);
    tm day = {};
    localtime_r(&seconds, &day);
    int n = snprintf(out, size, "%d:M %02d %.3s %04d %02d:%02d:%02d.%03d %c ",
                     static_cast<int>(getpid()), day.tm_mday, kMonths + 3 * day.tm_mon,
                     day.tm_year + 1900, day.tm_hour, day.tm_min, day.tm_sec,
                     static_cast<int>(now_ms % 1000), kMarks[static_cast<int>(level)]);
    return n < 0 ? 0 : static_cast<size_t>(n);
}

void log_blank_controls(char* text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = static_cast<unsigned char>(text[i]);
        if ((c < 32 && c != '\t') || c == 127) text[i] = ' ';
    }
}

static size_t shape_redis(LogLevel level, int64_t now_ms, const char* text, size_t len, char* out) {
    size_t at = redis_head(out, kLogLineMax, level, now_ms);
    if (len > kLogLineMax - 1 - at) len = kLogLineMax - 1 - at;
    memcpy(out + at, text, len);
    log_blank_controls(out + at, len);
    at += len;
    out[at++] = '\n';
    return at;
}

// ---- logfmt and JSON --------------------------------------------------------------------------

constexpr size_t kTimeMax = 96;

// "2026-11-23T04:32:15.123Z"
static void utc_time(int64_t now_ms, char out[kTimeMax]) {
    time_t seconds = static_cast<time_t>(now_ms / 1000);
    tm day = {};
    gmtime_r(&seconds, &day);
    snprintf(out, kTimeMax, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", day.tm_year + 1900,
             day.tm_mon + 1, day.tm_mday, day.tm_hour, day.tm_min, day.tm_sec,
             static_cast<int>(now_ms % 1000));
}

// The bytes of the UTF-8 character at p, 0 if there is none: shortest form, no surrogates, up to
// U+10FFFF.
static size_t utf8_len(const unsigned char* p, size_t left) {
    unsigned char c = p[0];
    if (c < 0x80) return 1;
    size_t n = c >= 0xC2 && c <= 0xDF ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    if (n == 0 || n > left) return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
    }
    if (c == 0xE0 && p[1] < 0xA0) return 0;
    if (c == 0xED && p[1] > 0x9F) return 0;
    if (c == 0xF0 && p[1] < 0x90) return 0;
    if (c == 0xF4 && p[1] > 0x8F) return 0;
    return n;
}

// In quotes. Both shapes read \" \\ \n \t and \u00XX alike.
static size_t quote(const char* text, size_t len, char* out) {
    auto* in = reinterpret_cast<const unsigned char*>(text);
    char* at = out;
    *at++ = '"';
    for (size_t i = 0; i < len;) {
        size_t n = utf8_len(in + i, len - i);
        unsigned char c = in[i];
        bool c1 = n == 2 && c == 0xC2 && in[i + 1] < 0xA0;  // U+0080 to U+009F move cursors, too
        if (n == 0) {
            memcpy(at, "\xEF\xBF\xBD", 3);
            at += 3;
            n = 1;
        } else if (c == '"' || c == '\\') {
            *at++ = '\\';
            *at++ = text[i];
        } else if (c < 32 || c == 127 || c1) {
            at += snprintf(at, 8, "\\u%04x", c1 ? in[i + 1] : c);
        } else {
            memcpy(at, text + i, n);
            at += n;
        }
        i += n;
    }
    *at++ = '"';
    return static_cast<size_t>(at - out);
}

size_t log_shape(LogFormat format, LogLevel level, int64_t now_ms, const char* text, size_t len,
                 char out[kLogShapedMax]) {
    if (format == LogFormat::redis) return shape_redis(level, now_ms, text, len, out);
    if (len > kLogTextMax) len = kLogTextMax;
    char ts[kTimeMax];
    utc_time(now_ms, ts);
    bool json = format == LogFormat::json;
    int head = snprintf(
        out, 160,
        json ? "{\"ts\":\"%s\",\"level\":\"%s\",\"pid\":%d,\"msg\":" : "ts=%s level=%s pid=%d msg=",
        ts, log_level_name(level), static_cast<int>(getpid()));
    size_t at = static_cast<size_t>(head);
    at += quote(text, len, out + at);
    if (json) out[at++] = '}';
    out[at++] = '\n';
    return at;
}

}  // namespace rp
