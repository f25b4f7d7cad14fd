// A small fuzz driver for compilers without libFuzzer: mutates the inputs of a corpus for a bounded
// time. It knows nothing of coverage, so the corpus should hold one small input per shape.
//
//   rp_fuzz_<name> [-seed=N] [-runs=N] [-max_total_time=SECONDS] [-max_len=N] [-timeout=SECONDS]
//                  <folder or file>...
//
// Folders are the corpus. When only files are given, each is run once, unchanged: that is how a
// crash is replayed. Same seed, same corpus: same inputs. The flags are libFuzzer's.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" __attribute__((weak)) int LLVMFuzzerInitialize(int* argc, char*** argv);
// Sanitizers call back before they end the process; absent in a build without them.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

namespace {

using Input = std::vector<uint8_t>;

struct Options {
    uint64_t seed = 0;
    uint64_t runs_max = UINT64_MAX;
    long seconds_max = 20;
    size_t len_max = 4096;
    unsigned timeout_s = 10;
    std::vector<std::string> folders;
    std::vector<std::string> files;
};

// What the crash handlers need. They may only use async-signal-safe calls.
Input g_input;
const char* g_name = "fuzz";
uint64_t g_seed = 0;
uint64_t g_run = 0;
const char* g_replayed = nullptr;  // The file being run unchanged, if any: it is saved already.
volatile sig_atomic_t g_reported = 0;

void write_text(const char* text) {
    [[maybe_unused]] ssize_t n = write(STDERR_FILENO, text, strlen(text));
}

void save_input() {
    if (g_reported) return;
    g_reported = 1;
    char text[512];
    char path[256];
    if (g_replayed != nullptr) {
        snprintf(text, sizeof text, "%s: %s failed\n", g_name, g_replayed);
        return write_text(text);
    }
    snprintf(path, sizeof path, "crash-%s-%llu-%llu", g_name,
             static_cast<unsigned long long>(g_seed), static_cast<unsigned long long>(g_run));
    FILE* file = fopen(path, "wb");
    if (file != nullptr) {
        fwrite(g_input.data(), 1, g_input.size(), file);
        fclose(file);
    }
    snprintf(text, sizeof text, "%s: failed at run %llu of seed %llu, %zu bytes. Replay: %s %s\n",
             g_name, static_cast<unsigned long long>(g_run),
             static_cast<unsigned long long>(g_seed), g_input.size(), g_name, path);
    write_text(text);
}

void on_signal(int signal_number) {
    if (signal_number == SIGALRM) write_text("one input took longer than -timeout\n");
    save_input();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

void handlers_install() {
    if (__sanitizer_set_death_callback != nullptr) {
        __sanitizer_set_death_callback(save_input);
    } else {
        for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL})
            signal(number, on_signal);
    }
    for (int number : {SIGABRT, SIGALRM})
        signal(number, on_signal);
}

[[noreturn]] void fail(const std::string& what) {
    fprintf(stderr, "%s: %s\n", g_name, what.c_str());
    exit(2);
}

bool flag_u64(const std::string& arg, const char* name, uint64_t* out) {
    std::string prefix = std::string("-") + name + "=";
    if (arg.rfind(prefix, 0) != 0) return false;
    char* end = nullptr;
    *out = strtoull(arg.c_str() + prefix.size(), &end, 10);
    if (*end != '\0' || arg.size() == prefix.size()) fail("not a number: " + arg);
    return true;
}

Options options_parse(int argc, char** argv) {
    Options options;
    options.seed = std::random_device{}();
    for (int i = 1; i < argc; i++) {
        std::string arg = argv[i];
        uint64_t value = 0;
        if (flag_u64(arg, "seed", &options.seed) || flag_u64(arg, "runs", &options.runs_max)) {
            continue;
        } else if (flag_u64(arg, "max_total_time", &value)) {
            options.seconds_max = static_cast<long>(value);
        } else if (flag_u64(arg, "max_len", &value)) {
            options.len_max = std::max<size_t>(1, value);
        } else if (flag_u64(arg, "timeout", &value)) {
            options.timeout_s = static_cast<unsigned>(value);
        } else if (arg[0] == '-') {
            fail("unknown flag " + arg + "; see the head of tests/fuzz/driver.cc");
        } else if (std::filesystem::is_directory(arg)) {
            options.folders.push_back(arg);
        } else if (std::filesystem::exists(arg)) {
            options.files.push_back(arg);
        } else {
            fail("no such file or folder: " + arg);
        }
    }
    return options;
}

Input file_read(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) fail("cannot read " + path.string());
    return Input(std::istreambuf_iterator<char>(stream), {});
}

// Sorted by name, so that a seed means the same on every machine.
std::vector<Input> corpus_read(const std::vector<std::string>& folders) {
    std::vector<std::filesystem::path> paths;
    for (const std::string& folder : folders) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
            if (entry.is_regular_file()) paths.push_back(entry.path());
        }
    }
    std::sort(paths.begin(), paths.end());
    std::vector<Input> corpus;
    for (const auto& path : paths)
        corpus.push_back(file_read(path));
    return corpus;
}

