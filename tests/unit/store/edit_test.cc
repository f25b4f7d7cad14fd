#include "store/edit.h"

#include <random>

#include "../cmd/harness.h"
#include "types/dict.h"
#include "types/graveyard.h"
#include "types/intset.h"
#include "types/listpack.h"
#include "unit/types/values.h"

namespace rp::test {

// Edits without commands: keys are edited under their segment's lock, and the segment is checked
// (costs included) after each.
class EditTest : public ::testing::Test {
  protected:
    EditTest() {
        a.store = &home.core.store;
        a.slot = epoch_slot();
        a.stats = &stats;
        a.locked = true;
    }
    ~EditTest() override {
        gate_enter(&home.core.store.gate, a.slot);
        watch_clear(&home.core.store, &watcher);
        gate_leave(a.slot);
    }

    Segment* segment(Bytes key) { return table_segment(db_table(&a), table_hash(key)); }
    const Entry* entry(Bytes key) { return table_find(db_table(&a), key, table_hash(key)); }
    Encoding encoding(Bytes key) { return entry_encoding(entry(key)); }
    bool absent(Bytes key) { return entry(key) == nullptr; }

    void check(Bytes key) {
        MutexGuard guard(&segment(key)->lock);
        table_check_segment(db_table(&a), segment_index(table_hash(key)));
    }
    // fn works on the value and returns the number of changes.
    template <typename Fn>
    Opened edit(Bytes key, Type type, Fn fn) {
        Opened opened;
        {
            MutexGuard guard(&segment(key)->lock);
            Edit e;
            opened = edit_open(&a, key, type, &e);
            if (opened != Opened::wrong_type) edit_close(&e, fn(e.value));
        }
        check(key);
        return opened;
    }
    void append(Bytes key, size_t n) {
        edit(key, Type::list, [n](Value* v) {
            for (size_t i = 0; i < n; i++)
                lp_append(&v->flat, "0123456789");
            return n;
        });
    }
    std::vector<std::string> elements(Bytes key) {
        MutexGuard guard(&segment(key)->lock);
        Value v;
        EXPECT_TRUE(db_view(&a, entry(key), &v));
        return elements_of(&v);
    }
    void store(Bytes key, Type type, Value v) {
        {
            MutexGuard guard(&segment(key)->lock);
            edit_store(&a, key, type, &v, 0, "stored");
        }
        check(key);
    }
    void copy(Bytes from, Bytes to) {
        {
            MutexGuard guard(&segment(to)->lock);
            Handle h = db_open(&a, to);
            db_put(&a, &h, entry_copy(entry(from), to, kNoExpiry));
        }
        check(to);
    }
    void set_expiry(Bytes key, int64_t ms) {
        MutexGuard guard(&segment(key)->lock);
        Handle h = db_open(&a, key);
        db_set_expiry(&a, &h, ms);
    }
    void watch(Bytes key) {
        MutexGuard guard(&segment(key)->lock);
        watch_add(&a, &watcher, key);
    }
    bool told() { return watcher.dirty.exchange(false); }

