// Mailboxes by themselves: order, what a receiver gets and what not, one copy, bounds.
#include <gtest/gtest.h>

#include <string>

#include "cmd/mailbox.h"
#include "mem/mem.h"
#include "unit/resp/out_text.h"

namespace rp::test {

static Blob* wire_of(const std::string& text) {
    Blob* b = blob_new(text.size());
    memcpy(b->data, text.data(), text.size());
    b->len = text.size();
    return b;
}

struct MailboxTest : testing::Test {
    Mailbox box;
    int wakes = 0;
    int drains = 0;
    std::atomic<uint32_t> full{0};
    Mutex topic;

    void SetUp() override {
        box.wake_arg = this;
        box.wake = [](void* arg) { static_cast<MailboxTest*>(arg)->wakes++; };
        box.drained = [](void* arg) { static_cast<MailboxTest*>(arg)->drains++; };
        box.cut = [](Session*) {};
        box.full = &full;
    }
    void TearDown() override { mailbox_deinit(&box); }

    void post(Port* p, const std::string& text) {
        Blob* b = wire_of(text);
        MutexGuard guard(&topic);
        port_post(p, b);
        blob_unref(b);
    }
};

// A session with what it received.
struct Listener {
    Session session;
    Receiver receiver;
    ~Listener() { out_clear(&session.out); }
    std::string got() { return out_text(&session.out); }
};

static void leave(Port* p, Listener* l) {
    bool gone = !port_leave(p, &l->receiver);
    port_forget(p, &l->receiver, gone);
}

TEST_F(MailboxTest, OnlyTheFirstPostWakesTheOwner) {
    Port* p = port_new(&box, Framing::none, {});
    Listener l;
    port_join(p, &l.receiver, &l.session);
    for (int i = 0; i < 10; i++)
        post(p, std::to_string(i));
    EXPECT_EQ(wakes, 1);
    mailbox_drain(&box);
    EXPECT_EQ(l.got(), "0123456789");
    post(p, "x");
    EXPECT_EQ(wakes, 2);
    mailbox_here(&box);
    mailbox_drain(&box);
    post(p, "y");
    EXPECT_EQ(wakes, 2) << "the owner drains when its turn ends";
    mailbox_here(nullptr);
    leave(p, &l);
}

TEST_F(MailboxTest, AReceiverGetsWhatIsPostedWhileItIsAMember) {
    Port* p = port_new(&box, Framing::none, {});
    Listener early, late;
    port_join(p, &early.receiver, &early.session);
    post(p, "1");
    port_join(p, &late.receiver, &late.session);  // "1" still waits
    post(p, "2");
    EXPECT_TRUE(port_leave(p, &early.receiver));
    post(p, "3");
    mailbox_drain(&box);
    EXPECT_EQ(early.got(), "12");
    EXPECT_EQ(late.got(), "23");
    port_forget(p, &early.receiver, false);
    leave(p, &late);
}

TEST_F(MailboxTest, AMarkOfTheProtocolAndThePrefixStandInFront) {
    Port* p = port_new(&box, Framing::push, "3\r\n");
    Listener two, three;
    three.session.resp = 3;
    port_join(p, &two.receiver, &two.session);
    port_join(p, &three.receiver, &three.session);
    post(p, "text");
    mailbox_drain(&box);
    EXPECT_EQ(two.got(), "*3\r\ntext");
    EXPECT_EQ(three.got(), ">3\r\ntext");
    leave(p, &two);
    leave(p, &three);
}

TEST_F(MailboxTest, MessagesInARowAreTheSameBytesForEveryKindOfReceiver) {
    Port* p = port_new(&box, Framing::push, "3\r\n");
    Port* other = port_new(&box, Framing::none, {});
    Listener two, three, late, aside;
    three.session.resp = 3;
    port_join(p, &two.receiver, &two.session);
    port_join(p, &three.receiver, &three.session);
    port_join(other, &aside.receiver, &aside.session);
    std::string want_two, want_three, want_late;
    for (int i = 0; i < 3000; i++) {
        std::string text = std::to_string(i) + std::string(static_cast<size_t>(i % 97), 'x');
        if (i == 1500) {
            port_join(p, &late.receiver, &late.session);
            post(other, "aside");
        }
        post(p, text);
        want_two += "*3\r\n" + text;
        want_three += ">3\r\n" + text;
        if (i >= 1500) want_late += "*3\r\n" + text;
    }
    mailbox_drain(&box);
    EXPECT_TRUE(two.got() == want_two);
    EXPECT_TRUE(three.got() == want_three);
    EXPECT_TRUE(late.got() == want_late);
    EXPECT_EQ(aside.got(), "aside");
    leave(p, &two);
    leave(p, &three);
    leave(p, &late);
    leave(other, &aside);
}

TEST_F(MailboxTest, ALargeMessageIsOneCopyForAll) {
    Port* p = port_new(&box, Framing::none, {});
    Listener all[20];
    for (Listener& l : all)
        port_join(p, &l.receiver, &l.session);
    std::string text(1 << 20, 'x');
    int64_t before = mem_used();
    post(p, text);
    mailbox_drain(&box);
    EXPECT_LT(mem_used() - before, 2 << 20);
    const Blob* one = all[0].session.out.head->blob;
    for (Listener& l : all) {
        EXPECT_EQ(l.session.out.head->blob, one);
        EXPECT_TRUE(l.got() == text);
        leave(p, &l);
    }
}

TEST_F(MailboxTest, AboveTheSoftLimitItCountsAsFullUntilItIsDrained) {
    box.soft_bytes = 1000;
    Port* p = port_new(&box, Framing::none, {});
    Listener l;
    port_join(p, &l.receiver, &l.session);
    post(p, std::string(900, 'a'));
    EXPECT_EQ(full, 0u);
    post(p, std::string(900, 'b'));
    post(p, std::string(900, 'c'));
    EXPECT_EQ(full, 1u);
    EXPECT_EQ(drains, 0);
    mailbox_drain(&box);
    EXPECT_EQ(full, 0u);
    EXPECT_EQ(drains, 1);
    EXPECT_EQ(l.got().size(), 2700u);
    leave(p, &l);
}

TEST_F(MailboxTest, AboveTheHardLimitReceiversAreCutOffAndOthersAreNot) {
    static Session* cut;
    cut = nullptr;
    box.cut = [](Session* s) { cut = s; };
    box.hard_bytes = 1000;
    Port* a = port_new(&box, Framing::none, {});
    Port* b = port_new(&box, Framing::none, {});
    Listener la, lb;
    port_join(a, &la.receiver, &la.session);
    port_join(b, &lb.receiver, &lb.session);
    post(b, "first");
    post(a, std::string(800, 'a'));
    post(a, std::string(800, 'b'));  // has no room
    post(a, "c");                    // would, but nothing follows a gap
    post(b, "second");
    mailbox_drain(&box);
    EXPECT_EQ(cut, &la.session);
    EXPECT_EQ(la.got(), std::string(800, 'a'));
    EXPECT_EQ(lb.got(), "firstsecond");
    EXPECT_FALSE(lb.session.cut);
    Listener fresh;
    port_join(a, &fresh.receiver, &fresh.session);
    post(a, "new");
    mailbox_drain(&box);
    EXPECT_EQ(fresh.got(), "new") << "who joins behind the gap gets everything";
    EXPECT_EQ(la.got(), "");
    leave(a, &la);
    leave(a, &fresh);
    leave(b, &lb);
}

TEST_F(MailboxTest, APortThatMessagesStillNameOutlivesItsMembers) {
    Port* p = port_new(&box, Framing::none, {});
    Listener l;
    port_join(p, &l.receiver, &l.session);
    post(p, "never read");
    leave(p, &l);
    mailbox_drain(&box);  // AddressSanitizer would tell
    EXPECT_EQ(l.got(), "");
}

}  // namespace rp::test
