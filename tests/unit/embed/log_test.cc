// Callers in the process and the log: who waits, and who must not.
#include <atomic>
#include <thread>

#include "embed/store.h"
#include "unit/embed/fixture.h"

namespace {

using rp::Journal;
using rp::LogBatch;

struct HandJournal : Journal {
    std::atomic<bool> waited{false};

    HandJournal() {
        submit = [](Journal* j, LogBatch* take) {
            j->waiting_bytes.fetch_sub(rp::log_batch_waiting(take));
            log_batch_free(take);
        };
        wait = [](Journal* j, uint64_t seq, int64_t) {
            static_cast<HandJournal*>(j)->waited = true;
            std::this_thread::yield();
            return journal_acked(j, seq);
        };
        wait_room = [](Journal* j, int64_t) {
            static_cast<HandJournal*>(j)->waited = true;
            std::this_thread::yield();
            return journal_has_room(j);
        };
    }
    void until_waited() const {
        while (!waited)
            std::this_thread::yield();
    }
};

class EmbedLog : public EmbedTest {
  protected:
    HandJournal journal;

    void SetUp() override {
        EmbedTest::SetUp();
        engine_set_journal(store->engine, &journal);
    }
    int try_run(const Words& words) {
        rp_reply reply;
        return rp_try_execute(here(), RP_IS_QUICK, words.items.size(), words.items.data(), &reply);
    }
};

TEST_F(EmbedLog, AChangeReturnsWhenItIsAcknowledged) {
    std::atomic<bool> done{false};
    std::thread caller([&] {
        EXPECT_EQ(run(here(), {"SET", "k", "v"}), "+OK\r\n");
        done = true;
    });
    journal.until_waited();
    EXPECT_FALSE(done);
    journal.acked = 1;
    caller.join();
}

TEST_F(EmbedLog, AReadWaitsForNobody) {
    std::thread writer([&] { run(here(), {"SET", "k", "v"}); });
    journal.until_waited();
    EXPECT_EQ(run(here(), {"GET", "k"}), "$1\r\nv\r\n");
    EXPECT_EQ(try_run({"GET", "k"}), RP_OK);
    journal.acked = 1;
    writer.join();
}

TEST_F(EmbedLog, WhoHoldsALockIsToldToComeBackForAChange) {
    EXPECT_EQ(try_run({"SET", "k", "v"}), RP_BUSY);
    EXPECT_EQ(try_run({"incr", "n"}), RP_BUSY);
    EXPECT_EQ(try_run({"EXEC"}), RP_BUSY);
    EXPECT_EQ(journal.next_seq.load(), 1u);
    EXPECT_EQ(run(here(), {"GET", "k"}), "$-1\r\n");
    engine_set_journal(store->engine, nullptr);
    EXPECT_EQ(try_run({"SET", "k", "v"}), RP_OK);
}

TEST_F(EmbedLog, AFullLogIsWaitedFor) {
    journal.waiting_max = 1000;
    journal.waiting_bytes = 1001;
    journal.acked = 1;
    std::atomic<bool> done{false};
    std::thread caller([&] {
        EXPECT_EQ(run(here(), {"SET", "k", "v"}), "+OK\r\n");
        done = true;
    });
    journal.until_waited();
    EXPECT_FALSE(done);
    journal.waiting_bytes = 0;
    caller.join();
}

}  // namespace
