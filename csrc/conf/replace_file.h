// conf/replace_file.h: a small text file replaced as a whole: CONFIG REWRITE, ACL SAVE.
#pragma once
#include <sys/types.h>

#include <string>

namespace rp {

// Either the old or the new text is at `path` whenever the machine stops: a temporary file beside
// it, fsync, rename, fsync of the directory. False with errno set. Any thread; blocks on the disk.
[[nodiscard]] bool replace_file(const std::string& path, const std::string& text, mode_t mode);

}  // namespace rp
