// Fuzz target: the text of a redis.conf. Every refusal is one line; every value that was accepted
// is accepted again in the form CONFIG GET shows, and means the same.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "conf/config.h"

namespace {

void expect(bool fact) {
    if (!fact) abort();
}

bool ends_with(const char* text, const char* tail) {
    const size_t len = strlen(text), tail_len = strlen(tail);
    return len >= tail_len && strcmp(text + len - tail_len, tail) == 0;
}

void set_again(void* arg, rp::Bytes name, rp::Bytes value) {
    rp::Config* to = static_cast<rp::Config*>(arg);
    const rp::ConfigPair pair = {name, value};
    rp::ConfigErr err;
    if (!rp::config_set_many(to, &pair, 1, true, &err)) {
        expect(ends_with(err.text, "can't set immutable config") ||
               ends_with(err.text, "can't set protected config"));
        return;
    }
    std::string got(value.len + 1, '\0');
    expect(rp::config_text(to, name, got.data(), got.size()) == value.len);
    expect(memcmp(got.data(), value.ptr, value.len) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    rp::Config* c = nullptr;
    rp::Config* again = nullptr;
    expect(rp::config_new(&c) == rp::Status::ok && rp::config_new(&again) == rp::Status::ok);
    rp::ConfigErr err;
    const rp::Bytes text = {reinterpret_cast<const char*>(data), size};
    if (!rp::config_load_text(c, text, "fuzz", false, &err)) {
        const size_t len = strlen(err.text);
        expect(len != 0 && len < rp::kConfigErrMax && !memchr(err.text, '\n', len));
    }
    const rp::Bytes all = "*";
    rp::config_get(c, &all, 1, {set_again, again});
    rp::config_free(again);
    rp::config_free(c);
    return 0;
}
