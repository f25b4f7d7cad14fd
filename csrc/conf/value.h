// conf/value.h: one value of one row: parsed from words, formatted, read from and stored in a
// Config. Private to conf/. Cold code (start, CONFIG), so std::string and std::vector are used
// freely here.
#pragma once
#include <mutex>
#include <string>
#include <vector>

#include "conf/rows.h"

namespace rp {

struct ConfigLine {
    std::vector<std::string> words;  // behind the directive's name
    std::string where;
};

struct ConfigTexts {
    std::mutex set_lock;  // one CONFIG SET or REWRITE at a time; taken before `lock`
    ConfigApply apply = nullptr;
    void* apply_arg = nullptr;
    // Constant after config_new and config_load.
    int64_t io_threads_default = 1;
    std::string file;                 // absolute path of the loaded file
    std::vector<ConfigLine> users;    // user
    std::vector<ConfigLine> renames;  // rename-command
    bool save_seen = false;  // the first `save` of a file replaces the default, the next ones add
    std::mutex lock;         // guards `text`
    std::string text[kConfigRowsMax];
};

struct ConfigValue {
    int64_t num = 0;
    std::string text;
    int64_t limits[kClientClasses][3] = {};  // hard, soft, seconds
    bool operator==(const ConfigValue&) const = default;
};

using ConfigWords = std::vector<std::string>;

inline Bytes bytes_of(const std::string& s) { return {s.data(), s.size()}; }

ConfigValue value_default(const Config* c, const ConfigRow* row);
ConfigValue value_read(const Config* c, const ConfigRow* row);
void value_store(Config* c, const ConfigRow* row, const ConfigValue& value);

// As CONFIG GET shows it.
std::string value_format(const ConfigRow* row, const ConfigValue& value);

// *value holds the current value on entry, since some rows change only a part of it. On failure
// *err is the text, without the name of the row.
bool value_parse(const ConfigRow* row, const ConfigWords& words, ConfigValue* value,
                 std::string* err);

// Letters of notify-keyspace-events to bits; false if one is unknown.
bool notify_parse(const std::string& letters, int64_t* bits);

std::string text_format(const char* format, ...) __attribute__((format(printf, 1, 2)));
std::string words_join(const ConfigWords& words);
// Splits at every single space, as Redis does: "" gives nothing, "a  b" three words.
ConfigWords words_split(const std::string& text);
// Control bytes become spaces; what does not fit is cut.
void config_err_set(ConfigErr* err, const std::string& text);

}  // namespace rp
