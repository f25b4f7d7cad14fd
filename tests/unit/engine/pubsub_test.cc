// What publish/subscribe asks of the dispatcher, without a network.
#include "engine/pubsub.h"

#include "harness.h"

namespace rp::test {

TEST(Pubsub, WhoMayPublishWaitsWhileAMailboxIsFull) {
    EngineFixture f;
    Client c(&f);
    c("MULTI");
    c("PUBLISH a x");
    f.e->core.mail_full = 1;
    EXPECT_EQ(c("EXEC"), "");
    EXPECT_EQ(c.last, Ran::paused);
    f.e->core.mail_full = 0;
    EXPECT_EQ(c("EXEC"), "*1\r\n:0\r\n");
    f.e->core.mail_full = 1;
    for (const char* line : {"PUBLISH a x", "SPUBLISH a x", "SET k v"}) {
        EXPECT_EQ(c(line), "");
        EXPECT_EQ(c.last, Ran::paused) << line;
    }
    EXPECT_EQ(c("GET k"), "$-1\r\n");
    EXPECT_EQ(c("PUBSUB NUMPAT"), ":0\r\n");
    f.e->core.mail_full = 0;
    EXPECT_EQ(c("PUBLISH a x"), ":0\r\n");
}

TEST(Pubsub, RowsTellWhichArgumentsAreChannels) {
    engine_register_commands();
    auto spec = [](const char* name) { return command_find(bytes_of(name)).row->channels; };
    EXPECT_EQ(spec("PUBLISH").flags, kChannelPublish);
    EXPECT_EQ(spec("PUBLISH").last, 1);
    EXPECT_EQ(spec("PSUBSCRIBE").flags, kChannelSubscribe | kChannelPattern);
    EXPECT_EQ(spec("SSUBSCRIBE").last, -1);
    EXPECT_EQ(spec("GET").flags, 0);
}

TEST(Pubsub, ManySubscriptionsAreFoundAndForgotten) {
    EngineFixture f;
    Mailbox box;
    box.wake = [](void*) {};
    {
        Client c(&f);
        c.session.mailbox = &box;
        for (int i = 0; i < 5000; i++)
            c("SUBSCRIBE c" + std::to_string(i));
        Client p(&f);
        EXPECT_EQ(p("PUBLISH c4999 x"), ":1\r\n");
        EXPECT_EQ(f.e->pubsub->topics[0], 5000u);
        for (int i = 0; i < 5000; i += 2)
            c("UNSUBSCRIBE c" + std::to_string(i));
        EXPECT_EQ(f.e->pubsub->topics[0], 2500u);
        EXPECT_EQ(p("PUBLISH c4998 x"), ":0\r\n");
        EXPECT_EQ(p("PUBLISH c4999 x"), ":1\r\n");
    }
    EXPECT_EQ(f.e->pubsub->topics[0], 0u);
    mailbox_deinit(&box);
}

}  // namespace rp::test
