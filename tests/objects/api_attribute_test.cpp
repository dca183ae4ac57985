// Attributes through the C functions, deprecated names too. The order of callbacks is in attribute_test.cpp.
#include "refuse.hpp"

namespace cow::test {
namespace {

using AttributeCalls = Returning;

int copies = 0, deletes = 0;

int copy_comm(MPI_Comm, int, void* extra, void* in, void* out, int* flag) {
  ++copies;
  *static_cast<void**>(out) = static_cast<char*>(in) + reinterpret_cast<std::intptr_t>(extra);
  *flag = 1;
  return MPI_SUCCESS;
}
int delete_comm(MPI_Comm comm, int, void*, void*) {
  ++deletes;
  int size;
  return MPI_Comm_size(comm, &size);  // the handle is alive
}
int copy_type(MPI_Datatype, int, void*, void*, void*, int*) { return MPI_ERR_OTHER; }
int delete_type(MPI_Datatype type, int, void*, void*) {
  ++deletes;
  int size;
  return MPI_Type_size(type, &size);
}

TEST_F(AttributeCalls, OnCommunicators) {
  int keyval, flag, number = 0;
  void* value = nullptr;
  ASSERT_OK(MPI_Comm_create_keyval(copy_comm, delete_comm, &keyval, reinterpret_cast<void*>(4)));
  ASSERT_OK(MPI_Comm_get_attr(MPI_COMM_SELF, keyval, &value, &flag));
  EXPECT_EQ(flag, 0);
  ASSERT_OK(MPI_Comm_set_attr(MPI_COMM_SELF, keyval, nullptr));
  ASSERT_OK(MPI_Comm_get_attr(MPI_COMM_SELF, keyval, &value, &flag));
  EXPECT_EQ(flag, 1);
  EXPECT_EQ(value, nullptr);
  deletes = 0;
  ASSERT_OK(MPI_Comm_set_attr(MPI_COMM_SELF, keyval, &number));
  EXPECT_EQ(deletes, 1);
  ASSERT_OK(MPI_Comm_delete_attr(MPI_COMM_SELF, keyval));
  EXPECT_EQ(deletes, 2);
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Comm_delete_attr(MPI_COMM_SELF, keyval));
  int freed = keyval;
  ASSERT_OK(MPI_Comm_free_keyval(&keyval));
  EXPECT_EQ(keyval, MPI_KEYVAL_INVALID);
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Comm_set_attr(MPI_COMM_SELF, freed, &number));
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Comm_get_attr(MPI_COMM_SELF, freed, &value, &flag));
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Comm_free_keyval(&keyval));
  EXPECT_REFUSED(MPI_ERR_COMM, MPI_Comm_set_attr(MPI_COMM_NULL, MPI_TAG_UB, &number));
}

TEST_F(AttributeCalls, GoWithDuplicates) {
  int keyval, dup_keyval, flag;
  char base[8];
  void* value;
  ASSERT_OK(MPI_Comm_create_keyval(copy_comm, delete_comm, &keyval, reinterpret_cast<void*>(4)));
  ASSERT_OK(MPI_Comm_create_keyval(MPI_COMM_DUP_FN, MPI_COMM_NULL_DELETE_FN, &dup_keyval, nullptr));
  ASSERT_OK(MPI_Comm_set_attr(MPI_COMM_SELF, keyval, base));
  ASSERT_OK(MPI_Comm_set_attr(MPI_COMM_SELF, dup_keyval, base));
  copies = deletes = 0;
  MPI_Comm dup;
  ASSERT_OK(MPI_Comm_dup(MPI_COMM_SELF, &dup));
  EXPECT_EQ(copies, 1);
  ASSERT_OK(MPI_Comm_get_attr(dup, keyval, &value, &flag));
  EXPECT_EQ(value, base + 4);
  ASSERT_OK(MPI_Comm_get_attr(dup, dup_keyval, &value, &flag));
  EXPECT_EQ(value, base);
  ASSERT_OK(MPI_Comm_free(&dup));
  EXPECT_EQ(deletes, 1);
  ASSERT_OK(MPI_Comm_delete_attr(MPI_COMM_SELF, keyval));
  ASSERT_OK(MPI_Comm_delete_attr(MPI_COMM_SELF, dup_keyval));
  ASSERT_OK(MPI_Comm_free_keyval(&keyval));
  ASSERT_OK(MPI_Comm_free_keyval(&dup_keyval));
}

