#include "store/expire.h"

#include "../cmd/harness.h"

namespace rp::test {

TEST(Expire, TheCrawlerDeletesWhatNobodyAsksForAndNothingElse) {
    TestEngine e;
    Client c(&e);
    clock_fake_ms(1000);
    for (int i = 0; i < 3000; i++)
        c("SET gone" + std::to_string(i) + " v PX 10");
    for (int i = 0; i < 1000; i++)
        c("SET stays" + std::to_string(i) + " v PX 1000000");
    for (int i = 0; i < 1000; i++)
        c("SET plain" + std::to_string(i) + " v");
    clock_fake_ms(1011);
    uint64_t deleted = 0;
    for (int i = 0; i < 100 && deleted < 3000; i++) {
        deleted += expire_crawl(&e.core.store, c.worker.slot, &c.worker.stats, nullptr, 1000000);
    }
    EXPECT_EQ(deleted, 3000u);
    EXPECT_EQ(c("DBSIZE"), ":2000\r\n");
    EXPECT_EQ(c.worker.stats.expired.load(), 3000u);
    clock_fake_ms(0);
}

TEST(Expire, TheCrawlerReachesEveryDatabase) {
    TestEngine e;
    Client c(&e);
    clock_fake_ms(1000);
    for (uint32_t db = 0; db < 16; db++) {
        c.session.db = db;
        c("SET k v PX 10");
    }
    clock_fake_ms(1011);
    uint64_t deleted = 0;
    for (int i = 0; i < 100 && deleted < 16; i++) {
        deleted += expire_crawl(&e.core.store, c.worker.slot, &c.worker.stats, nullptr, 1000000);
    }
    EXPECT_EQ(deleted, 16u);
    clock_fake_ms(0);
}

TEST(Expire, TheCrawlerRestsWhileActiveExpireIsOff) {
    TestEngine e;
    Client c(&e);
    clock_fake_ms(1000);
    c("SET k v PX 10");
    clock_fake_ms(1011);
    e.core.store.active_expire = false;
    EXPECT_EQ(expire_crawl(&e.core.store, c.worker.slot, &c.worker.stats, nullptr, 1000000), 0u);
    EXPECT_EQ(c("DBSIZE"), ":1\r\n");
    clock_fake_ms(0);
}

}  // namespace rp::test
