// value_parse: the words of a setting -> its value. Error texts are Redis' own, byte for byte.
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "base/assert.h"
#include "base/numbers.h"
#include "conf/value.h"

namespace rp {

static bool fail(std::string* err, const std::string& text) {
    *err = text;
    return false;
}

static bool in_bounds(const ConfigRow* row, int64_t n, std::string* err) {
    if (n >= row->lower && n <= row->upper) return true;
    const long long lower = row->lower;
    const long long upper = row->upper;
    *err = row->kind == ConfigKind::octal
               ? text_format("argument must be between %llo and %llo inclusive", lower, upper)
               : text_format("argument must be between %lld and %lld inclusive", lower, upper);
    return false;
}

static int64_t clamped(const ConfigRow* row, int64_t n) {
    return n < row->clamp_low ? row->clamp_low : n > row->clamp_high ? row->clamp_high : n;
}

static bool parse_integer(const ConfigRow* row, const std::string& word, ConfigValue* value,
                          std::string* err) {
    int64_t n = 0;
    if (!parse_i64(bytes_of(word), &n)) {
        return fail(err, "argument couldn't be parsed into an integer");
    }
    if (!in_bounds(row, n, err)) return false;
    value->num = clamped(row, n);
    return true;
}

static bool parse_bytes(const ConfigRow* row, const std::string& word, ConfigValue* value,
                        std::string* err) {
    const bool percent_too = row->kind == ConfigKind::memory_or_percent;
    if (percent_too && !word.empty() && word.back() == '%') {
        int64_t percent = 0;
        if (!parse_i64({word.data(), word.size() - 1}, &percent) || percent < 0) {
            return fail(err, "argument must be a memory or percent value");
        }
        if (percent > 100) return fail(err, "percentage argument must be less or equal to 100");
        value->num = -percent;
        return true;
    }
    uint64_t n = 0;
    if (!parse_memory(bytes_of(word), &n)) {
        return fail(err, percent_too ? "argument must be a memory or percent value"
                                     : "argument must be a memory value");
    }
    // Beyond 63 bits nothing is meant, whatever the bound says: INT64_MIN is below every bound.
    if (!in_bounds(row, n > INT64_MAX ? INT64_MIN : static_cast<int64_t>(n), err)) return false;
    value->num = clamped(row, static_cast<int64_t>(n));
    return true;
}

static bool parse_octal(const ConfigRow* row, const std::string& word, ConfigValue* value,
                        std::string* err) {
    char* end = nullptr;
    errno = 0;
    const long n = strtol(word.c_str(), &end, 8);
    if (errno != 0 || end != word.c_str() + word.size()) {
        return fail(err, "argument couldn't be parsed as an octal number");
    }
    if (!in_bounds(row, n, err)) return false;
    value->num = n;
    return true;
}

static bool parse_choice(const ConfigRow* row, const ConfigWords& words, ConfigValue* value,
                         std::string* err) {
    int64_t sum = 0;
    bool known = !words.empty();
    for (const std::string& word : words) {
        const ConfigChoice* it = row->choices;
        while (it->name && !bytes_equal_nocase(bytes_of(word), bytes_of(it->name)))
            it++;
        known = known && it->name != nullptr;
        sum |= it->value;
    }
    if (!known) {
        std::string list;
        for (const ConfigChoice* it = row->choices; it->name; it++) {
            if (it != row->choices) list += ", ";
            list += it->name;
        }
        return fail(err, "argument(s) must be one of the following: " + list);
    }
    constexpr int64_t kBoth = 1 | 2;  // the only choice_set rows are those of shutdown
    if (row->kind == ConfigKind::choice_set && (sum & kBoth) == kBoth) {
        return fail(err, "shutdown options SAVE and NOSAVE can't be used simultaneously");
    }
    value->num = sum;
    return true;
}

static bool parse_number(const ConfigRow* row, const std::string& word, ConfigValue* value,
                         std::string* err) {
    switch (row->kind) {
        case ConfigKind::boolean: {
            const bool yes = bytes_equal_nocase(bytes_of(word), "yes");
            if (!yes && !bytes_equal_nocase(bytes_of(word), "no")) {
                return fail(err, "argument must be 'yes' or 'no'");
            }
            value->num = yes;
            return true;
        }
        case ConfigKind::integer: return parse_integer(row, word, value, err);
        case ConfigKind::octal: return parse_octal(row, word, value, err);
        case ConfigKind::notify_events:
            if (notify_parse(word, &value->num)) return true;
            return fail(err, "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
        default: return parse_bytes(row, word, value, err);
    }
}

// As chdir would find it from the directory in force.
static bool parse_directory(const std::string& word, ConfigValue* value, std::string* err) {
    const bool absolute = !word.empty() && word[0] == '/';
    const std::string path = absolute || word.empty() ? word : value->text + "/" + word;
    char* real = word.find('\0') == std::string::npos ? realpath(path.c_str(), nullptr) : nullptr;
    if (!real) return fail(err, strerror(errno));
    const std::string found = real;
    free(real);
    if (access((found + "/.").c_str(), X_OK) != 0) return fail(err, strerror(errno));
    value->text = found;
    return true;
}

static bool parse_bind(const ConfigWords& words, ConfigValue* value, std::string* err) {
    constexpr size_t kBindMax = 16;
    if (words.size() > kBindMax) return fail(err, "Too many bind addresses specified.");
    for (const std::string& word : words) {
        // No address has a space or a control byte in it, and CONFIG GET puts spaces between them.
        bool printable = std::all_of(word.begin(), word.end(), [](char c) { return c > ' '; });
        if (word.empty() || !printable) {
            return fail(err, "Failed to bind to specified addresses.");
        }
    }
    value->text = words_join(words);
    return true;
}

static bool parse_save(const ConfigWords& words, ConfigValue* value, std::string* err) {
    if (words.size() % 2 != 0) return fail(err, "Invalid save parameters");
    for (size_t i = 0; i < words.size(); i += 2) {
        int64_t seconds = 0;
        int64_t changes = 0;
        const bool fine = parse_i64(bytes_of(words[i]), &seconds) && seconds >= 1 &&
                          parse_i64(bytes_of(words[i + 1]), &changes) && changes >= 0 &&
                          changes <= INT_MAX;
        if (!fine) return fail(err, "Invalid save parameters");
    }
    value->text = words_join(words);
    return true;
}

static bool parse_oom_values(const ConfigWords& words, ConfigValue* value, std::string* err) {
    if (words.size() != 3) return fail(err, "wrong number of arguments");
    for (const std::string& word : words) {
        int64_t n = 0;
        if (!parse_i64(bytes_of(word), &n) || n < -2000 || n > 2000) {
            return fail(err,
                        "Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
        }
    }
    value->text = words_join(words);
    return true;
}

static bool parse_percentiles(const ConfigWords& words, ConfigValue* value, std::string* err) {
    ConfigWords kept;
    for (const std::string& word : words) {
        double n = 0;
        if (!parse_double(bytes_of(word), &n)) {
            return fail(err, "Invalid latency-tracking-info-percentiles parameters");
        }
        if (n < 0 || n > 100) {
            return fail(err,
                        "latency-tracking-info-percentiles parameters should sit between "
                        "[0.0,100.0]");
        }
        // Six digits, trailing zeros dropped.
        std::string text = text_format("%f", n);
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.') text.pop_back();
        kept.push_back(text);
    }
    value->text = words_join(kept);
    return true;
}

static bool parse_replica_of(const ConfigWords& words, ConfigValue* value, std::string* err) {
    if (words.size() != 2) return fail(err, "wrong number of arguments");
    value->text.clear();
    if (bytes_equal_nocase(bytes_of(words[0]), "no") &&
        bytes_equal_nocase(bytes_of(words[1]), "one")) {
        return true;
    }
    int64_t port = 0;
    if (!parse_i64(bytes_of(words[1]), &port) || port < 0 || port > 65535) {
        return fail(err, "Invalid master port");
    }
    value->text = words_join(words);
    return true;
}

static int client_class(const std::string& word) {
    static constexpr struct {
        const char* name;
        ClientClass value;
    } kNames[] = {{"normal", ClientClass::normal},
                  {"slave", ClientClass::replica},
                  {"replica", ClientClass::replica},
                  {"pubsub", ClientClass::pubsub}};
    for (const auto& it : kNames) {
        if (bytes_equal_nocase(bytes_of(word), bytes_of(it.name)))
            return static_cast<int>(it.value);
    }
    return -1;
}

static bool parse_limits(const ConfigWords& words, ConfigValue* value, std::string* err) {
    if (words.size() % 4 != 0) {
        return fail(err, "Wrong number of arguments in buffer limit configuration.");
    }
    for (size_t i = 0; i < words.size(); i += 4) {
        const int index = client_class(words[i]);
        if (index < 0) {
            return fail(err, "Invalid client class specified in buffer limit configuration.");
        }
        uint64_t hard = 0;
        uint64_t soft = 0;
        int64_t seconds = 0;
        const bool fine = parse_memory(bytes_of(words[i + 1]), &hard) && hard <= INT64_MAX &&
                          parse_memory(bytes_of(words[i + 2]), &soft) && soft <= INT64_MAX &&
                          parse_i64(bytes_of(words[i + 3]), &seconds) && seconds >= 0 &&
                          seconds <= INT_MAX;
        if (!fine) {
            return fail(err,
                        "Error in hard, soft or soft_seconds setting in buffer limit "
                        "configuration.");
        }
        int64_t* limits = value->limits[index];
        limits[0] = static_cast<int64_t>(hard);
        limits[1] = static_cast<int64_t>(soft);
        limits[2] = seconds;
    }
    return true;
}

static bool parse_list(const ConfigRow* row, const ConfigWords& words, ConfigValue* value,
                       std::string* err) {
    switch (row->kind) {
        case ConfigKind::choice_set: return parse_choice(row, words, value, err);
        case ConfigKind::bind_list: return parse_bind(words, value, err);
        case ConfigKind::save_points: return parse_save(words, value, err);
        case ConfigKind::oom_values: return parse_oom_values(words, value, err);
        case ConfigKind::percentiles: return parse_percentiles(words, value, err);
        case ConfigKind::replica_of: return parse_replica_of(words, value, err);
        case ConfigKind::client_limits: return parse_limits(words, value, err);
        default: RP_ASSERT(false);
    }
}

bool value_parse(const ConfigRow* row, const ConfigWords& words, ConfigValue* value,
                 std::string* err) {
    if (row->flags & kConfigMulti) {
        // One quoted argument may hold the whole list.
        return parse_list(row, words.size() == 1 ? words_split(words[0]) : words, value, err);
    }
    if (words.size() != 1) return fail(err, "wrong number of arguments");
    const std::string& word = words[0];
    if (row->check) {
        if (const char* wrong = row->check(bytes_of(word))) return fail(err, wrong);
    }
    if (row->kind == ConfigKind::directory) return parse_directory(word, value, err);
    if (row->kind == ConfigKind::choice) return parse_choice(row, words, value, err);
    if (!config_row_is_text(row)) return parse_number(row, word, value, err);
    value->text = word;
    return true;
}

}  // namespace rp
