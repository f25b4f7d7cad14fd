// base/random.cc: xoshiro256** per thread, spread from one 64-bit seed by splitmix64 (both by
// Blackman and Vigna, prng.di.unimi.it); secrets straight from the kernel.
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/assert.h"

namespace rp {

struct RandomState {
    uint64_t s[4];
    bool seeded;
};

// Zero-initialised on purpose: a constructor would put a guard check on every draw.
static thread_local RandomState tls_state;

static uint64_t rotate_left(uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

static uint64_t splitmix_next(uint64_t* x) {
    *x += 0x9e3779b97f4a7c15u;
    uint64_t z = *x;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void random_seed(uint64_t seed) {
    RandomState* st = &tls_state;
    for (uint64_t& word : st->s)
        word = splitmix_next(&seed);
    st->seeded = true;
}

[[gnu::noinline, gnu::cold]] static void seed_from_kernel() {
    uint64_t seed;
    random_secret(&seed, sizeof(seed));
    random_seed(seed);
}

uint64_t random_u64() {
    RandomState* st = &tls_state;
    if (RP_UNLIKELY(!st->seeded)) seed_from_kernel();
    uint64_t* s = st->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

// Lemire's multiply-and-shift (arXiv:1805.10941): a division only when the draw falls in the
// short stretch that would favour some results.
uint64_t random_below(uint64_t bound) {
    RP_ASSERT(bound > 0);
    using Wide = unsigned __int128;
    Wide m = static_cast<Wide>(random_u64()) * bound;
    uint64_t low = static_cast<uint64_t>(m);
    if (RP_UNLIKELY(low < bound)) {
        uint64_t floor = (0 - bound) % bound;
        while (low < floor) {
            m = static_cast<Wide>(random_u64()) * bound;
            low = static_cast<uint64_t>(m);
        }
    }
    return static_cast<uint64_t>(m >> 64);
}

// For kernels or seccomp filters without getrandom(2).
static void secret_from_device(char* out, size_t len) {
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    RP_ASSERT(fd >= 0);
    while (len > 0) {
        ssize_t n = read(fd, out, len);
        if (n < 0 && errno == EINTR) continue;
        RP_ASSERT(n > 0);
        out += n;
        len -= static_cast<size_t>(n);
    }
    close(fd);
}

void random_secret(void* out, size_t len) {
    char* at = static_cast<char*>(out);
    while (len > 0) {
        ssize_t n = getrandom(at, len, 0);
        if (n < 0) {
            if (errno == EINTR) continue;
            return secret_from_device(at, len);
        }
        at += n;
        len -= static_cast<size_t>(n);
    }
}

void random_hex(char* out, size_t len) {
    static const char kDigits[] = "0123456789abcdef";
    for (size_t done = 0; done < len;) {
        unsigned char raw[32];
        random_secret(raw, sizeof(raw));
        for (size_t i = 0; i < sizeof(raw) && done < len; i++)
            out[done++] = kDigits[raw[i] & 15];
    }
}

}  // namespace rp
