// Files that take everything and keep nothing, and a writev that can be held up: a snapshot that
// cannot get on.
#pragma once
#include <atomic>

#include "persist/file.h"

namespace rp::test {

struct HeldFiles {
    FileOps ops;
    std::atomic<bool> held{false};
    std::atomic<int> stuck{0};  // how many writev found it held

    HeldFiles() {
        ops.arg = this;
        ops.open_new = [](void*, const char*) { return 1000; };
        ops.close = [](void*, int) { return 0; };
        ops.writev = [](void* arg, int, const iovec* parts, int count) {
            auto* me = static_cast<HeldFiles*>(arg);
            if (me->held) {
                me->stuck++;
                me->stuck.notify_all();
                me->held.wait(true);
            }
            ssize_t sum = 0;
            for (int i = 0; i < count; i++)
                sum += static_cast<ssize_t>(parts[i].iov_len);
            return sum;
        };
        ops.sync_data = [](void*, int) { return 0; };
        ops.rename = [](void*, const char*, const char*) { return 0; };
        ops.unlink = [](void*, const char*) { return 0; };
        ops.sync_dir = [](void*, const char*) { return 0; };
    }
    void hold() { held = true; }
    void wait_stuck() { stuck.wait(0); }
    void let_go() {
        held = false;
        held.notify_all();
    }
};

}  // namespace rp::test
