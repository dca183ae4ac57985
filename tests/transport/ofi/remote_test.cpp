// Remote reads and writes, over each provider that has them.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "transport/ofi/process_pair.hpp"
#include "transport/ofi/provider_names.hpp"

namespace cow::test {
namespace {

using transport::Post;
using transport::Registration;

class RemoteTest : public testing::TestWithParam<const char*> {};

// What a side says of a piece of its memory.
struct Offer {
  std::uint64_t address, key_size;
  std::byte key[Registration::max_key];
};

// Memory of a side that the other may reach.
struct Offered {
  Offered(Side& side, void* bytes, std::size_t size) : side(side) {
    if (side.port->register_memory(bytes, size, registration)) die("register: %s", last_failure());
  }
  ~Offered() { side.port->release_memory(registration); }
  Offer offer() const {
    Offer out = {registration.address, registration.key_size, {}};
    memcpy(out.key, registration.key, sizeof out.key);
    return out;
  }
  Side& side;
  Registration registration;
};

unsigned char pattern(std::size_t i, unsigned seed) {
  return static_cast<unsigned char>((i * 2654435761u + seed * 97u) >> 13);
}

void fill(std::vector<unsigned char>& memory, unsigned seed) {
  for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = pattern(i, seed);
}

// Side 0 learns side 1's offer; `message` is what came last.
struct Mailbox {
  explicit Mailbox(Side& side) {
    side.receive = [this](const std::byte* bytes, std::size_t size) {
      message.assign(reinterpret_cast<const char*>(bytes), size);
      ++count;
    };
  }
  std::string message;
  int count = 0;
};

void finish(Side& side) {
  side.poll_until([&] { return side.port->drained(); });
  side.channel.tell("");
  side.poll_until([&] { return side.channel.has_word(); });
  side.channel.hear();
}

Offer await_offer(Side& side, Mailbox& mailbox) {
  side.poll_until([&] { return mailbox.count > 0; });
  mailbox.count = 0;
  Offer offer;
  COW_EXPECT(mailbox.message.size() == sizeof offer);
  memcpy(&offer, mailbox.message.data(), sizeof offer);
  return offer;
}

void transfer(Side& side, bool write, void* local, const Registration* local_memory, const Offer& offer,
              std::size_t offset, std::size_t size, Counted& ended) {
  side.poll_until([&] {
    const Post post = write ? side.port->write(side.other, local, local_memory, offer.address + offset, offer.key,
                                               offer.key_size, size, ended)
                            : side.port->read(side.other, local, local_memory, offer.address + offset, offer.key,
                                              offer.key_size, size, ended);
    COW_EXPECT(post != Post::done);
    return post == Post::posted;
  });
}

struct Span {
  std::size_t offset, size, local;
};

std::vector<Span> spans(std::size_t memory) {
  std::minstd_rand random(7);
  std::vector<Span> out = {{0, memory, 0}, {1, memory - 1, 1}, {0, 0, 0}, {5, 1, 3}};
  for (std::size_t limit : {64u, 5000u, 70'000u, 3'000'000u}) {
    for (int i = 0; i < 4; ++i) {
      const std::size_t size = random() % limit;
      out.push_back({random() % (memory - size), size, random() % (memory - size)});
    }
  }
  return out;
}

constexpr std::size_t memory_size = 64 << 20;

TEST_P(RemoteTest, reads_bring_every_byte) {
  EXPECT_EQ("", run_pair([](Side& side) {
              Mailbox mailbox(side);
              std::vector<unsigned char> memory(memory_size);
              side.open(GetParam());
              if (!side.port->limits().read) return;
              Offered mine(side, memory.data(), memory.size());
              if (side.index == 1) {
                fill(memory, 1);
                const Offer offer = mine.offer();
                side.send(&offer, sizeof offer);
              } else {
                const Offer offer = await_offer(side, mailbox);
                for (const Span& span : spans(memory.size())) {
                  memset(memory.data() + span.local, 0xee, span.size);
                  Counted ended;
                  transfer(side, false, memory.data() + span.local, &mine.registration, offer, span.offset, span.size,
                           ended);
                  side.poll_until([&] { return ended.told > 0; });
                  COW_EXPECT(!ended.error && ended.told == 1);
                  for (std::size_t i = 0; i < span.size; ++i)
                    COW_EXPECT(memory[span.local + i] == pattern(span.offset + i, 1));
                }
              }
              finish(side);
            }));
}

// What the layer above relies on: a message sent after a write's end arrives after the data.
TEST_P(RemoteTest, writes_are_placed_before_a_message_sent_after_their_end) {
  EXPECT_EQ("", run_pair([](Side& side) {
              Mailbox mailbox(side);
              std::vector<unsigned char> memory(memory_size);
              side.open(GetParam());
              if (!side.port->limits().write) return;
              Offered mine(side, memory.data(), memory.size());
              const std::vector<Span> all = spans(memory.size());
              if (side.index == 1) {
                const Offer offer = mine.offer();
                side.send(&offer, sizeof offer);
                for (unsigned n = 0; n < all.size(); ++n) {
                  side.poll_until([&] { return mailbox.count > 0; });
                  mailbox.count = 0;
                  for (std::size_t i = 0; i < all[n].size; ++i)
                    COW_EXPECT(memory[all[n].offset + i] == pattern(all[n].local + i, n));
                  side.send("next", 4);
                }
              } else {
                const Offer offer = await_offer(side, mailbox);
                for (unsigned n = 0; n < all.size(); ++n) {
                  fill(memory, n);
                  Counted ended;
                  transfer(side, true, memory.data() + all[n].local, &mine.registration, offer, all[n].offset,
                           all[n].size, ended);
                  side.poll_until([&] { return ended.told > 0; });
                  COW_EXPECT(!ended.error && ended.told == 1);
                  side.send("written", 7);
                  side.poll_until([&] { return mailbox.count > 0; });
                  mailbox.count = 0;
                }
              }
              finish(side);
            }));
}

TEST_P(RemoteTest, many_at_once_each_end_once) {
  EXPECT_EQ("", run_pair([](Side& side) {
              Mailbox mailbox(side);
              std::vector<unsigned char> memory(8 << 20);
              side.open(GetParam());
              if (!side.port->limits().read) return;
              Offered mine(side, memory.data(), memory.size());
              if (side.index == 1) {
                fill(memory, 1);
                const Offer offer = mine.offer();
                side.send(&offer, sizeof offer);
              } else {
                const Offer offer = await_offer(side, mailbox);
                constexpr std::size_t count = 200, size = 40'000;
                std::vector<Counted> ended(count);
                for (std::size_t i = 0; i < count; ++i)
                  transfer(side, false, memory.data() + i * size, &mine.registration, offer, i * size, size, ended[i]);
                for (Counted& each : ended) side.poll_until([&] { return each.told > 0; });
                for (Counted& each : ended) COW_EXPECT(each.told == 1 && !each.error);
                for (std::size_t i = 0; i < count * size; ++i) COW_EXPECT(memory[i] == pattern(i, 1));
              }
              finish(side);
            }));
}

TEST_P(RemoteTest, a_key_of_the_wrong_size_is_an_error_told_from_poll) {
  EXPECT_EQ("", run_pair([](Side& side) {
              Mailbox mailbox(side);
              std::vector<unsigned char> memory(1 << 20, 'a');
              side.open(GetParam());
              if (!side.port->limits().read) return;
              Offered mine(side, memory.data(), memory.size());
              if (side.index == 1) {
                const Offer offer = mine.offer();
                side.send(&offer, sizeof offer);
              } else {
                await_offer(side, mailbox);
                Counted too_long;
                std::byte long_key[Registration::max_key] = {};
                COW_EXPECT(side.port->read(side.other, memory.data(), &mine.registration, 0, long_key, sizeof long_key,
                                           8, too_long) == Post::posted);
                COW_EXPECT(too_long.told == 0);  // never from inside the call
                side.poll_until([&] { return too_long.told > 0; });
                COW_EXPECT(too_long.error && !too_long.message.empty());
              }
              finish(side);
            }));
}

TEST_P(RemoteTest, forget_ends_what_is_pending_with_an_error) {
  EXPECT_EQ("", run_pair([](Side& side) {
              Mailbox mailbox(side);
              std::vector<unsigned char> memory(memory_size);
              side.open(GetParam());
              const bool remote = side.port->limits().read;
              if (side.index == 1) {
                Offer offer = {};
                std::unique_ptr<Offered> mine;
                if (remote) mine = std::make_unique<Offered>(side, memory.data(), memory.size());
                if (remote) offer = mine->offer();
                side.send(&offer, sizeof offer);
                side.poll_until([&] { return side.port->drained() || side.channel.has_word(); });
                side.channel.tell("");
                side.channel.hear();  // from here on this side is silent, until the other has given up
                side.channel.hear();
                return;
              }
              const Offer offer = await_offer(side, mailbox);
              side.poll_until([&] { return side.channel.has_word(); });
              side.channel.hear();
              side.channel.tell("");
              std::unique_ptr<Offered> mine;
              if (remote) mine = std::make_unique<Offered>(side, memory.data(), memory.size());
              Counted ended[3];
              int posted = 0;
              for (Counted& each : ended) {
                if (!remote || side.port->read(side.other, memory.data(), &mine->registration, offer.address, offer.key,
                                               offer.key_size, memory.size(), each) != Post::posted)
                  break;
                ++posted;
              }
              std::vector<char> bytes(16000);
              for (int i = 0; i < 500; ++i)
                side.port->send(side.other, bytes.data(), bytes.size(), {}), side.port->poll();
              side.port->forget(side.other);
              int told_inside = 0;
              for (Counted& each : ended) told_inside += each.told;
              side.poll_until([&] {
                int told = 0;
                for (Counted& each : ended) told += each.told;
                return told == posted;
              });
              for (int i = 0; i < posted; ++i) COW_EXPECT(ended[i].told == 1 && (ended[i].error || told_inside > 0));
              COW_EXPECT(side.port->drained());  // what was for a forgotten destination does not count
              side.channel.tell("");
            }));
}

INSTANTIATE_TEST_SUITE_P(providers, RemoteTest, testing::ValuesIn(provider_names), name_of_provider);

}  // namespace
}  // namespace cow::test
