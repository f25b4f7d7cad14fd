// Fuzz target: a manifest. What is accepted comes back the same from its own text; every refusal is
// one line that names the file.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "persist/manifest.h"

namespace {

void expect(bool fact) {
    if (!fact) abort();
}

std::string format(const rp::Manifest* m) {
    std::string text(rp::manifest_format(m, nullptr, 0) + 1, '\0');
    rp::manifest_format(m, text.data(), text.size());
    text.pop_back();
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    rp::Manifest m, again;
    rp::PersistErr err;
    if (!rp::manifest_parse({reinterpret_cast<const char*>(data), size}, "/d/x", &m, &err)) {
        expect(strncmp(err.text, "/d/x:", 5) == 0);
        return 0;
    }
    expect(m.count > 0);
    const std::string text = format(&m);
    expect(rp::manifest_parse({text.data(), text.size()}, "/d/x", &again, &err));
    expect(again.count == m.count && format(&again) == text);
    const rp::AofFile *base = rp::manifest_base(&m), *same = rp::manifest_base(&again);
    expect((base == nullptr) == (same == nullptr));
    expect(base == nullptr || (strcmp(base->name, same->name) == 0 && base->seq == same->seq));
    rp::manifest_free(&m);
    rp::manifest_free(&again);
    return 0;
}
