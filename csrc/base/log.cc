// base/log.cc: see log.h.
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "base/clock.h"

namespace rp {

// Relaxed throughout: each is a lone setting, and a line that sees the old value is a line that
// came a moment earlier.
static std::atomic<LogLevel> least_level{LogLevel::notice};
static std::atomic<bool> quiet{false};
static std::atomic<int> target_fd{STDOUT_FILENO};

// The first file opened keeps its descriptor number for good; later ones are dup'ed over it. So a
// writer that has just read target_fd never writes to a closed or recycled descriptor.
static std::mutex open_lock;  // Guards file_fd.
static int file_fd = -1;

void log_set_level(LogLevel least) { least_level.store(least, std::memory_order_relaxed); }
LogLevel log_level() { return least_level.load(std::memory_order_relaxed); }
void log_set_quiet(bool on) { quiet.store(on, std::memory_order_relaxed); }

Status log_open(const char* path) {
    if (path == nullptr || path[0] == '\0') {
        target_fd.store(STDOUT_FILENO, std::memory_order_relaxed);
        return Status::ok;
    }
    std::lock_guard<std::mutex> hold(open_lock);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return Status::io;
    if (file_fd < 0) {
        file_fd = fd;
    } else {
        int moved = dup3(fd, file_fd, O_CLOEXEC);
        int why = errno;
        close(fd);
        errno = why;
        if (moved < 0) return Status::io;
    }
    target_fd.store(file_fd, std::memory_order_relaxed);
    return Status::ok;
}

// "pid:M 23 Nov 2026 04:32:15.123 * ", the role always M: we have no replicas, sentinels or
// forked savers. Month names are spelled here because strftime's follow the locale.
static size_t prefix_write(char* out, size_t size, LogLevel level) {
    static const char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static const char kMarks[] = ".-*#";
    int64_t now_ms = clock_wall_ms();
    time_t seconds = static_cast<time_t>(now_ms / 1000);
    tm day = {};
    localtime_r(&seconds, &day);
    int n = snprintf(out, size, "%d:M %02d %.3s %04d %02d:%02d:%02d.%03d %c ",
                     static_cast<int>(getpid()), day.tm_mday, kMonths + 3 * day.tm_mon,
                     day.tm_year + 1900, day.tm_hour, day.tm_min, day.tm_sec,
                     static_cast<int>(now_ms % 1000), kMarks[static_cast<int>(level)]);
    return n < 0 ? 0 : static_cast<size_t>(n);
}

// A name or value sent by a client may be in the text: it must not be able to forge a line of its
// own or move a terminal's cursor.
static void control_bytes_blank(char* text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = static_cast<unsigned char>(text[i]);
        if ((c < 32 && c != '\t') || c == 127) text[i] = ' ';
    }
}

void log_line(LogLevel level, const char* format, ...) {
    if (level < log_level() || quiet.load(std::memory_order_relaxed)) return;
    int caller_errno = errno;
    char line[kLogLineMax];
    size_t head = prefix_write(line, sizeof(line), level);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line + head, sizeof(line) - head, format, args);
    va_end(args);
    size_t len = head + (n < 0 ? 0 : static_cast<size_t>(n));
    if (len > sizeof(line) - 1) len = sizeof(line) - 1;  // The last byte is for the newline.
    control_bytes_blank(line + head, len - head);
    line[len++] = '\n';
    int fd = target_fd.load(std::memory_order_relaxed);
    while (write(fd, line, len) < 0 && errno == EINTR) {
        // A full disk or a closed pipe costs the line, never the server.
    }
    errno = caller_errno;
}

}  // namespace rp
