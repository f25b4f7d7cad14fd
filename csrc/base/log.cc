// base/log.cc: where lines go: see log.h.
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "base/clock.h"
#include "base/log_queue.h"

namespace rp {

// Relaxed throughout: each is a lone setting, and a line that sees the old value is a line that
// came a moment earlier.
static std::atomic<LogLevel> least_level{LogLevel::notice};
static std::atomic<LogFormat> line_format{LogFormat::redis};
static std::atomic<bool> quiet{false};
static std::atomic<bool> journal{false};
static std::atomic<bool> to_syslog{false};
static std::atomic<int> target_fd{STDOUT_FILENO};

// The first file opened keeps its descriptor number for good; later ones are dup'ed over it. So a
// writer that has just read target_fd never writes to a closed or recycled descriptor.
static std::mutex open_lock;  // Guards file_fd, file_path and the ident of openlog.
static int file_fd = -1;
static char file_path[kLogPathMax];
static char syslog_ident[64];

void log_set_level(LogLevel least) { least_level.store(least, std::memory_order_relaxed); }
LogLevel log_level() { return least_level.load(std::memory_order_relaxed); }
void log_set_format(LogFormat format) { line_format.store(format, std::memory_order_relaxed); }
void log_set_quiet(bool on) { quiet.store(on, std::memory_order_relaxed); }

// ---- targets ----------------------------------------------------------------------------------

// REQUIRES: open_lock.
static Status open_file(const char* path) {
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return Status::io;
    if (file_fd < 0) {
        file_fd = fd;
        return Status::ok;
    }
    int moved = dup3(fd, file_fd, O_CLOEXEC);
    int why = errno;
    close(fd);
    errno = why;
    return moved < 0 ? Status::io : Status::ok;
}

Status log_open(const char* path) {
    std::lock_guard<std::mutex> hold(open_lock);
    if (path == nullptr || path[0] == '\0') {
        target_fd.store(STDOUT_FILENO, std::memory_order_relaxed);
        journal.store(false, std::memory_order_relaxed);
        file_path[0] = '\0';
        return Status::ok;
    }
    Status s = open_file(path);
    if (s != Status::ok) return s;
    snprintf(file_path, sizeof file_path, "%s", path);
    journal.store(false, std::memory_order_relaxed);
    target_fd.store(file_fd, std::memory_order_relaxed);
    return Status::ok;
}

Status log_reopen() {
    std::lock_guard<std::mutex> hold(open_lock);
    return file_path[0] == '\0' ? Status::ok : open_file(file_path);
}

bool log_to_journal() {
    const char* stream = getenv("JOURNAL_STREAM");  // "device:inode"
    struct stat st;
    unsigned long long device, inode;
    if (stream == nullptr || sscanf(stream, "%llu:%llu", &device, &inode) != 2) return false;
    if (fstat(STDERR_FILENO, &st) != 0 || st.st_dev != device || st.st_ino != inode) return false;
    target_fd.store(STDERR_FILENO, std::memory_order_relaxed);
    journal.store(true, std::memory_order_relaxed);
    return true;
}

void log_to_syslog(const char* ident, int facility) {
    std::lock_guard<std::mutex> hold(open_lock);
    if (ident == nullptr) {
        to_syslog.store(false, std::memory_order_relaxed);
        return;
    }
    snprintf(syslog_ident, sizeof syslog_ident, "%s", ident);
    openlog(syslog_ident, LOG_PID | LOG_NDELAY | LOG_NOWAIT, facility);
    to_syslog.store(true, std::memory_order_relaxed);
}

// ---- lines ------------------------------------------------------------------------------------

static int syslog_level(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return LOG_DEBUG;
        case LogLevel::verbose: return LOG_INFO;
        case LogLevel::notice: return LOG_NOTICE;
        case LogLevel::warning: return LOG_WARNING;
    }
    return LOG_NOTICE;
}

// "<5>text": the journal has the time and the pid already.
static size_t shape_journal(LogLevel level, LogFormat format, int64_t now_ms, char* text,
                            size_t len, char* out) {
    size_t head = static_cast<size_t>(snprintf(out, 8, "<%d>", syslog_level(level)));
    if (format != LogFormat::redis) {
        return head + log_shape(format, level, now_ms, text, len, out + head);
    }
    memcpy(out + head, text, len);
    log_blank_controls(out + head, len);
    out[head + len] = '\n';
    return head + len + 1;
}

static void write_line(LogLevel level, int64_t now_ms, char* text, size_t len) {
    char line[kLogShapedMax + 8];
    LogFormat format = line_format.load(std::memory_order_relaxed);
    size_t n = journal.load(std::memory_order_relaxed)
                   ? shape_journal(level, format, now_ms, text, len, line)
                   : log_shape(format, level, now_ms, text, len, line);
    int fd = target_fd.load(std::memory_order_relaxed);
    while (write(fd, line, n) < 0 && errno == EINTR) {
        // A full disk or a closed pipe costs the line, never the server.
    }
}

void log_line(LogLevel level, const char* format, ...) {
    bool is_quiet = quiet.load(std::memory_order_relaxed), queues = log_queue_running();
    if (level < log_level() || (is_quiet && !queues)) return;
    int caller_errno = errno;
    char text[kLogLineMax];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : static_cast<size_t>(n);
    if (len > sizeof text - 1) len = sizeof text - 1;
    int64_t now_ms = clock_wall_ms();
    if (!is_quiet) write_line(level, now_ms, text, len);  // escapes what is blanked here
    log_blank_controls(text, len);
    if (queues) log_queue_add(level, now_ms, text, len);
    if (!is_quiet && to_syslog.load(std::memory_order_relaxed)) {
        syslog(syslog_level(level), "%.*s", static_cast<int>(len), text);
    }
    errno = caller_errno;
}

}  // namespace rp
