#include "store/gate.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace rp::test {

TEST(Gate, WhoeverClosedItIsAlone) {
    Gate gate;
    std::atomic<bool> stop{false};
    int plain = 0;  // written by the taker only while alone, read by everybody inside the gate
    std::atomic<int> torn{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; i++) {
        threads.emplace_back([&] {
            EpochSlot* s = epoch_slot();
            while (!stop) {
                gate_enter(&gate, s);
                if (plain % 2 != 0) torn++;
                gate_leave(s);
            }
        });
    }
    EpochSlot* s = epoch_slot();
    for (int i = 0; i < 500; i++) {
        gate_close(&gate, s);
        plain++;  // odd: nobody may see this
        plain++;
        gate_open(&gate, s);
    }
    stop = true;
    for (std::thread& t : threads)
        t.join();
    EXPECT_EQ(torn, 0);
}

TEST(Gate, TwoTakersTakeTurns) {
    Gate gate;
    int plain = 0;
    auto taker = [&] {
        EpochSlot* s = epoch_slot();
        for (int i = 0; i < 300; i++) {
            gate_close(&gate, s);
            plain++;
            gate_open(&gate, s);
        }
    };
    std::thread a(taker), b(taker);
    a.join();
    b.join();
    EXPECT_EQ(plain, 600);
}

}  // namespace rp::test