// The standard's way to be rid of attributes whose keyval is gone: MPI_X_delete_attr with a copy of its number.
TEST_F(AttributeCalls, UnderAFreedKeyval) {
  int keyval, flag = 0, number = 0;
  void* value = nullptr;
  ASSERT_OK(MPI_Comm_create_keyval(copy_comm, delete_comm, &keyval, nullptr));
  int kept = keyval;
  ASSERT_OK(MPI_Comm_set_attr(MPI_COMM_SELF, kept, nullptr));
  ASSERT_OK(MPI_Comm_free_keyval(&keyval));
  copies = deletes = 0;
  ASSERT_OK(MPI_Comm_set_attr(MPI_COMM_SELF, kept, &number));
  EXPECT_EQ(deletes, 1);
  ASSERT_OK(MPI_Comm_get_attr(MPI_COMM_SELF, kept, &value, &flag));
  EXPECT_EQ(flag, 1);
  EXPECT_EQ(value, &number);
  MPI_Comm dup;
  ASSERT_OK(MPI_Comm_dup(MPI_COMM_SELF, &dup));
  EXPECT_EQ(copies, 1);
  ASSERT_OK(MPI_Comm_delete_attr(MPI_COMM_SELF, kept));
  ASSERT_OK(MPI_Comm_get_attr(dup, kept, &value, &flag));
  EXPECT_EQ(flag, 1);
  ASSERT_OK(MPI_Comm_free(&dup));
  EXPECT_EQ(deletes, 3);
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Comm_get_attr(MPI_COMM_SELF, kept, &value, &flag));
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Comm_delete_attr(MPI_COMM_SELF, kept));
}

TEST_F(AttributeCalls, OfTypesUnderAFreedKeyval) {
  int keyval, flag = 0, number = 0;
  void* value = nullptr;
  ASSERT_OK(MPI_Type_create_keyval(MPI_TYPE_DUP_FN, delete_type, &keyval, nullptr));
  int kept = keyval;
  MPI_Datatype type, dup;
  ASSERT_OK(MPI_Type_contiguous(2, MPI_INT, &type));
  ASSERT_OK(MPI_Type_set_attr(type, kept, &number));
  ASSERT_OK(MPI_Type_free_keyval(&keyval));
  deletes = 0;
  ASSERT_OK(MPI_Type_dup(type, &dup));
  ASSERT_OK(MPI_Type_get_attr(dup, kept, &value, &flag));
  EXPECT_EQ(flag, 1);
  ASSERT_OK(MPI_Type_delete_attr(type, kept));
  EXPECT_EQ(deletes, 1);
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Type_free_keyval(&kept));
  ASSERT_OK(MPI_Type_free(&dup));
  EXPECT_EQ(deletes, 2);
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Type_set_attr(type, kept, &number));
  ASSERT_OK(MPI_Type_free(&type));
}

TEST_F(AttributeCalls, ByTheirOldNames) {
  int keyval, flag, number = 0;
  void* value;
  ASSERT_OK(MPI_Keyval_create(MPI_NULL_COPY_FN, MPI_NULL_DELETE_FN, &keyval, nullptr));
  ASSERT_OK(MPI_Attr_put(MPI_COMM_SELF, keyval, &number));
  ASSERT_OK(MPI_Attr_get(MPI_COMM_SELF, keyval, &value, &flag));
  EXPECT_EQ(value, &number);
  ASSERT_OK(MPI_Attr_delete(MPI_COMM_SELF, keyval));
  ASSERT_OK(MPI_Attr_get(MPI_COMM_SELF, keyval, &value, &flag));
  EXPECT_EQ(flag, 0);
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Attr_delete(MPI_COMM_SELF, keyval));
  ASSERT_OK(MPI_Keyval_free(&keyval));
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Attr_put(MPI_COMM_SELF, keyval, &number));
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Keyval_free(&keyval));
}

