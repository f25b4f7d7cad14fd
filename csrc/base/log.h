// base/log.h: the server log. One call is one line, in one of three shapes:
//
//     redis    2041:M 23 Nov 2026 04:32:15.123 * Ready to accept connections
//     logfmt   ts=2026-11-23T04:32:15.123Z level=notice pid=2041 msg="Ready to accept connections"
//     json     {"ts":"2026-11-23T04:32:15.123Z","level":"notice","pid":2041,"msg":"Ready ..."}
//
// Whatever a client sent, it cannot forge a line, leave its field or move a terminal's cursor:
// control bytes become spaces in the first shape and escapes in the others, and in json what is not
// UTF-8 becomes U+FFFD. Times are local in the first shape, UTC in the others.
//
// Threads  any; a line is written by one write(2), so lines never mix.
// Limits   kLogLineMax bytes a line in Redis' shape, newline included, and kLogTextMax of text in
//          the others; the rest is cut.
#pragma once
#include <cstdarg>
#include <cstddef>
#include <cstdint>

#include "base/status.h"

namespace rp {

enum class LogLevel : uint8_t { debug, verbose, notice, warning };
enum class LogFormat : uint8_t { redis, logfmt, json };
constexpr int kLogLineMax = 1024;
constexpr int kLogTextMax = 960;
constexpr size_t kLogPathMax = 4096;

void log_set_level(LogLevel least);
LogLevel log_level();
const char* log_level_name(LogLevel level);
void log_set_format(LogFormat format);

// ---- where lines go ---------------------------------------------------------------------------
// Null or "" = standard output. Opened for append; on failure (io) the old target stays and errno
// says why.
Status log_open(const char* path);
// Opens the file of log_open again, by its name: after it was moved away (log rotation). Does
// nothing without a file. Fails as log_open.
Status log_reopen();
// Standard error belongs to systemd's journal ($JOURNAL_STREAM names it): lines go there instead of
// to standard output, without time and pid, which the journal adds, and led by "<5>", which it
// reads as their level. True if so.
bool log_to_journal();
// As well to the system logger; `facility` is one of syslog(3)'s. Null: no more.
void log_to_syslog(const char* ident, int facility);
// While true no line is written to the target: the library's start, until its user asks for a log.
void log_set_quiet(bool on);

[[gnu::format(printf, 2, 3)]] void log_line(LogLevel level, const char* format, ...);

#define RP_LOG_DEBUG(...) ::rp::log_line(::rp::LogLevel::debug, __VA_ARGS__)
#define RP_LOG_VERBOSE(...) ::rp::log_line(::rp::LogLevel::verbose, __VA_ARGS__)
#define RP_LOG_NOTICE(...) ::rp::log_line(::rp::LogLevel::notice, __VA_ARGS__)
#define RP_LOG_WARNING(...) ::rp::log_line(::rp::LogLevel::warning, __VA_ARGS__)

// ---- for base/log*.cc and their tests ---------------------------------------------------------
constexpr size_t kLogShapedMax = 6 * kLogTextMax + 256;
void log_blank_controls(char* text, size_t len);  // all but tabs become spaces
// A whole line with its newline; returns its length.
size_t log_shape(LogFormat format, LogLevel level, int64_t now_ms, const char* text, size_t len,
                 char out[kLogShapedMax]);

}  // namespace rp