void run_one(const Options& options) {
    alarm(options.timeout_s);
    // An exact-size copy on the heap, so that ASan sees a read one byte too far.
    uint8_t* copy = static_cast<uint8_t*>(malloc(g_input.size() == 0 ? 1 : g_input.size()));
    if (copy == nullptr) fail("out of memory");
    if (!g_input.empty()) memcpy(copy, g_input.data(), g_input.size());
    LLVMFuzzerTestOneInput(copy, g_input.size());
    free(copy);
    alarm(0);
}

// Mutation ----------------------------------------------------------------------------------------

using Random = std::mt19937_64;

size_t below(Random& random, size_t limit) { return limit == 0 ? 0 : random() % limit; }

// Bytes and numbers that protocols trip over.
Input interesting(Random& random) {
    static const char* const kTexts[] = {
        "\r\n", "\n",          "\r",  "$-1\r\n", "*-1\r\n",    "$0\r\n\r\n", "*0\r\n",
        "*1",   "$",           "*",   "-1",      "0",          "1",          "2147483647",
        " ",    "-2147483649", "\"",  "'",       "\\x",        "536870912",  "9223372036854775807",
        "%1",   "~1",          ">1",  "_\r\n",   "#t\r\n",     ",inf\r\n",   "9223372036854775808",
        "=4",   "(1\r\n",      "+OK", "-ERR",    "4294967296", "1048577",    "-9223372036854775808",
    };
    const char* text = kTexts[below(random, std::size(kTexts))];
    return Input(text, text + strlen(text));
}

void splice(Input* input, size_t at, const Input& piece) {
    input->insert(input->begin() + static_cast<ptrdiff_t>(at), piece.begin(), piece.end());
}

// A run of bytes of `source`, at most 64.
Input piece_of(const Input& source, Random& random) {
    if (source.empty()) return {};
    size_t from = below(random, source.size());
    size_t len = 1 + below(random, std::min<size_t>(64, source.size() - from));
    auto first = source.begin() + static_cast<ptrdiff_t>(from);
    return Input(first, first + static_cast<ptrdiff_t>(len));
}

void mutate(Input* input, const std::vector<Input>& corpus, Random& random) {
    size_t size = input->size();
    size_t at = below(random, size + 1);
    switch (below(random, 9)) {
        case 0:
            if (at < size) (*input)[at] ^= static_cast<uint8_t>(1u << below(random, 8));
            break;
        case 1:
            if (at < size) (*input)[at] = static_cast<uint8_t>(random());
            break;
        case 2: splice(input, at, Input(1, static_cast<uint8_t>(random()))); break;
        case 3: splice(input, at, interesting(random)); break;
        case 4: splice(input, at, piece_of(*input, random)); break;
        case 5:
            if (!corpus.empty())
                splice(input, at, piece_of(corpus[below(random, corpus.size())], random));
            break;
        case 6: {
            auto first = input->begin() + static_cast<ptrdiff_t>(at);
            size_t len = below(random, std::min<size_t>(16, size - at) + 1);
            input->erase(first, first + static_cast<ptrdiff_t>(len));
            break;
        }
        case 7: input->resize(at); break;
        case 8:  // A digit becomes another: lengths and counts go wrong by a little.
            for (size_t i = 0; i < size; i++) {
                uint8_t* byte = &(*input)[(at + i) % size];
                if (*byte < '0' || *byte > '9') continue;
                *byte = static_cast<uint8_t>('0' + below(random, 10));
                break;
            }
            break;
    }
}

uint64_t fuzz(const Options& options, const std::vector<Input>& corpus) {
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds_max);
    for (g_run = 0; g_run < options.runs_max; g_run++) {
        // One generator per run: run N of a seed does not depend on the runs before it.
        Random random(options.seed * 0x9E3779B97F4A7C15ull + g_run);
        g_input = corpus.empty() ? Input{} : corpus[below(random, corpus.size())];
        size_t steps = 1 + below(random, 8);
        for (size_t i = 0; i < steps; i++)
            mutate(&g_input, corpus, random);
        if (g_input.size() > options.len_max) g_input.resize(options.len_max);
        run_one(options);
        if (g_run % 64 == 0 && std::chrono::steady_clock::now() >= end) break;
    }
    return g_run;
}

}  // namespace

int main(int argc, char** argv) {
    g_name = program_invocation_short_name;
    if (LLVMFuzzerInitialize != nullptr) LLVMFuzzerInitialize(&argc, &argv);
    Options options = options_parse(argc, argv);
    g_seed = options.seed;
    handlers_install();
    for (const std::string& file : options.files) {
        g_input = file_read(file);
        g_replayed = file.c_str();
        run_one(options);
        g_replayed = nullptr;
        printf("%s: %s, %zu bytes: ok\n", g_name, file.c_str(), g_input.size());
    }
    if (options.folders.empty() && !options.files.empty()) return 0;

    std::vector<Input> corpus = corpus_read(options.folders);
    printf("%s: seed %llu, %zu inputs in the corpus, at most %ld s. Replay all: -seed=%llu\n",
           g_name, static_cast<unsigned long long>(g_seed), corpus.size(), options.seconds_max,
           static_cast<unsigned long long>(g_seed));
    fflush(stdout);
    for (const Input& input : corpus) {
        g_input = input;
        run_one(options);
    }
    uint64_t runs = fuzz(options, corpus);
    printf("%s: %llu runs, no failure\n", g_name, static_cast<unsigned long long>(runs));
    return 0;
}
