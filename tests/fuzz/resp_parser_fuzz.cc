// The same bytes as one piece, byte by byte, and in random pieces, with small and large pools, with
// and without the window: commands and errors must be the same, and P2 and P3 hold (parser_feed.h).
#include <cstddef>
#include <cstdint>

#include "../unit/resp/parser_feed.h"

namespace {

// Inputs are short, and big arguments long: "~" stands for this many bytes of a value.
constexpr size_t kFill = 40 * 1000;
constexpr size_t kFillsMax = 4;

std::string expand(const uint8_t* data, size_t size) {
    std::string s;
    size_t fills = 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '~' && fills++ < kFillsMax) {
            s.append(kFill, 'v');
        } else {
            s += static_cast<char>(data[i]);
        }
    }
    return s;
}

void check(const std::string& s, uint64_t seed, bool authenticated) {
    using rp::feed_cut;
    std::string whole = feed_cut(s, 0, 1, 16, true, authenticated);
    bool same = feed_cut(s, 300, seed, 1, true, authenticated) == whole &&
                feed_cut(s, 20000, seed, 3, true, authenticated) == whole &&
                feed_cut(s, 70000, seed, 16, false, authenticated) == whole;
    // Byte by byte is slow: for inputs without a fill.
    if (s.size() < kFill) {
        same = same && feed_cut(s, 1, seed, 2, true, authenticated) == whole &&
               feed_cut(s, 9, seed, 1, true, authenticated) == whole;
    }
    rp::feed_require(same, "the answers depend on how the bytes were cut");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    uint64_t seed = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        seed = (seed ^ data[i]) * 1099511628211u;
    std::string s = expand(data, size);
    check(s, seed, true);
    check(s, seed, false);
    return 0;
}
