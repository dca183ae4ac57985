// Attributes: which callbacks run, in what order, with what, and what a failure of one leaves behind.
#include "objects/attribute.hpp"

#include <gtest/gtest.h>

#include <string>

namespace cow::test {
namespace {

std::string trace;  // what was called
int fail_at = 0;    // keyval whose callbacks fail
Attributes* watched = nullptr;

int copy(void* function, std::uintptr_t object, int keyval, void* extra, void* value, void** copied, bool* copy_it) {
  trace += "copy " + std::to_string(object) + ":" + std::to_string(reinterpret_cast<std::intptr_t>(extra)) + "=" +
           std::to_string(reinterpret_cast<std::intptr_t>(value)) + " ";
  if (keyval == fail_at) return 77;
  *copied = static_cast<char*>(value) + 100;
  *copy_it = function != nullptr;
  return MPI_SUCCESS;
}

int remove_value(void*, std::uintptr_t object, int keyval, void* value, void* extra) {
  trace += "delete " + std::to_string(object) + ":" + std::to_string(reinterpret_cast<std::intptr_t>(extra)) + "=" +
           std::to_string(reinterpret_cast<std::intptr_t>(value)) + " ";
  return keyval == fail_at ? 78 : MPI_SUCCESS;
}

void* number(std::intptr_t value) { return reinterpret_cast<void*>(value); }

int make(std::intptr_t extra, bool copies = true) {
  AttributeCallbacks callbacks;
  callbacks.copy = copy;
  callbacks.remove = remove_value;
  callbacks.copy_function = copies ? number(1) : nullptr;
  callbacks.extra = number(extra);
  return create_keyval(KeyvalKind::comm, callbacks);
}

class AttributesOfAnObject : public testing::Test {
 protected:
  void SetUp() override {
    trace.clear();
    fail_at = 0;
  }
  void* value_of(const Attributes& attributes, int keyval) {
    void* value = nullptr;
    return attributes.get(keyval, &value) ? value : number(-1);
  }
};

TEST_F(AttributesOfAnObject, AreSetReplacedAndDeleted) {
  const int key = make(1);
  Attributes attributes;
  EXPECT_EQ(value_of(attributes, key), number(-1));
  ASSERT_FALSE(attributes.set(9, key, number(10)));
  EXPECT_EQ(trace, "");
  ASSERT_FALSE(attributes.set(9, key, number(20)));
  EXPECT_EQ(trace, "delete 9:1=10 ");
  EXPECT_EQ(value_of(attributes, key), number(20));
  ASSERT_FALSE(attributes.remove(9, key));
  EXPECT_EQ(trace, "delete 9:1=10 delete 9:1=20 ");
  EXPECT_EQ(attributes.remove(9, key).code(), MPI_ERR_KEYVAL);
  ASSERT_FALSE(free_keyval(KeyvalKind::comm, key));
}

TEST_F(AttributesOfAnObject, GoInTheReverseOrder) {
  const int keys[] = {make(1), make(2), make(3)};
  Attributes attributes;
  for (const int i : {1, 0, 2}) ASSERT_FALSE(attributes.set(9, keys[i], number(i)));
  ASSERT_FALSE(attributes.clear(9));
  EXPECT_EQ(trace, "delete 9:3=2 delete 9:1=0 delete 9:2=1 ");
  EXPECT_TRUE(attributes.empty());
}

TEST_F(AttributesOfAnObject, AreCopiedInOrderAsTheCallbacksSay) {
  const int keys[] = {make(1), make(2, false), make(3)};
  Attributes from, to;
  for (const int i : {0, 1, 2}) ASSERT_FALSE(from.set(9, keys[i], number(i)));
  ASSERT_FALSE(from.copy_to(9, to, 10));
  EXPECT_EQ(trace, "copy 9:1=0 copy 9:2=1 copy 9:3=2 ");
  EXPECT_EQ(value_of(to, keys[0]), number(100));
  EXPECT_EQ(value_of(to, keys[1]), number(-1));
  EXPECT_EQ(value_of(to, keys[2]), number(102));
  trace.clear();
  ASSERT_FALSE(to.clear(10));
  EXPECT_EQ(trace, "delete 10:3=102 delete 10:1=100 ");
  ASSERT_FALSE(from.clear(9));
}

TEST_F(AttributesOfAnObject, WithoutCallbacksAreNeitherCopiedNorDeletedByThem) {
  const int key = create_keyval(KeyvalKind::comm, {});
  Attributes from, to;
  ASSERT_FALSE(from.set(9, key, number(1)));
  ASSERT_FALSE(from.copy_to(9, to, 10));
  EXPECT_TRUE(to.empty());
  ASSERT_FALSE(from.clear(9));
}

TEST_F(AttributesOfAnObject, AFailedCopyLeavesNoCopies) {
  const int keys[] = {make(1), make(2), make(3)};
  Attributes from, to;
  for (const int i : {0, 1, 2}) ASSERT_FALSE(from.set(9, keys[i], number(i)));
  fail_at = keys[2];
  EXPECT_EQ(from.copy_to(9, to, 10).code(), 77);
  EXPECT_EQ(trace, "copy 9:1=0 copy 9:2=1 copy 9:3=2 delete 10:2=101 delete 10:1=100 ");
  EXPECT_TRUE(to.empty());
  fail_at = 0;
  ASSERT_FALSE(from.clear(9));
}

TEST_F(AttributesOfAnObject, AFailedDeleteKeepsTheRest) {
  const int keys[] = {make(1), make(2)};
  Attributes attributes;
  for (const int i : {0, 1}) ASSERT_FALSE(attributes.set(9, keys[i], number(i)));
  fail_at = keys[0];
  EXPECT_EQ(attributes.clear(9).code(), 78);
  EXPECT_EQ(value_of(attributes, keys[0]), number(0));
  EXPECT_EQ(value_of(attributes, keys[1]), number(-1));
  EXPECT_EQ(attributes.set(9, keys[0], number(5)).code(), 78);
  EXPECT_EQ(value_of(attributes, keys[0]), number(0));
  fail_at = 0;
  ASSERT_FALSE(attributes.clear(9));
}

TEST_F(AttributesOfAnObject, OutliveTheirKeyvalsHandle) {
  const int key = make(1);
  Attributes from, to;
  ASSERT_FALSE(from.set(9, key, number(1)));
  ASSERT_FALSE(free_keyval(KeyvalKind::comm, key));
  EXPECT_EQ(free_keyval(KeyvalKind::comm, key).code(), MPI_ERR_KEYVAL) << "freed twice";
  EXPECT_FALSE(check_keyval(KeyvalKind::comm, key));
  ASSERT_FALSE(from.copy_to(9, to, 10));
  ASSERT_FALSE(from.clear(9));
  EXPECT_FALSE(check_keyval(KeyvalKind::comm, key));
  ASSERT_FALSE(to.clear(10));
  EXPECT_EQ(trace, "copy 9:1=1 delete 9:1=1 delete 10:1=101 ");
  EXPECT_EQ(check_keyval(KeyvalKind::comm, key).code(), MPI_ERR_KEYVAL);
  EXPECT_NE(make(2), key);
}

// All that may be done while there are some: replacing, adding, and deleting one by one.
TEST_F(AttributesOfAnObject, AreChangedUnderAFreedKeyval) {
  const int key = make(1);
  Attributes one, two;
  ASSERT_FALSE(one.set(9, key, number(1)));
  ASSERT_FALSE(free_keyval(KeyvalKind::comm, key));
  ASSERT_FALSE(one.set(9, key, number(2)));
  ASSERT_FALSE(two.set(10, key, number(3)));
  ASSERT_FALSE(one.remove(9, key));
  EXPECT_EQ(one.remove(9, key).code(), MPI_ERR_KEYVAL);
  EXPECT_EQ(value_of(two, key), number(3));
  ASSERT_FALSE(two.remove(10, key));
  EXPECT_EQ(trace, "delete 9:1=1 delete 9:1=2 delete 10:1=3 ");
  EXPECT_EQ(check_keyval(KeyvalKind::comm, key).code(), MPI_ERR_KEYVAL);
}

int remove_and_delete_another(void* other, std::uintptr_t object, int, void*, void*) {
  trace += "first ";
  return watched->remove(object, static_cast<int>(reinterpret_cast<std::intptr_t>(other))).code();
}

TEST_F(AttributesOfAnObject, MayBeChangedByCallbacks) {
  const int other = make(2);
  AttributeCallbacks callbacks;
  callbacks.remove = remove_and_delete_another;
  callbacks.delete_function = number(other);
  const int key = create_keyval(KeyvalKind::comm, callbacks);
  Attributes attributes;
  watched = &attributes;
  ASSERT_FALSE(attributes.set(9, other, number(7)));
  ASSERT_FALSE(attributes.set(9, key, number(8)));
  ASSERT_FALSE(attributes.clear(9));
  EXPECT_EQ(trace, "first delete 9:2=7 ");
}

TEST_F(AttributesOfAnObject, KeyvalsAreOfOneKind) {
  const int key = create_keyval(KeyvalKind::type, {});
  EXPECT_FALSE(check_keyval(KeyvalKind::type, key));
  EXPECT_EQ(check_keyval(KeyvalKind::comm, key).code(), MPI_ERR_KEYVAL);
  EXPECT_EQ(free_keyval(KeyvalKind::win, key).code(), MPI_ERR_KEYVAL);
  EXPECT_EQ(check_keyval(KeyvalKind::comm, MPI_KEYVAL_INVALID).code(), MPI_ERR_KEYVAL);
  EXPECT_EQ(free_keyval(KeyvalKind::comm, MPI_TAG_UB).code(), MPI_ERR_KEYVAL);
  EXPECT_FALSE(free_keyval(KeyvalKind::type, key));
  EXPECT_EQ(free_keyval(KeyvalKind::type, key).code(), MPI_ERR_KEYVAL);
}

}  // namespace
}  // namespace cow::test