    TestEngine home;
    StoreStats stats;
    Access a;
    Watcher watcher;
};

static size_t nothing(Value*) { return 0; }
static size_t clear(Value* v) {
    size_t n = value_elements(v);
    Form form = v->form;
    if (form == Form::dict) {
        while (v->dict->count != 0)
            dict_erase_at(v->dict, 0);
    } else {
        value_free(v);
    }
    v->form = form;
    return n;
}

TEST_F(EditTest, AValueGoesFromInlineToABoxAndBack) {
    append("k", 1);
    EXPECT_EQ(Encoding::listpack, encoding("k"));
    size_t n = 1;
    while (encoding("k") == Encoding::listpack) {
        append("k", 1);
        ASSERT_EQ(++n, elements("k").size());
        ASSERT_LT(n, 1000u);
    }
    EXPECT_EQ(Encoding::boxed, encoding("k"));
    EXPECT_GT(entry_box(entry("k"))->value.flat.len, kInlineMax);
    while (encoding("k") == Encoding::boxed) {
        edit("k", Type::list, [](Value* v) {
            lp_erase(&v->flat, lp_first(buf_bytes(&v->flat)), 1);
            return size_t{1};
        });
        ASSERT_EQ(--n, elements("k").size());
        ASSERT_GT(n, 1u);
    }
    EXPECT_EQ(Encoding::listpack, encoding("k"));
    EXPECT_LE(entry_inline(entry("k")).len, kInlineMax / 2) << "not at once: no flapping";
}

TEST_F(EditTest, ABoxIsChangedInPlace) {
    store("k", Type::set, value_of(Form::dict, 1000));
    const Entry* e = entry("k");
    const Box* box = entry_box(e);
    edit("k", Type::set, [](Value* v) {
        dict_set(v->dict, "new", {}, nullptr);
        return size_t{1};
    });
    EXPECT_EQ(e, entry("k"));
    EXPECT_EQ(box, entry_box(entry("k")));
    EXPECT_EQ(1001u, elements("k").size());
}

TEST_F(EditTest, WithoutChangesNothingIsPublishedAndNobodyTold) {
    store("flat", Type::set, value_of(Form::intset, 10));
    store("boxed", Type::set, value_of(Form::dict, 1000));
    for (const char* name : {"flat", "boxed", "absent"}) {
        Bytes key = bytes_of(name);
        const Entry* before = entry(key);
        watch(key);
        uint64_t changes = a.changes;
        EXPECT_EQ(before == nullptr ? Opened::absent : Opened::found,
                  edit(key, Type::set, nothing));
        EXPECT_EQ(before, entry(key));
        EXPECT_EQ(changes, a.changes);
        EXPECT_FALSE(told()) << name;
    }
}

TEST_F(EditTest, MemoryArrangedAnewWithoutAChangeIsCountedAndNobodyTold) {
    store("k", Type::set, value_of(Form::dict, 1000));
    watch("k");
    size_t before = entry_cost(entry("k"));
    edit("k", Type::set, [](Value* v) {  // as a look that moves an index on
        dict_reserve(v->dict, 100000);
        return size_t{0};
    });
    EXPECT_NE(before, entry_cost(entry("k")));
    EXPECT_FALSE(told());
}

TEST_F(EditTest, WorkOnACopyThatChangedNothingIsThrownAway) {
    store("k", Type::set, value_of(Form::intset, 10));
    edit("k", Type::set, [](Value* v) {
        buf_own(&v->flat);
        return size_t{0};
    });
    edit("absent", Type::set, [](Value* v) {
        *v = value_of(Form::dict, 0);
        return size_t{0};
    });
    EXPECT_EQ(10u, elements("k").size());
    EXPECT_TRUE(absent("absent"));
}

TEST_F(EditTest, ASharedBoxIsClonedByWhoeverWrites) {
    for (Form form : {Form::dict, Form::listpack, Form::intset}) {
        size_t n = 5000;
        store("k", type_of(form), value_of(form, n));
        copy("k", "copy");
        ASSERT_EQ(entry_box(entry("k")), entry_box(entry("copy")));
        std::vector<std::string> before = elements("k");
        const Box* box = entry_box(entry("k"));

        edit("copy", type_of(form), nothing);
        EXPECT_EQ(box, entry_box(entry("copy"))) << "a look shares on";
        edit("copy", type_of(form), [n](Value* v) {
            value_grow(v, n + 1);
            return size_t{1};
        });
        check("k");
        EXPECT_EQ(box, entry_box(entry("k")));
        EXPECT_NE(box, entry_box(entry("copy")));
        EXPECT_EQ(before, elements("k"));
        EXPECT_EQ(n + 1, elements("copy").size());

        edit("k", type_of(form), [n](Value* v) {  // alone now: in place
            value_grow(v, n + 2);
            return size_t{1};
        });
        EXPECT_EQ(box, entry_box(entry("k")));
        check("copy");
    }
}

TEST_F(EditTest, AnEmptyValueDeletesTheKey) {
    store("inline", Type::set, value_of(Form::intset, 3));
    store("box", Type::list, value_of(Form::listpack, 2000));
    store("dict", Type::set, value_of(Form::dict, 2000));
    store("original", Type::set, value_of(Form::dict, 2000));
    copy("original", "shared");
    for (const char* name : {"inline", "box", "dict", "shared"}) {
        Bytes key = bytes_of(name);
        Type type = entry_type(entry(key));
        watch(key);
        a.changes = 5;
        edit(key, type, clear);
        EXPECT_TRUE(absent(key)) << name;
        EXPECT_TRUE(told()) << name;
        EXPECT_GT(a.changes, 7u);
        EXPECT_EQ(Opened::absent, edit(key, type, nothing));
    }
    EXPECT_EQ(2000u, elements("original").size());
    while (graveyard_dig(SIZE_MAX)) {}
}

TEST_F(EditTest, ChangesAreWhatTheCommandSays) {
    a.changes = 7;
    append("k", 3);
    EXPECT_EQ(10u, a.changes);
    append("k", 500);  // into a box
    EXPECT_EQ(510u, a.changes);
    append("k", 1);  // in it
    EXPECT_EQ(511u, a.changes);
}

TEST_F(EditTest, TheWatchIsToldHoweverTheValueIsKept) {
    for (const char* name : {"absent", "inline", "box", "into", "outof"}) {
        Bytes key = bytes_of(name);
        if (bytes_equal(key, "inline")) append(key, 2);
        if (bytes_equal(key, "into")) append(key, 80);
        if (bytes_equal(key, "box") || bytes_equal(key, "outof")) append(key, 1000);
        watch(key);
        EXPECT_FALSE(told()) << name;
        if (bytes_equal(key, "outof")) {
            edit(key, Type::list, [](Value* v) { return lp_erase(&v->flat, 4, 990), size_t{1}; });
            EXPECT_EQ(Encoding::listpack, encoding(key));
        } else {
            append(key, 20);
        }
        EXPECT_TRUE(told()) << name;
    }
    EXPECT_EQ(Encoding::boxed, encoding("into"));
}

TEST_F(EditTest, AnotherTypeIsLeftAlone) {
    store("k", Type::set, value_of(Form::intset, 3));
    const Entry* before = entry("k");
    EXPECT_EQ(Opened::wrong_type, edit("k", Type::list, clear));
    EXPECT_EQ(before, entry("k"));
}

TEST_F(EditTest, TheExpiryStaysThroughEveryForm) {
    clock_fake_ms(1000);
    append("k", 3);
    set_expiry("k", 5000);
    append("k", 1);
    EXPECT_EQ(5000, entry_expiry_ms(entry("k")));
    append("k", 1000);
    EXPECT_EQ(5000, entry_expiry_ms(entry("k")));
    edit("k", Type::list, [](Value* v) { return lp_erase(&v->flat, 4, 1000), size_t{1}; });
    EXPECT_EQ(Encoding::listpack, encoding("k"));
    EXPECT_EQ(5000, entry_expiry_ms(entry("k")));
    a.now_ms = 5001;
    EXPECT_EQ(Opened::absent, edit("k", Type::list, nothing)) << "expired";
    EXPECT_TRUE(absent("k"));
    clock_fake_ms(0);
}

TEST_F(EditTest, StoreReplacesAnyValueAndItsExpiry) {
    clock_fake_ms(1000);
    append("k", 3);
    set_expiry("k", 5000);
    watch("k");
    a.changes = 0;
    store("k", Type::set, value_of(Form::dict, 100));
    EXPECT_EQ(1u, a.changes);
    EXPECT_TRUE(told());
    EXPECT_EQ(Type::set, entry_type(entry("k")));
    EXPECT_EQ(kNoExpiry, entry_expiry_ms(entry("k")));
    store("k", Type::set, {});
    EXPECT_TRUE(absent("k"));
    EXPECT_EQ(2u, a.changes);
    EXPECT_TRUE(told());
    store("k", Type::set, value_of(Form::dict, 0));  // nothing in the place of nothing
    EXPECT_EQ(2u, a.changes);
    EXPECT_FALSE(told());
    clock_fake_ms(0);
}

// Copies, writes and deletes among a few keys, against plain vectors.
TEST_F(EditTest, KeysThatShareBoxesBehaveAsIfTheyDidNot) {
    uint64_t seed = std::random_device{}();
    if (const char* given = getenv("RP_SEED")) seed = strtoull(given, nullptr, 10);
    printf("RP_SEED=%llu\n", static_cast<unsigned long long>(seed));
    std::mt19937_64 random(seed);
    const Bytes keys[] = {"a", "b", "c", "d"};
    std::vector<std::string> model[4];
    for (int step = 0; step < 3000; step++) {
        size_t i = random() % 4, j = random() % 4;
        uint64_t what = random() % 16;
        if (what == 0) {
            if (!model[i].empty() && i != j) {
                copy(keys[i], keys[j]);
                model[j] = model[i];
            }
        } else if (what == 1) {
            edit(keys[i], Type::list, clear);
            model[i].clear();
        } else if (what < 5) {
            edit(keys[i], Type::list, [&](Value* v) {
                size_t n = model[i].size() / 3;
                if (n == 0) return size_t{0};
                lp_erase(&v->flat, lp_seek(buf_bytes(&v->flat), 1), n);
                model[i].erase(model[i].begin() + 1, model[i].begin() + 1 + static_cast<long>(n));
                return n;
            });
        } else {
            edit(keys[i], Type::list, [&](Value* v) {
                std::string text(random() % 100, 'x');
                lp_append(&v->flat, {text.data(), text.size()});
                model[i].push_back(text);
                return size_t{1};
            });
        }
        for (size_t k = 0; k < 4; k++) {
            ASSERT_EQ(model[k].empty(), absent(keys[k]));
            if (!model[k].empty()) {
                ASSERT_EQ(model[k], elements(keys[k])) << "step " << step;
            }
            check(keys[k]);
        }
        epoch_reclaim(a.slot);
    }
}

}  // namespace rp::test
