// bench/wire/procstat.h: the CPU time of another process, in ns resolution.
#pragma once
#include <dirent.h>

#include <cstdint>
#include <cstdio>

struct CpuTime {
    double run_s = 0;   // on a CPU, user and system
    double wait_s = 0;  // ready to run, but something else had the CPU
};

// Sums all threads of a process: /proc/PID/task/*/schedstat holds "run_ns wait_ns slices".
// Returns false, with errno set, when there is no such process.
inline bool process_cpu(int pid, CpuTime* out) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR* dir = opendir(path);
    if (dir == nullptr) return false;
    uint64_t run_ns = 0;
    uint64_t wait_ns = 0;
    while (dirent* entry = readdir(dir)) {
        if (entry->d_name[0] == '.') continue;
        char file[384];
        snprintf(file, sizeof file, "%s/%s/schedstat", path, entry->d_name);
        FILE* f = fopen(file, "r");
        if (f == nullptr) continue;  // the thread has just ended
        unsigned long long run = 0;
        unsigned long long wait = 0;
        if (fscanf(f, "%llu %llu", &run, &wait) == 2) {
            run_ns += run;
            wait_ns += wait;
        }
        fclose(f);
    }
    closedir(dir);
    out->run_s = static_cast<double>(run_ns) / 1e9;
    out->wait_s = static_cast<double>(wait_ns) / 1e9;
    return true;
}
