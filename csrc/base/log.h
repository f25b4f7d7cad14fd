// base/log.h: the server log. One line per call, in Redis' shape: "pid:role date level text".
//
// Control bytes in the text become spaces, so that one call is one line whatever a client sent.
//
// Threads  any; a line is written by one write(2), so lines never mix.
// Limits   kLogLineMax bytes a line with its newline, the rest is cut.
#pragma once
#include <cstdarg>
#include <cstdint>

#include "base/status.h"

namespace rp {

enum class LogLevel : uint8_t { debug, verbose, notice, warning };
constexpr int kLogLineMax = 1024;

void log_set_level(LogLevel least);
LogLevel log_level();
// Null or "" = standard output. Opened for append; on failure (io) the old target stays and errno
// says why.
Status log_open(const char* path);
// While true no line is written: the library's start, until its user asks for a log.
void log_set_quiet(bool on);

[[gnu::format(printf, 2, 3)]] void log_line(LogLevel level, const char* format, ...);

#define RP_LOG_DEBUG(...) ::rp::log_line(::rp::LogLevel::debug, __VA_ARGS__)
#define RP_LOG_VERBOSE(...) ::rp::log_line(::rp::LogLevel::verbose, __VA_ARGS__)
#define RP_LOG_NOTICE(...) ::rp::log_line(::rp::LogLevel::notice, __VA_ARGS__)
#define RP_LOG_WARNING(...) ::rp::log_line(::rp::LogLevel::warning, __VA_ARGS__)

}  // namespace rp
