// Fuzz target: any bytes as an RDB file, in pieces. It is read or refused in one line; what is read
// is well-formed.
#include <cstdint>
#include <cstring>
#include <string>

#include "rdb_values.h"

using namespace rp;

namespace {

struct File {
    const uint8_t* data;
    size_t size;
    size_t at;
    size_t piece;
};

ssize_t read_file(void* arg, void* to, size_t len) {
    auto* f = static_cast<File*>(arg);
    size_t n = f->size - f->at;
    if (n > len) n = len;
    if (n > f->piece) n = f->piece;
    if (n != 0) memcpy(to, f->data + f->at, n);
    f->at += n;
    return static_cast<ssize_t>(n);
}

bool see_key(void* arg, RdbKey* k, PersistErr*) {
    fuzz::check(k);
    *static_cast<size_t*>(arg) += k->key.len;
    if (k->string != nullptr && k->text.len % 2 == 0) {  // half of them are taken
        blob_unref(k->string);
        k->string = nullptr;
    }
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    for (bool checksum : {false, true}) {
        File f = {data, size, 0, checksum ? SIZE_MAX : 7};
        RdbIn in = {.read = read_file, .arg = &f, .path = "fuzz", .checksum = checksum};
        size_t key_bytes = 0;
        RdbVisitor visitor;
        visitor.arg = &key_bytes;
        visitor.key = see_key;
        uint64_t used = 0;
        PersistErr err;
        bool good = rdb_read(&in, checksum ? &fuzz::kWide : &fuzz::kNarrow, &visitor, &used, &err);
        fuzz::expect(used <= size);
        size_t len = strlen(err.text);
        fuzz::expect(good ? len == 0 : len > 6 && strchr(err.text, '\n') == nullptr);
    }
    return 0;
}
