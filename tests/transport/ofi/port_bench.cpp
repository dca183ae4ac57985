// Measures a port between two processes of this host: ping-pong of messages, and one large transfer by pieces
// (messages), by read and by write. Each round is timed by itself and the fastest tenth tells, since other work on the
// machine only ever adds. Usage: port_bench PROVIDER [MODE SIZE ROUNDS]; without a mode, a table of all.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "transport/ofi/process_pair.hpp"

namespace {

using namespace cow;
using namespace cow::test;
using transport::Post;

constexpr std::size_t piece = 16384 - 48;

// The time that a tenth of the rounds stay below.
Nanoseconds fast(std::vector<Nanoseconds>& rounds) {
  auto tenth = rounds.begin() + static_cast<std::ptrdiff_t>(rounds.size() / 10);
  std::nth_element(rounds.begin(), tenth, rounds.end());
  return *tenth;
}

struct Wish {
  std::string provider, mode;
  std::size_t size = 8;
  int rounds = 1000;
};

// Side 0 sends `size` bytes as one message, or in pieces, and side 1 answers in kind. What is timed is a one-way.
void ping(Side& side, const Wish& wish) {
  std::vector<char> data(wish.size, 'x'), sink(wish.size + piece);
  std::size_t got = 0;
  const bool copies = wish.mode == "pieces";
  side.receive = [&](const std::byte* bytes, std::size_t size) {
    if (copies) memcpy(sink.data() + got, bytes, size);
    got += size;
  };
  auto post_all = [&] {
    for (std::size_t at = 0; at < wish.size; at += piece) side.send(data.data() + at, std::min(piece, wish.size - at));
  };
  auto wait = [&] {
    while (got < wish.size) side.port->poll();
    got -= wish.size;
  };
  std::vector<Nanoseconds> times;
  for (int i = 0; i < wish.rounds; ++i) {
    const Nanoseconds begin = now();
    if (side.index == 0) post_all();
    wait();
    if (side.index == 1) post_all();
    times.push_back(now() - begin);
  }
  const Nanoseconds each = fast(times) / 2;
  side.poll_until([&] { return side.port->drained(); });
  if (side.index == 0)
    printf("%-12s %-7s %9zu bytes %11.2f us one way %9.1f MB/s\n", wish.provider.c_str(), wish.mode.c_str(), wish.size,
           static_cast<double>(each) / 1e3, static_cast<double>(wish.size) * 1e3 / static_cast<double>(each));
}

struct Offer {
  std::uint64_t address;
  std::uint64_t key_size;
  std::byte key[32];
};

// Tells the other side where `data` are.
void make_offer(Side& side, std::vector<char>& data, transport::Registration& mine) {
  if (side.port->register_memory(data.data(), data.size(), mine)) die("register: %s", last_failure());
  Offer out = {mine.address, mine.key_size, {}};
  memcpy(out.key, mine.key, sizeof out.key);
  side.send(&out, sizeof out);
}

// Reads or writes what was offered.
void transfer(Side& side, std::vector<char>& data, const Offer& offer, bool write) {
  transport::Registration mine;
  if (side.port->needs_local_registration() && side.port->register_memory(data.data(), data.size(), mine))
    die("register");
  Counted ended;
  for (;;) {
    const Post post = write ? side.port->write(side.other, data.data(), &mine, offer.address, offer.key, offer.key_size,
                                               data.size(), ended)
                            : side.port->read(side.other, data.data(), &mine, offer.address, offer.key, offer.key_size,
                                              data.size(), ended);
    if (post == Post::posted) break;
    side.port->poll();
  }
  while (!ended.told) side.port->poll();
  if (ended.error) die("transfer: %s", ended.message.c_str());
  side.port->release_memory(mine);
}

// Side 0 moves `size` bytes from or to side 1, registration at both ends and the exchange of the key included, as a
// rendezvous would: 1 offers (a message), 0 reads and says so; or 0 asks for a write.
void move(Side& side, const Wish& wish) {
  std::vector<char> data(wish.size, 'x');
  Offer offer = {};
  bool came = false;
  side.receive = [&](const std::byte* bytes, std::size_t size) {
    memcpy(&offer, bytes, std::min(size, sizeof offer));
    came = true;
  };
  auto wait = [&] {
    while (!came) side.port->poll();
    came = false;
  };
  std::vector<Nanoseconds> times;
  for (int i = 0; i < wish.rounds; ++i) {
    const Nanoseconds begin = now();
    transport::Registration mine;
    if (side.index == 1) {  // has the memory that is reached
      make_offer(side, data, mine);
      wait();
      side.port->release_memory(mine);
    } else {
      wait();
      transfer(side, data, offer, wish.mode == "write");
      side.send("end", 4);
    }
    times.push_back(now() - begin);
  }
  const Nanoseconds each = fast(times);
  side.poll_until([&] { return side.port->drained(); });
  if (side.index == 0)
    printf("%-12s %-7s %9zu bytes %11.2f us a round %10.1f MB/s\n", wish.provider.c_str(), wish.mode.c_str(), wish.size,
           static_cast<double>(each) / 1e3, static_cast<double>(wish.size) * 1e3 / static_cast<double>(each));
}

void run(const Wish& wish) {
  const std::string wrong = run_pair([&](Side& side) {
    side.open(wish.provider);
    if (wish.mode == "ping" || wish.mode == "pieces") {
      ping(side, wish);
    } else {
      move(side, wish);
    }
    side.channel.meet();
  });
  if (!wrong.empty()) printf("%s %s %zu: %s\n", wish.provider.c_str(), wish.mode.c_str(), wish.size, wrong.c_str());
  fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s PROVIDER [ping|pieces|read|write SIZE ROUNDS]\n", argv[0]);
    return 2;
  }
  if (argc >= 5) {
    run({argv[1], argv[2], strtoul(argv[3], nullptr, 10), atoi(argv[4])});
    return 0;
  }
  run({argv[1], "ping", 8, 2000});
  run({argv[1], "ping", 1024, 2000});
  for (std::size_t size : {16384ul, 65536ul, 1ul << 20, 16ul << 20})
    for (const char* mode : {"pieces", "read", "write"})
      run({argv[1], mode, size, size > (1 << 20) ? 10 : size > 100000 ? 100 : 500});
}