TEST_F(AttributeCalls, ThePredefinedOnes) {
  const auto value_of = [](int keyval) {
    int* value = nullptr;
    int flag = 0;
    EXPECT_OK(MPI_Comm_get_attr(MPI_COMM_WORLD, keyval, &value, &flag));
    return flag ? value : nullptr;
  };
  ASSERT_NE(value_of(MPI_TAG_UB), nullptr);
  EXPECT_GE(*value_of(MPI_TAG_UB), 32767);
  ASSERT_NE(value_of(MPI_WTIME_IS_GLOBAL), nullptr);
  ASSERT_NE(value_of(MPI_IO), nullptr);
  ASSERT_NE(value_of(MPI_HOST), nullptr);
  ASSERT_NE(value_of(MPI_LASTUSEDCODE), nullptr);
  EXPECT_GE(*value_of(MPI_LASTUSEDCODE), MPI_ERR_LASTCODE);
  int added;
  ASSERT_OK(MPI_Add_error_class(&added));
  EXPECT_EQ(*value_of(MPI_LASTUSEDCODE), added);
  ASSERT_OK(MPI_Remove_error_class(added));
  EXPECT_EQ(*value_of(MPI_TAG_UB), *value_of(MPI_TAG_UB));
  int number = 0, tag_ub = MPI_TAG_UB;
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Comm_set_attr(MPI_COMM_WORLD, MPI_TAG_UB, &number));
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Comm_delete_attr(MPI_COMM_WORLD, MPI_TAG_UB));
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Comm_free_keyval(&tag_ub));
}

TEST_F(AttributeCalls, OnDatatypes) {
  int keyval, failing, flag, number = 0;
  void* value;
  ASSERT_OK(MPI_Type_create_keyval(MPI_TYPE_DUP_FN, delete_type, &keyval, nullptr));
  ASSERT_OK(MPI_Type_create_keyval(copy_type, MPI_TYPE_NULL_DELETE_FN, &failing, nullptr));
  MPI_Datatype type, dup = MPI_DATATYPE_NULL;
  ASSERT_OK(MPI_Type_contiguous(2, MPI_INT, &type));
  ASSERT_OK(MPI_Type_set_attr(type, keyval, &number));
  ASSERT_OK(MPI_Type_dup(type, &dup));
  ASSERT_OK(MPI_Type_get_attr(dup, keyval, &value, &flag));
  EXPECT_EQ(value, &number);
  deletes = 0;
  ASSERT_OK(MPI_Type_free(&dup));
  EXPECT_EQ(deletes, 1);
  ASSERT_OK(MPI_Type_set_attr(type, failing, nullptr));
  EXPECT_REFUSED(MPI_ERR_OTHER, MPI_Type_dup(type, &dup));
  EXPECT_EQ(deletes, 2);
  EXPECT_EQ(dup, MPI_DATATYPE_NULL);
  ASSERT_OK(MPI_Type_delete_attr(type, failing));
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Type_delete_attr(type, failing));
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Comm_set_attr(MPI_COMM_SELF, keyval, &number));
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Type_get_attr(type, MPI_TAG_UB, &value, &flag));
  EXPECT_REFUSED(MPI_ERR_TYPE, MPI_Type_set_attr(MPI_DATATYPE_NULL, keyval, &number));
  ASSERT_OK(MPI_Type_free(&type));
  EXPECT_EQ(deletes, 3);
  ASSERT_OK(MPI_Type_free_keyval(&failing));
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Comm_free_keyval(&keyval));
  ASSERT_OK(MPI_Type_free_keyval(&keyval));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Type_create_keyval(MPI_TYPE_DUP_FN, delete_type, nullptr, nullptr));
}

TEST_F(AttributeCalls, KeyvalsOfWindows) {
  int keyval;
  ASSERT_OK(MPI_Win_create_keyval(MPI_WIN_NULL_COPY_FN, MPI_WIN_NULL_DELETE_FN, &keyval, nullptr));
  int number = 0;
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Comm_set_attr(MPI_COMM_SELF, keyval, &number));
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Type_free_keyval(&keyval));
  ASSERT_OK(MPI_Win_free_keyval(&keyval));
  EXPECT_EQ(keyval, MPI_KEYVAL_INVALID);
  EXPECT_REFUSED(MPI_ERR_KEYVAL, MPI_Win_free_keyval(&keyval));
}

}  // namespace
}  // namespace cow::test
