#include "sync/mutex.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace rp {

TEST(Mutex, ZeroBytesAreAnUnlockedLock) {
    Mutex m;
    EXPECT_EQ(4u, sizeof(m));
    EXPECT_FALSE(mutex_held(&m));
    EXPECT_TRUE(mutex_try_lock(&m));
    EXPECT_TRUE(mutex_held(&m));
    EXPECT_FALSE(mutex_try_lock(&m));
    mutex_unlock(&m);
    EXPECT_TRUE(mutex_try_lock(&m));
    mutex_unlock(&m);
}

TEST(Mutex, GuardsAPlainCounterWithMoreThreadsThanCores) {
    constexpr int kThreads = 8, kRounds = 20000;
    Mutex m;
    int counter = 0;  // plain on purpose: TSan would tell
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; i++) {
        threads.emplace_back([&] {
            for (int j = 0; j < kRounds; j++) {
                MutexGuard guard(&m);
                counter++;
            }
        });
    }
    for (std::thread& each : threads)
        each.join();
    EXPECT_EQ(kThreads * kRounds, counter);
    EXPECT_FALSE(mutex_held(&m));
}

TEST(Mutex, TryLockNeverWaits) {
    Mutex m;
    mutex_lock(&m);
    std::thread other([&] { EXPECT_FALSE(mutex_try_lock(&m)); });
    other.join();
    mutex_unlock(&m);
}

TEST(Mutex, ASleeperIsWoken) {
    Mutex m;
    mutex_lock(&m);
    std::thread other([&] {
        mutex_lock(&m);
        mutex_unlock(&m);
    });
    while (m.state.load() != 2)
        std::this_thread::yield();  // it sleeps, or is about to
    mutex_unlock(&m);
    other.join();
}

TEST(Futex, WaitReturnsAtOnceWhenTheWordHasChanged) {
    std::atomic<uint32_t> word{7};
    futex_wait(&word, 6);
    SUCCEED();
}

TEST(Futex, WakeAllWakesEverybody) {
    std::atomic<uint32_t> word{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) {
        threads.emplace_back([&] {
            while (word.load() == 0)
                futex_wait(&word, 0);
        });
    }
    word.store(1);
    futex_wake_all(&word);
    for (std::thread& each : threads)
        each.join();
}

}  // namespace rp
