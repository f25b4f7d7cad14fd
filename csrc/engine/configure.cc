// engine_configure: the lines of redis.conf that need to know the commands.
#include <cstdio>

#include "engine/acl.h"

namespace rp {

static const char* rename_error(Renamed outcome) {
    switch (outcome) {
        case Renamed::done: break;
        case Renamed::unknown: return "there is no such command";
        case Renamed::taken: return "the new name is that of another command";
        case Renamed::too_many: return "there are too many renamed commands";
    }
    return nullptr;
}

struct RenameLines {
    Engine* e;
    ConfigErr* err;
};

static void add_rename(void* arg, const Bytes* words, size_t, const char* where) {
    auto* lines = static_cast<RenameLines*>(arg);
    EngineCore* core = &lines->e->core;
    if (lines->err->text[0] != 0) return;
    if (core->renames == nullptr) core->renames = renames_new();
    const char* wrong =
        rename_error(renames_add(const_cast<Renames*>(core->renames), words[0], words[1]));
    if (wrong == nullptr) return;
    snprintf(lines->err->text, sizeof lines->err->text, "%s: 'rename-command': %s (got '%.128s')",
             where, wrong, std::string(words[0].ptr, words[0].len).c_str());
}

bool engine_configure(Engine* e, ConfigErr* err) {
    RenameLines lines = {e, err};
    config_each_rename(e->config, add_rename, &lines);
    if (err->text[0] != 0) return false;
    std::string why;
    if (acl_load_at_start(e, &why)) return true;
    snprintf(err->text, sizeof err->text, "%s", why.c_str());
    return false;
}

}  // namespace rp
