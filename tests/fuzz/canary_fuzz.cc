// A planted bug, two bytes deep. ctest expects it to be found: it proves that the fuzz driver
// mutates, notices a crash and says how to replay it.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size >= 2 && data[0] == 'R' && data[1] == 'P') {
        fputs("the canary is found\n", stderr);
        abort();
    }
    return 0;
}
