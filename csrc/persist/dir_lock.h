// persist/dir_lock.h: one process per data directory. Two servers that append to one log would ruin
// it.
//
// A file `rustypotato.lock` in the directory is held by flock(2); it names the owner's process.
#pragma once
#include "persist/manifest.h"

namespace rp {

constexpr char kLockName[] = "rustypotato.lock";  // also in python/rustypotato/tools

// *fd: >= 0, owned by the caller, who keeps it until dir_unlock. False: "another process (pid 123)
// is using /dir: stop it first or choose another dir".
[[nodiscard]] bool dir_lock(const char* dir, int* fd, PersistErr* err);
// Also when a forked child holds a copy of the descriptor; the child must not call it.
void dir_unlock(int fd);

}  // namespace rp
