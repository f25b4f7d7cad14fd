// TIME and LOLWUT.
#include "base/clock.h"
#include "base/random.h"
#include "engine/engine.h"
#include "engine/families.h"
#include "engine/text.h"

namespace rp {

static void cmd_time(CmdCtx*, Args, Reply* out) {
    int64_t us = clock_wall_us();
    reply_array(out, 2);
    reply_bulk_int(out, us / 1000000);
    reply_bulk_int(out, us % 1000000);
}

// ---- LOLWUT: a field of potatoes --------------------------------------------------------------

constexpr int64_t kFieldColsMax = 160;
constexpr int64_t kFieldRowsMax = 60;

struct Field {
    int64_t cols, rows;
    char cells[kFieldRowsMax][kFieldColsMax];
};

static int64_t clamp(int64_t v, int64_t low, int64_t high) {
    return v < low ? low : v > high ? high : v;
}

static int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random_below(static_cast<uint64_t>(high - low + 1)));
}

// An ellipse with a dark lower rim and a few eyes. A character cell is about twice as high as wide.
static void grow_potato(Field* f, int64_t x, int64_t y, int64_t w, int64_t h) {
    for (int64_t row = -h; row <= h; row++) {
        for (int64_t col = -w; col <= w; col++) {
            int64_t cx = x + col, cy = y + row;
            if (cx < 0 || cy < 0 || cx >= f->cols || cy >= f->rows) continue;
            // 1000 at the rim.
            int64_t at = 1000 * col * col / (w * w) + 1000 * row * row / (h * h);
            if (at > 1000) continue;
            bool rim = at > 700;
            char skin = rim ? (row > 0 ? '%' : ':') : random_below(14) == 0 ? 'o' : '.';
            f->cells[cy][cx] = skin;
        }
    }
}

static void draw_field(Field* f) {
    memset(f->cells, ' ', sizeof f->cells);
    int64_t potatoes = 1 + f->cols * f->rows / 120;
    for (int64_t i = 0; i < potatoes; i++) {
        int64_t h = between(1, 1 + f->rows / 6);
        grow_potato(f, between(0, f->cols - 1), between(0, f->rows - 1), h * between(2, 3), h);
    }
}

static void add_field(Text* t, const Field* f) {
    for (int64_t row = 0; row < f->rows; row++) {
        int64_t len = f->cols;
        while (len > 0 && f->cells[row][len - 1] == ' ')
            len--;
        text_add(t, {f->cells[row], static_cast<size_t>(len)});
        text_add(t, "\n");
    }
}

// LOLWUT [VERSION n] [columns [rows]]. As in Redis only the versions that draw look at the numbers.
static void cmd_lolwut(CmdCtx* c, Args argv, Reply* out) {
    int64_t version = 5, cols = 60, rows = 14;
    size_t at = 1;
    if (argv.len >= 3 && arg_is(argv[1], "VERSION")) {
        if (!arg_i64(c, argv[2], &version)) return;
        at = 3;
        bool draws = version == 5 || version == 6;
        if (draws && argv.len > at && !arg_i64(c, argv[at], &cols)) return;
        if (draws && argv.len > at + 1 && !arg_i64(c, argv[at + 1], &rows)) return;
    }
    Text t;
    if (version == 5 || version == 6) {
        Field f;
        f.cols = clamp(cols, 1, kFieldColsMax);
        f.rows = clamp(rows, 1, kFieldRowsMax);
        draw_field(&f);
        add_field(&t, &f);
        text_add(&t, "\nA potato field, grown for you. ");
    }
    text_addf(&t, "Redis ver. %s\n", kServerVersion);
    reply_verbatim(out, t.bytes(), "txt");
    text_free(&t);
}

const Cmd kServerCmds[] = {
    {.name = "TIME",
     .run = cmd_time,
     .arity = 1,
     .flags = kCmdLoading | kCmdStale | kCmdFast,
     .group = "server",
     .reply = Shape::array,
     .since = "2.6.0",
     .cost = "O(1)",
     .about = "Returns the server's time: seconds since 1970 and microseconds.",
     .tips = {"nondeterministic_output"}},
    {.name = "LOLWUT",
     .run = cmd_lolwut,
     .arity = -1,
     .flags = kCmdReadonly | kCmdFast,
     .group = "server",
     .syntax = "[VERSION version:integer]",
     .reply = Shape::bulk,
     .since = "5.0.0",
     .about = "Draws a picture and tells the version."},
    {},
};

}  // namespace rp
