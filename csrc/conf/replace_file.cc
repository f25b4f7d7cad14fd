#include "conf/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace rp {

static bool write_synced(int fd, const std::string& text, mode_t mode) {
    for (size_t done = 0; done < text.size();) {
        const ssize_t n = write(fd, text.data() + done, text.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        done += static_cast<size_t>(n);
    }
    return fchmod(fd, mode) == 0 && fsync(fd) == 0;
}

static bool sync_directory(const std::string& path) {
    const size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "."
                                  : slash == 0               ? "/"
                                                             : path.substr(0, slash);
    const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    const bool fine = fsync(fd) == 0;
    const int kept = errno;
    close(fd);
    errno = kept;
    return fine;
}

bool replace_file(const std::string& path, const std::string& text, mode_t mode) {
    std::string temp = path + ".XXXXXX";
    const int fd = mkostemp(temp.data(), O_CLOEXEC);
    if (fd < 0) return false;
    bool fine = write_synced(fd, text, mode);
    int kept = errno;
    if (close(fd) != 0 && fine) {
        fine = false;
        kept = errno;
    }
    errno = kept;
    if (fine && rename(temp.c_str(), path.c_str()) == 0) return sync_directory(path);
    kept = errno;
    unlink(temp.c_str());
    errno = kept;
    return false;
}

}  // namespace rp
