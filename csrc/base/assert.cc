// base/assert.cc: the last words of a process that found a bug in itself.
#include "base/assert.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/log.h"

namespace rp {

// Says it twice: the log file may be closed or quiet, and standard error may be /dev/null. No
// allocation: the heap may be what is broken.
void assert_failed(const char* expr, const char* file, int line) {
    char text[512];
    int n = snprintf(text, sizeof(text), "rustypotato: assertion failed: %s at %s:%d\n", expr, file,
                     line);
    size_t len = n < 0 ? 0 : static_cast<size_t>(n);
    if (len >= sizeof(text)) {
        len = sizeof(text) - 1;
        text[len - 1] = '\n';
    }
    if (write(STDERR_FILENO, text, len) < 0) {
        // Nobody is left to tell.
    }
    log_line(LogLevel::warning, "ASSERTION FAILED: %s at %s:%d", expr, file, line);
    abort();
}

}  // namespace rp
