// Files as the log writes them, for tests: commands, runs with their annotation lines.
#pragma once
#include <initializer_list>
#include <string>

#include "persist/crc32c.h"

namespace rp {

inline std::string resp(std::initializer_list<std::string> words) {
    std::string text = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words)
        text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    return text;
}

inline std::string run_of(uint64_t first, uint64_t records, const std::string& body) {
    char head[96];
    snprintf(head, sizeof head, "#RP1 %llu %llu %zu %08x\r\n",
             static_cast<unsigned long long>(first), static_cast<unsigned long long>(records),
             body.size(), crc32c(0, {body.data(), body.size()}));
    return head + body;
}

}  // namespace rp
