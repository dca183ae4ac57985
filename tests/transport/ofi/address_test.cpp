// Published addresses: hostile bytes, and the order in which a peer's are tried.
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <random>

#include "transport/ofi/addresses.hpp"

namespace cow::transport::ofi {
namespace {

Interface interface(const char* address, int prefix) {
  Interface out;
  auto& v4 = reinterpret_cast<sockaddr_in&>(out.address);
  v4.sin_family = AF_INET;
  EXPECT_EQ(1, inet_pton(AF_INET, address, &v4.sin_addr));
  out.prefix = prefix;
  out.loopback = is_loopback(out.address);
  return out;
}

const std::vector<Interface> host = {interface("127.0.0.1", 8), interface("10.1.0.5", 24), interface("172.17.0.1", 16)};
const Own own = {"net", AF_INET, &host};

std::vector<std::string> order(std::string_view published, bool same_node) {
  std::vector<Candidate> found;
  EXPECT_FALSE(parse(published, own, same_node, found)) << last_failure();
  std::vector<std::string> texts;
  for (const Candidate& each : found) texts.push_back(each.text);
  return texts;
}

using Texts = std::vector<std::string>;

TEST(Addresses, loopback_comes_first_on_the_same_node_and_never_elsewhere) {
  EXPECT_EQ((Texts{"127.0.0.1:7", "10.1.0.9:7"}), order("cow1 net 10.1.0.9:7 127.0.0.1:7", true));
  EXPECT_EQ((Texts{"10.1.0.9:7"}), order("cow1 net 127.0.0.1:7 10.1.0.9:7", false));
}

TEST(Addresses, networks_that_both_have_come_first_and_a_bridge_with_my_own_address_last) {
  EXPECT_EQ((Texts{"10.1.0.9:7", "192.0.2.3:7", "172.17.0.1:7"}),
            order("cow1 net 172.17.0.1:7 192.0.2.3:7 10.1.0.9:7", false));
}

TEST(Addresses, a_bridge_is_still_a_candidate_when_there_is_nothing_else) {
  EXPECT_EQ((Texts{"172.17.0.1:7"}), order("cow1 net 172.17.0.1:7", false));
}

TEST(Addresses, the_other_family_is_left_out) {
  EXPECT_EQ((Texts{"10.1.0.9:7"}), order("cow1 net [2001:db8::1]:7 10.1.0.9:7", false));
}

TEST(Addresses, raw_ones_come_back_as_they_went_in) {
  const std::string raw("fi_shm://\0\xff", 11);
  std::vector<Candidate> found;
  ASSERT_FALSE(parse(compose("shm", {to_text(std::string_view(raw))}), {"shm", AF_UNSPEC, &host}, true, found));
  ASSERT_EQ(1u, found.size());
  EXPECT_EQ(raw, found[0].address);
}

TEST(Addresses, a_peer_with_another_provider_is_told_with_both_names) {
  std::vector<Candidate> found;
  ASSERT_TRUE(parse("cow1 sockets 10.1.0.9:7", own, false, found));
  EXPECT_STREQ("a peer uses the provider sockets and this process net: set COW_PROVIDER to one that all have",
               last_failure());
}

TEST(Addresses, none_that_can_be_reached_is_told_with_the_text) {
  std::vector<Candidate> found;
  ASSERT_TRUE(parse("cow1 net 127.0.0.1:7", own, false, found));
  EXPECT_NE(nullptr, strstr(last_failure(), "127.0.0.1:7"));
}

TEST(Addresses, hostile_texts_are_errors) {
  std::vector<Candidate> found;
  for (const std::string& text : Texts{"",
                                       " ",
                                       "cow1",
                                       "cow1 ",
                                       "cow1 net",
                                       "cow1 net ",
                                       "cow2 net 10.1.0.9:7",
                                       "cow1 net 10.1.0.9",
                                       "cow1 net 10.1.0.9:",
                                       "cow1 net 10.1.0.9:0",
                                       "cow1 net 10.1.0.9:65536",
                                       "cow1 net 10.1.0.9:-7",
                                       "cow1 net 10.1.0.9:7x",
                                       "cow1 net 10.1.0:7",
                                       "cow1 net 10.1.0.9:7 ",
                                       "cow1 net 10.1.0.9:7  10.1.0.9:8",
                                       "cow1 net [10.1.0.9]:7",
                                       "cow1 net [::1:7",
                                       "cow1 net :7",
                                       "cow1 net x",
                                       "cow1 net xf",
                                       "cow1 net xzz",
                                       "cow1 net 10.1.0.9:7\n",
                                       std::string("cow1 net 10.1.0.9:7\0", 20),
                                       "cow1 net 256.1.0.9:7",
                                       "cow1 " + std::string(65, 'n') + " 10.1.0.9:7",
                                       "cow1 net " + std::string(2000, '1'),
                                       "cow1 net %s%n:7",
                                       "cow1  net 10.1.0.9:7"}) {
    if (text == "cow1 net 10.1.0.9:7 ") continue;  // a blank at the end harms nobody
    EXPECT_TRUE(parse(text, own, false, found)) << text;
  }
}

// Whatever the bytes, parsing ends, and what is accepted has the size of an address.
TEST(Addresses, random_bytes_and_random_changes_do_no_harm) {
  std::minstd_rand random(3);
  const std::string good = "cow1 net 10.1.0.9:40123 192.0.2.3:40123 [2001:db8::7]:1 x00ff";
  for (int i = 0; i < 50'000; ++i) {
    std::string text = good;
    for (unsigned n = random() % 6 + 1; n > 0; --n) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0: text[at] = static_cast<char>(random()); break;
        case 1: text.erase(at, random() % 5); break;
        default: text.insert(at, text.substr(random() % text.size(), random() % 9));
      }
      if (text.empty()) text = " ";
    }
    std::vector<Candidate> found;
    if (parse(text, own, random() % 2 == 0, found)) continue;
    ASSERT_FALSE(found.empty());
    for (const Candidate& each : found) ASSERT_EQ(sizeof(sockaddr_in), each.address.size());
  }
}

TEST(Addresses, what_is_published_stays_below_its_limit) {
  const std::vector<std::string> many(200, "[2001:db8:1234:5678:9abc:def0:1234:5678]:40123");
  EXPECT_LE(compose("tcp;ofi_rxm", many).size(), max_published);
}

TEST(Addresses, an_interface_that_is_not_up_is_told_with_those_that_are) {
  std::vector<Interface> found;
  ASSERT_TRUE(list_interfaces("nosuch0", found));
  EXPECT_NE(nullptr, strstr(last_failure(), "nosuch0"));
  EXPECT_NE(nullptr, strstr(last_failure(), "lo"));
}

}  // namespace
}  // namespace cow::transport::ofi
