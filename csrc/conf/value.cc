#include "conf/value.h"

#include <cstdarg>

#include "base/assert.h"
#include "base/numbers.h"

namespace rp {

std::string text_format(const char* format, ...) {
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    const int len = vsnprintf(nullptr, 0, format, args);
    va_end(args);
    std::string out(len > 0 ? static_cast<size_t>(len) : 0, '\0');
    vsnprintf(out.data(), out.size() + 1, format, again);
    va_end(again);
    return out;
}

std::string words_join(const ConfigWords& words) {
    std::string out;
    for (const std::string& word : words) {
        if (&word != &words[0]) out += ' ';
        out += word;
    }
    return out;
}

ConfigWords words_split(const std::string& text) {
    ConfigWords words;
    if (text.empty()) return words;
    size_t from = 0;
    for (size_t at = text.find(' '); at != std::string::npos; at = text.find(' ', from)) {
        words.push_back(text.substr(from, at - from));
        from = at + 1;
    }
    words.push_back(text.substr(from));
    return words;
}

void config_err_set(ConfigErr* err, const std::string& text) {
    const size_t len = text.size() < kConfigErrMax ? text.size() : kConfigErrMax - 1;
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = static_cast<unsigned char>(text[i]);
        err->text[i] = c < ' ' || c == 127 ? ' ' : text[i];
    }
    err->text[len] = '\0';
}

// --- Storage
// -----------------------------------------------------------------------------------------

static ConfigNum* number_cell(Config* c, const ConfigRow* row) {
    return row->num ? &(c->*(row->num)) : &c->other[config_row_index(row)];
}

ConfigValue value_default(const Config* c, const ConfigRow* row) {
    ConfigValue value;
    value.num = row->number;
    if (row->num == &Config::io_threads) value.num = c->texts->io_threads_default;
    if (config_row_is_text(row)) value.text = row->text;
    if (row->kind == ConfigKind::client_limits) {
        std::string err;
        RP_ASSERT(value_parse(row, words_split(row->text), &value, &err));
    }
    return value;
}

ConfigValue value_read(const Config* c, const ConfigRow* row) {
    ConfigValue value;
    if (config_row_is_text(row)) {
        std::lock_guard<std::mutex> held(c->texts->lock);
        value.text = c->texts->text[config_row_index(row)];
    } else if (row->kind == ConfigKind::client_limits) {
        for (size_t i = 0; i < kClientClasses; i++) {
            value.limits[i][0] = config_num(c->client_limits[i].hard_bytes);
            value.limits[i][1] = config_num(c->client_limits[i].soft_bytes);
            value.limits[i][2] = config_num(c->client_limits[i].soft_seconds);
        }
    } else {
        value.num = config_num(*number_cell(const_cast<Config*>(c), row));
    }
    return value;
}

void value_store(Config* c, const ConfigRow* row, const ConfigValue& value) {
    // Relaxed: a reader may see the old value a moment longer; nothing else is published with it.
    constexpr auto relaxed = std::memory_order_relaxed;
    if (config_row_is_text(row)) {
        std::lock_guard<std::mutex> held(c->texts->lock);
        c->texts->text[config_row_index(row)] = value.text;
    } else if (row->kind == ConfigKind::client_limits) {
        for (size_t i = 0; i < kClientClasses; i++) {
            c->client_limits[i].hard_bytes.store(value.limits[i][0], relaxed);
            c->client_limits[i].soft_bytes.store(value.limits[i][1], relaxed);
            c->client_limits[i].soft_seconds.store(value.limits[i][2], relaxed);
        }
    } else {
        number_cell(c, row)->store(value.num, relaxed);
    }
}

// --- Formatting
// --------------------------------------------------------------------------------------

static std::string format_choice(const ConfigRow* row, int64_t value) {
    for (const ConfigChoice* it = row->choices; it->name; it++) {
        if (it->value == value) return it->name;
    }
    ConfigWords words;
    for (const ConfigChoice* it = row->choices; it->name; it++) {
        if (it->value & value) words.push_back(it->name);
    }
    return words_join(words);
}

// The letters in Redis' order; `A` stands for all those marked. K, E and m come last, and `n` is
// not shown beside `A`.
struct NotifyLetter {
    char letter;
    int64_t bit;
    bool in_all;
};
static constexpr NotifyLetter kNotifyLetters[] = {
    {'g', 1 << 2, true},  {'$', 1 << 3, true},  {'l', 1 << 4, true},   {'s', 1 << 5, true},
    {'h', 1 << 6, true},  {'z', 1 << 7, true},  {'x', 1 << 8, true},   {'e', 1 << 9, true},
    {'t', 1 << 10, true}, {'d', 1 << 13, true}, {'n', 1 << 14, false}, {'K', 1 << 0, false},
    {'E', 1 << 1, false}, {'m', 1 << 11, false}};

static int64_t notify_all() {
    int64_t all = 0;
    for (const NotifyLetter& it : kNotifyLetters) {
        if (it.in_all) all |= it.bit;
    }
    return all;
}

static std::string format_notify(int64_t bits) {
    const bool all = (bits & notify_all()) == notify_all();
    std::string out = all ? "A" : "";
    for (const NotifyLetter& it : kNotifyLetters) {
        const bool covered = all && (it.in_all || it.letter == 'n');
        if ((bits & it.bit) && !covered) out += it.letter;
    }
    return out;
}

bool notify_parse(const std::string& letters, int64_t* bits) {
    int64_t sum = 0;
    for (char c : letters) {
        int64_t bit = c == 'A' ? notify_all() : 0;
        for (const NotifyLetter& it : kNotifyLetters) {
            if (it.letter == c) bit = it.bit;
        }
        if (bit == 0) return false;
        sum |= bit;
    }
    *bits = sum;
    return true;
}

static std::string format_limits(const ConfigValue& value) {
    static const char* kNames[kClientClasses] = {"normal", "slave", "pubsub"};
    ConfigWords words;
    for (size_t i = 0; i < kClientClasses; i++) {
        words.push_back(kNames[i]);
        for (int64_t n : value.limits[i])
            words.push_back(std::to_string(n));
    }
    return words_join(words);
}

std::string value_format(const ConfigRow* row, const ConfigValue& value) {
    switch (row->kind) {
        case ConfigKind::boolean: return value.num ? "yes" : "no";
        case ConfigKind::integer:
        case ConfigKind::memory: return std::to_string(value.num);
        case ConfigKind::memory_or_percent:
            return value.num < 0 ? std::to_string(-value.num) + "%" : std::to_string(value.num);
        case ConfigKind::octal:
            return text_format("%llo", static_cast<unsigned long long>(value.num));
        case ConfigKind::choice:
        case ConfigKind::choice_set: return format_choice(row, value.num);
        case ConfigKind::notify_events: return format_notify(value.num);
        case ConfigKind::client_limits: return format_limits(value);
        case ConfigKind::text:
        case ConfigKind::directory:
        case ConfigKind::bind_list:
        case ConfigKind::save_points:
        case ConfigKind::oom_values:
        case ConfigKind::percentiles:
        case ConfigKind::replica_of: return value.text;
    }
    RP_ASSERT(false);
}

}  // namespace rp
