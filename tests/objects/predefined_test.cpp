// Predefined objects are there for ever: whoever lets them go, and however often, the program can name them again.
#include "objects/predefined.hpp"

#include <gtest/gtest.h>

#include "objects/constructors.hpp"
#include "objects/datatype.hpp"
#include "objects/errhandler.hpp"
#include "objects/group.hpp"
#include "objects/info.hpp"
#include "objects/op.hpp"

namespace cow::test {
namespace {

template <class T>
class PredefinedObjects : public testing::Test {
 protected:
  void SetUp() override { register_predefined(); }
};

using Kinds = testing::Types<Errhandler, Op, Datatype, Group, Info>;
TYPED_TEST_SUITE(PredefinedObjects, Kinds);

TYPED_TEST(PredefinedObjects, OutliveTheirReferences) {
  std::vector<TypeParam*> all;
  table<TypeParam>().each([&](TypeParam& object) { all.push_back(&object); });
  ASSERT_FALSE(all.empty());
  for (TypeParam* object : all) {
    const std::uintptr_t handle = object->handle();
    const std::uint32_t before = object->references;
    for (std::uint32_t i = 0; i < before + 3; ++i) release(*object);
    EXPECT_EQ(table<TypeParam>().find(handle), object);
    EXPECT_GT(object->references, 0u);
    object->references = before;
  }
}

TEST(PredefinedTypes, WithoutANumberToo) {
  register_predefined();
  Datatype* real;
  ASSERT_FALSE(find_f90_real(6, 30, real));
  for (int i = 0; i < 3; ++i) release(*real);
  Datatype* again;
  ASSERT_FALSE(find_f90_real(6, 30, again));
  EXPECT_EQ(again, real);
  EXPECT_EQ(again->size, 4);
}

TEST(FilesBeginWith, AHandlerOfTheirOwn) {
  register_predefined();
  const std::uint32_t before = errors_return.references;
  ASSERT_EQ(default_file_errhandler, &errors_return);
  EXPECT_GE(before, 2u) << "one for its name, one for the place that holds it";
  replace(default_file_errhandler, errors_are_fatal);
  EXPECT_EQ(errors_return.references, before - 1);
  replace(default_file_errhandler, errors_return);
  EXPECT_EQ(errors_return.references, before);
}

}  // namespace
}  // namespace cow::test
