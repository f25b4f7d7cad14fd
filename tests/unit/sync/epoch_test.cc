#include "sync/epoch.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>
#include <vector>

#include "mem/mem.h"

namespace rp {

// What is retired here is a counter that its fn increments.
static void count_free(void* node, size_t) { static_cast<std::atomic<int>*>(node)->fetch_add(1); }

class EpochTest : public ::testing::Test {
  protected:
    void TearDown() override {
        epoch_drain(s);
        EXPECT_EQ(0u, epoch_waiting_bytes());
    }
    EpochSlot* s = epoch_slot();
    std::atomic<int> freed{0};
};

// Another thread that stays pinned until told to go.
class PinnedThread {
  public:
    PinnedThread() : thread([this] { run(); }) {
        while (phase.load() < 1)
            std::this_thread::yield();
    }
    void finish() {
        phase.store(2);
        thread.join();
    }

  private:
    void run() {
        EpochPin pin(epoch_slot());
        phase.store(1);
        while (phase.load() < 2)
            std::this_thread::yield();
    }
    std::atomic<int> phase{0};
    std::thread thread;
};

TEST_F(EpochTest, AThreadHasOneSlotAndEachThreadItsOwn) {
    EXPECT_EQ(s, epoch_slot());
    EpochSlot* other = nullptr;
    std::thread([&] { other = epoch_slot(); }).join();
    EXPECT_NE(s, other);
}

TEST_F(EpochTest, PinsNest) {
    EXPECT_FALSE(epoch_pinned(s));
    epoch_pin(s);
    epoch_pin(s);
    epoch_unpin(s);
    EXPECT_TRUE(epoch_pinned(s));
    EXPECT_NE(0u, s->state.load());
    epoch_unpin(s);
    EXPECT_FALSE(epoch_pinned(s));
    EXPECT_EQ(0u, s->state.load());
}

TEST_F(EpochTest, NothingIsFreedAtOnce) {
    epoch_retire(s, &freed, 8, count_free);
    EXPECT_EQ(0, freed.load());
    EXPECT_EQ(8u, epoch_waiting_bytes());
    epoch_drain(s);
    EXPECT_EQ(1, freed.load());
    EXPECT_EQ(0u, epoch_waiting_bytes());
}

// E2.
TEST_F(EpochTest, ANodeIsFreedThreeEpochsAfterItsRetirement) {
    uint64_t epoch = g_epoch.load();
    epoch_retire(s, &freed, 1, count_free);
    while (epoch_reclaim(s) != 0)
        EXPECT_LT(g_epoch.load(), epoch + 3);
    EXPECT_EQ(epoch + 3, g_epoch.load());
    EXPECT_EQ(1, freed.load());
}

TEST_F(EpochTest, APinnedReaderHoldsBackWhatItCouldSee) {
    PinnedThread reader;
    epoch_retire(s, &freed, 1, count_free);
    for (int i = 0; i < 10; i++)
        EXPECT_EQ(1u, epoch_reclaim(s));
    EXPECT_EQ(0, freed.load());
    reader.finish();
    epoch_drain(s);
    EXPECT_EQ(1, freed.load());
}

TEST_F(EpochTest, OnesOwnPinHoldsBackToo) {
    epoch_pin(s);
    epoch_retire(s, &freed, 1, count_free);
    for (int i = 0; i < 10; i++)
        epoch_reclaim(s);
    EXPECT_EQ(0, freed.load());
    epoch_unpin(s);
}

TEST_F(EpochTest, RefreshLetsTheEpochMoveOn) {
    epoch_pin(s);
    epoch_retire(s, &freed, 1, count_free);
    for (int i = 0; i < 4; i++) {
        epoch_reclaim(s);
        epoch_refresh(s);
    }
    EXPECT_TRUE(epoch_pinned(s));
    EXPECT_EQ(1, freed.load());
    epoch_unpin(s);
}

TEST_F(EpochTest, RefreshOfANestedPinDoesNothing) {
    epoch_pin(s);
    epoch_pin(s);
    uint64_t pinned = s->state.load();
    epoch_retire(s, &freed, 1, count_free);
    for (int i = 0; i < 4; i++) {
        epoch_reclaim(s);
        epoch_refresh(s);
    }
    EXPECT_EQ(pinned, s->state.load());
    EXPECT_EQ(0, freed.load());
    epoch_unpin(s);
    epoch_unpin(s);
}

TEST_F(EpochTest, FullBatchesReclaimByThemselves) {
    for (size_t i = 0; i < 20 * kEpochBatch; i++) {
        epoch_retire(s, &freed, 1, count_free);
        EXPECT_LE(s->waiting, 4 * kEpochBatch);
    }
    EXPECT_GE(freed.load(), static_cast<int>(16 * kEpochBatch));
    epoch_drain(s);
    EXPECT_EQ(static_cast<int>(20 * kEpochBatch), freed.load());
}

TEST_F(EpochTest, ManyBytesReclaimEarlier) {
    for (int i = 0; i < 10; i++)
        epoch_retire(s, &freed, kEpochBatchBytes, count_free);
    EXPECT_GE(freed.load(), 6);
}

TEST_F(EpochTest, SynchronizeWaitsForReaders) {
    PinnedThread* reader = new PinnedThread;
    std::atomic<bool> done{false};
    std::thread waiter([&] {
        epoch_synchronize(epoch_slot());
        done.store(true);
    });
    uint64_t before = g_epoch.load();
    for (int i = 0; i < 1000; i++)
        std::this_thread::yield();
    EXPECT_FALSE(done.load());
    EXPECT_LE(g_epoch.load(), before + 1);
    reader->finish();
    waiter.join();
    EXPECT_TRUE(done.load());
    delete reader;
}

TEST_F(EpochTest, NodesOfAnEndedThreadAreAdopted) {
    std::thread([&] {
        for (int i = 0; i < 200; i++)
            epoch_retire(epoch_slot(), &freed, 3, count_free);
    }).join();
    EXPECT_EQ(600u, epoch_waiting_bytes());
    EXPECT_EQ(0, freed.load());
    epoch_drain(s);
    EXPECT_EQ(200, freed.load());
}

TEST_F(EpochTest, SlotsOfEndedThreadsAreUsedAgain) {
    std::set<EpochSlot*> slots;
    for (int i = 0; i < 50; i++)
        std::thread([&] { slots.insert(epoch_slot()); }).join();
    EXPECT_EQ(1u, slots.size());
}

TEST_F(EpochTest, EachSlotVisitsThisThreadsSlot) {
    struct Search {
        EpochSlot* wanted;
        int found;
    } search = {s, 0};
    epoch_each_slot(
        [](EpochSlot* slot, void* arg) {
            Search* found = static_cast<Search*>(arg);
            if (slot == found->wanted) found->found++;
        },
        &search);
    EXPECT_EQ(1, search.found);
}

TEST_F(EpochTest, EndedThreadsLeaveNoMemoryBehind) {
    std::thread([] { epoch_slot(); }).join();
    int64_t before = mem_used();
    for (int i = 0; i < 20; i++) {
        std::thread([&] {
            for (int j = 0; j < 1000; j++)
                epoch_retire(epoch_slot(), &freed, 1, count_free);
        }).join();
        epoch_drain(s);
    }
    // This thread may keep a few empty chunks of 2 KiB.
    EXPECT_LT(mem_used() - before, 64 * 1024);
}

// The forked child has one thread: nobody else's pin may hold it back, and it knows it is a child.
TEST_F(EpochTest, AForkedChildIsNotHeldBackByTheParentsThreads) {
    PinnedThread reader;
    uint32_t generation = epoch_fork_generation();
    pid_t child = fork();
    if (child == 0) {
        epoch_retire(s, &freed, 1, count_free);
        epoch_drain(s);
        bool good = freed.load() == 1 && epoch_fork_generation() == generation + 1;
        _exit(good ? 0 : 1);
    }
    int status = 1;
    ASSERT_EQ(child, waitpid(child, &status, 0));
    EXPECT_EQ(0, status);
    EXPECT_EQ(generation, epoch_fork_generation());
    reader.finish();
}

TEST_F(EpochTest, EndingPinnedIsABug) {
    EXPECT_DEATH(std::thread([] { epoch_pin(epoch_slot()); }).join(), "read section");
}

TEST_F(EpochTest, SynchronizingWhilePinnedIsABug) {
    EXPECT_DEATH(
        {
            epoch_pin(s);
            epoch_synchronize(s);
        },
        "epoch_pinned");
}

}  // namespace rp
