// For LD_PRELOAD: every fdatasync takes SLOW_SYNC_US microseconds and does nothing else, so that two
// servers see the same slow disk, whatever the machine's is like and however busy.
#include <stdlib.h>
#include <unistd.h>

int fdatasync(int fd) {
    (void)fd;
    const char* us = getenv("SLOW_SYNC_US");
    usleep(us != NULL ? (useconds_t)strtoul(us, NULL, 10) : 0);
    return 0;
}
