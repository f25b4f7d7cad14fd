// py/subscriber.cc: _core.Subscriber, a session that subscribes (rustypotato.h, "messages"). The
// class PubSub of the package waits on its descriptor and shapes its messages.
//
// Threads  `lock` lets calls take turns. Nothing in here waits for a message.
#include "py/subscriber.h"

#include <pybind11/stl.h>
#include <sys/eventfd.h>

#include <mutex>
#include <string>
#include <vector>

#include "py/raise.h"
#include "resp/reader.h"

namespace py11 = pybind11;

namespace rp::py {

struct Subscriber {
    rp_session* session = nullptr;
    py11::object store;  // kept alive
    std::mutex lock;
    ~Subscriber() {
        py11::gil_scoped_release release;
        rp_session_close(session);
    }
};

static std::unique_ptr<Subscriber> subscriber_open(const py11::object& store, size_t bytes_max) {
    auto s = std::make_unique<Subscriber>();
    check(rp_subscriber_open(store_of(store)->store, 3, bytes_max, &s->session));
    s->store = store;
    return s;
}

static void subscriber_run(Subscriber* s, const std::vector<std::string>& words) {
    std::vector<rp_bytes> argv;
    for (const std::string& w : words)
        argv.push_back({w.data(), w.size()});
    int status;
    {
        py11::gil_scoped_release release;
        std::lock_guard<std::mutex> guard(s->lock);
        status = rp_subscriber_run(s->session, argv.size(), argv.data());
    }
    check(status);
}

static std::string bytes_of_reply(const rp_reply* reply) {
    std::string all(reply->first.ptr != nullptr ? reply->first.ptr : "", reply->first.len);
    all.reserve(reply->total);
    for (const void* next = reply->next; next != nullptr;) {
        rp_bytes piece;
        next = rp_reply_piece(next, &piece);
        all.append(piece.ptr, piece.len);
    }
    return all;
}

static py11::object item_object(const ReplyItem* item) {
    switch (item->kind) {
        case ReplyKind::integer: return py11::int_(item->integer);
        case ReplyKind::bulk:
        case ReplyKind::simple: return py11::bytes(item->text.ptr, item->text.len);
        case ReplyKind::error: {
            raise_status(RP_INVALID, std::string(item->text.ptr, item->text.len).c_str());
            throw py11::error_already_set();
        }
        default: return py11::none();
    }
}

// A list of messages, each a tuple of bytes, int and None.
static py11::list messages_of(const std::string& wire) {
    py11::list out;
    ReplyItem item;
    for (size_t pos = 0; reply_read(wire.data(), wire.size(), &pos, &item) == 1;) {
        bool many = item.kind == ReplyKind::push || item.kind == ReplyKind::array;
        size_t n = many ? item.count : 1;
        py11::tuple message(n);
        for (size_t i = 0; i < n; i++) {
            if (many && reply_read(wire.data(), wire.size(), &pos, &item) != 1) return out;
            message[i] = item_object(&item);
        }
        out.append(message);
    }
    return out;
}

static py11::list subscriber_take(Subscriber* s) {
    std::string wire;
    int status;
    {
        py11::gil_scoped_release release;
        std::lock_guard<std::mutex> guard(s->lock);
        rp_reply reply;
        status = rp_subscriber_take(s->session, &reply);
        if (status == RP_OK) wire = bytes_of_reply(&reply);
    }
    check(status);
    return messages_of(wire);
}

static void subscriber_wake(const Subscriber* s) { eventfd_write(rp_subscriber_fd(s->session), 1); }

void define_subscriber(py11::module_& m) {
    using py11::arg;
    py11::class_<Subscriber>(m, "Subscriber")
        .def(py11::init(&subscriber_open), arg("store"), arg("bytes_max"))
        .def("run", subscriber_run, arg("words"), "Runs a command that subscribes.")
        .def("take", subscriber_take, "All messages that wait, as tuples. Does not wait.")
        .def("wake", subscriber_wake, "Makes the descriptor readable.")
        .def(
            "fileno", [](const Subscriber* s) { return rp_subscriber_fd(s->session); },
            "A descriptor that is readable while messages may wait.");
}

}  // namespace rp::py
