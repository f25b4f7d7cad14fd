#include "conf/checks.h"

#include <initializer_list>

namespace rp {

static bool has_slash(Bytes value) {
    return value.len != 0 &&
           (memchr(value.ptr, '/', value.len) || memchr(value.ptr, '\\', value.len));
}

const char* check_dbfilename(Bytes value) {
    return has_slash(value) ? "dbfilename can't be a path, just a filename" : nullptr;
}

const char* check_appendfilename(Bytes value) {
    if (value.len == 0) return "appendfilename can't be empty";
    if (has_slash(value)) return "appendfilename can't be a path, just a filename";
    // Names of the log's files are this and up to some 50 bytes more (kAppendNameMax of persist/).
    constexpr size_t kMax = 200;
    return value.len > kMax ? "appendfilename is too long: at most 200 bytes" : nullptr;
}

const char* check_appenddirname(Bytes value) {
    if (value.len == 0) return "appenddirname can't be empty";
    return has_slash(value) ? "appenddirname can't be a path, just a dirname" : nullptr;
}

const char* check_hostname(Bytes value) {
    if (value.len >= 256) return "Hostnames must be less than 256 characters";
    for (size_t i = 0; i < value.len; i++) {
        const char c = ascii_lower(value[i]);
        const bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!fine) return "Hostnames may only contain alphanumeric characters, hyphens or dots";
    }
    return nullptr;
}

const char* check_user_password(Bytes value) {
    if (value.len == 0) return nullptr;
    const auto* colon = static_cast<const char*>(memchr(value.ptr, ':', value.len));
    const bool fine = colon != nullptr && colon != value.ptr && colon + 1 != value.ptr + value.len;
    return fine ? nullptr : "user:password is expected";
}

// What a variable of the title expands to while the server starts: maybe nothing, as Redis sees it.
enum class TitlePart : uint8_t { unknown, empty, filled };

static TitlePart title_variable(Bytes name) {
    for (Bytes known : {Bytes("listen-addr"), Bytes("port"), Bytes("tls-port")}) {
        if (bytes_equal(known, name)) return TitlePart::filled;
    }
    for (Bytes known :
         {Bytes("title"), Bytes("server-mode"), Bytes("unixsocket"), Bytes("config-file")}) {
        if (bytes_equal(known, name)) return TitlePart::empty;
    }
    return TitlePart::unknown;
}

// "{{" is a literal brace; a title that would come out blank is refused.
const char* check_title_template(Bytes value) {
    static const char* kWrong = "template format is invalid or contains unknown variables";
    bool blank = true;
    for (size_t i = 0; i < value.len; i++) {
        if (value[i] != '{') {
            if (value[i] != ' ') blank = false;
            continue;
        }
        if (i + 1 < value.len && value[i + 1] == '{') {
            blank = false;
            i++;
            continue;
        }
        size_t close = i + 1;
        while (close < value.len && value[close] != '}')
            close++;
        if (close == value.len) return kWrong;
        const TitlePart part = title_variable(bytes_slice(value, i + 1, close - i - 1));
        if (part == TitlePart::unknown) return kWrong;
        if (part == TitlePart::filled) blank = false;
        i = close;
    }
    return blank ? kWrong : nullptr;
}

const char* check_activedefrag(Bytes value) {
    if (!bytes_equal_nocase(value, "yes")) return nullptr;
    return "Active defragmentation cannot be enabled: it requires a Redis server compiled with a "
           "modified Jemalloc like the one shipped by default with the Redis source distribution";
}

}  // namespace rp
