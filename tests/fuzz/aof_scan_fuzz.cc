// Fuzz target: an increment of the log. The scan ends with a verdict that holds together: what it
// calls good is good when it stands alone, and a file that was cut where it says is whole.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "persist/aof_scan.h"
#include "persist/crc32c.h"

namespace {

struct Memory {
    const uint8_t* data;
    size_t size, at;
};

Memory* memory(void* arg) { return static_cast<Memory*>(arg); }

int open_read(void* arg, const char*) {
    memory(arg)->at = 0;
    return 3;
}

// By pieces of odd size, so that every token crosses a border of the window sometimes.
ssize_t read_some(void* arg, int, void* to, size_t len) {
    Memory* m = memory(arg);
    const size_t n = std::min({len, m->size - m->at, size_t{1 + m->at % 7}});
    memcpy(to, m->data + m->at, n);
    m->at += n;
    return static_cast<ssize_t>(n);
}

rp::AofScan scan(const uint8_t* data, size_t size, bool deep) {
    Memory m = {data, size, 0};
    rp::FileOps f;
    f.arg = &m;
    f.open_read = open_read;
    f.close = [](void*, int) { return 0; };
    f.read = read_some;
    f.size = [](void* arg, int) { return static_cast<int64_t>(memory(arg)->size); };
    rp::AofScan out;
    rp::PersistErr err;
    if (!rp::aof_scan(&f, "x", &out, &err, {.deep = deep})) abort();
    return out;
}

void expect(bool fact) {
    if (!fact) abort();
}

void look(const uint8_t* data, size_t size) {
    for (bool deep : {false, true}) {
        const rp::AofScan got = scan(data, size, deep);
        expect(got.file_bytes == size && got.good_bytes <= size);
        expect((got.state == rp::AofState::whole) == (got.text[0] == '\0'));
        if (got.state == rp::AofState::whole) expect(got.good_bytes == size);
        // Damage may be a block that has no start of its own (the length of the one before it).
        if (got.state == rp::AofState::torn)
            expect(scan(data, got.good_bytes, deep).state == rp::AofState::whole);
        // What the quick look finds the deep one finds too.
        if (!deep && got.state != rp::AofState::whole)
            expect(scan(data, size, true).state != rp::AofState::whole);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    look(data, size);
    // The same bytes as a run with a right checksum, else no mutation would ever get behind one.
    if (size == 0 || size > 4096) return 0;
    char text[4096 + 96];
    const auto* bytes = reinterpret_cast<const char*>(data);
    const int head =
        snprintf(text, 96, "#RP1 1 1 %zu %08x\r\n", size, rp::crc32c(0, {bytes, size}));
    memcpy(text + head, data, size);
    look(reinterpret_cast<const uint8_t*>(text), static_cast<size_t>(head) + size);
    return 0;
}
