#include "base/list.hpp"

#include <gtest/gtest.h>

#include <list>
#include <random>
#include <vector>

namespace cow {
namespace {

struct Node {
  int value = 0;
  Node* next = nullptr;
  Links<Node> links;
  bool in_list = false;
};

constexpr auto links_of = [](Node& node) -> Links<Node>& { return node.links; };

TEST(List, AgreesWithStdList) {
  std::vector<Node> nodes(40);
  List<Node> list;
  std::list<Node*> model;
  std::mt19937 random(5);
  for (int round = 0; round < 20'000; ++round) {
    Node& node = nodes[random() % nodes.size()];
    if (node.in_list) {
      list.remove(node, links_of);
      model.remove(&node);
    } else {
      list.push_back(node, links_of);
      model.push_back(&node);
    }
    node.in_list = !node.in_list;
    ASSERT_EQ(list.front(), model.empty() ? nullptr : model.front());
    Node* at = list.front();
    for (Node* expected : model) {
      ASSERT_EQ(at, expected);
      at = at->links.next;
    }
    ASSERT_EQ(at, nullptr);
  }
}

TEST(Queue, IsFirstInFirstOutAndCanDropElements) {
  std::vector<Node> nodes(10);
  Queue<Node, &Node::next> queue;
  EXPECT_TRUE(queue.empty());
  for (int i = 0; i < 10; ++i) {
    nodes[static_cast<std::size_t>(i)].value = i;
    queue.push(nodes[static_cast<std::size_t>(i)]);
  }
  queue.remove_if([](const Node& node) { return node.value % 3 == 0; });
  for (int expected : {1, 2, 4, 5, 7, 8}) EXPECT_EQ(queue.pop().value, expected);
  EXPECT_TRUE(queue.empty());
  queue.push(nodes[0]);
  EXPECT_EQ(queue.front(), &nodes[0]);
}

}  // namespace
}  // namespace cow
