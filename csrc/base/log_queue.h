// base/log_queue.h: lines of the log for the program the engine lives in, which fetches them when
// it likes: no thread of the engine ever waits for it or runs its code.
//
// Threads  any may log; one at a time should take.
// Limits   kLogQueueLines lines wait, newer ones are lost while it is full; who takes next is told
//          how many.
// Fork     the child starts with an empty queue and without takers.
#pragma once
#include "base/log.h"

namespace rp {

constexpr size_t kLogQueueLines = 256;

struct LogLine {
    LogLevel level;
    int64_t time_ms;
    uint64_t lost;  // lines that did not fit between the one before and this one
    size_t len;
    char text[kLogLineMax];  // control bytes are spaces
};

// From here on lines wait to be taken.
void log_queue_start();
void log_queue_stop();  // what waits is forgotten; takers come back
bool log_queue_running();
// Waits for a line for at most timeout_ms; false: none came, or the queue was stopped or woken.
bool log_queue_take(LogLine* out, int timeout_ms);
void log_queue_wake();  // a taker that waits, or else the next one, comes back at once

// For log.cc.
void log_queue_add(LogLevel level, int64_t time_ms, const char* text, size_t len);

}  // namespace rp
