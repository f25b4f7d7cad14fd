// types/set.h: a set of byte strings.
//
//   intset      all members are integers as Redis writes them (parse_i64), and at most
//               set-max-intset-entries of them
//   listpack    up to kSetFlatEntries members of at most kSetFlatMember bytes each
//   dict        the rest: members are the keys
//
// A set moves down this list as it must and never up again, as in Redis, which has no listpack form
// in 7.0: OBJECT ENCODING calls both of the others "hashtable". The listpack is there because a
// small set then lies inside its entry of the table: one allocation instead of one per member, and
// reads take no lock. Its limits are where a search through it still costs no more than hashing a
// member and following two pointers would (64 lengths to compare, mostly), and where most of them
// fit inline (kInlineMax).
//
// Ownership  as types/value.h. Bytes of a member are good until the next write.
// Threads    none inside.
#pragma once
#include "base/numbers.h"
#include "types/value.h"

namespace rp {

constexpr size_t kSetFlatEntries = 64;
constexpr size_t kSetFlatMember = 64;

// An empty Value (`= {}`) is an empty set of no form yet: its first member decides.
size_t set_count(const Value* v);
bool set_contains(const Value* v, Bytes member);
// False: it was there already. `intset_max` is set-max-intset-entries.
bool set_add(Value* v, Bytes member, size_t intset_max);
bool set_remove(Value* v, Bytes member);  // false: it was not there

// Members by number, in no special order: one at random is one of a random number. Bytes of
// integers are in `digits`. REQUIRES: index < count.
Bytes set_at(const Value* v, size_t index, char digits[kI64TextMax]);
// Another member may take the number of the removed one.
void set_remove_at(Value* v, size_t index);

// A walk over all members; integers come in ascending order. The set must not change meanwhile.
struct SetWalk {
    const Value* set;
    size_t at;
    char digits[kI64TextMax];
};
SetWalk set_walk(const Value* v);
bool set_next(SetWalk* w, Bytes* member);  // false: that was the last one

void set_check(const Value* v);  // the form's own invariants and the limits; asserts

}  // namespace rp
