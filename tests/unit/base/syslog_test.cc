// The system logger, played by this program: its syslog(3) comes before the C library's.
#include <gtest/gtest.h>
#include <syslog.h>

#include <cstdarg>
#include <cstdio>
#include <string>
#include <vector>

#include "base/log.h"

static std::vector<std::pair<int, std::string>> heard;
static std::string opened;

extern "C" void openlog(const char* ident, int, int facility) {
    opened = std::string(ident) + "/" + std::to_string(facility >> 3);
}

extern "C" void syslog(int priority, const char* format, ...) {
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    heard.emplace_back(priority, text);
}

namespace rp {

TEST(Syslog, LinesGoThereWithTheirLevel) {
    log_to_syslog("potato", LOG_LOCAL3);
    EXPECT_EQ("potato/19", opened);
    log_set_level(LogLevel::debug);
    RP_LOG_DEBUG("d");
    RP_LOG_VERBOSE("v");
    RP_LOG_NOTICE("n %s", "%s%n");
    RP_LOG_WARNING("w\nforged");
    std::vector<std::pair<int, std::string>> expected = {
        {LOG_DEBUG, "d"}, {LOG_INFO, "v"}, {LOG_NOTICE, "n %s%n"}, {LOG_WARNING, "w forged"}};
    EXPECT_EQ(expected, heard);
    log_to_syslog(nullptr, 0);
    RP_LOG_WARNING("no more");
    EXPECT_EQ(4u, heard.size());
    log_set_level(LogLevel::notice);
}

}  // namespace rp
