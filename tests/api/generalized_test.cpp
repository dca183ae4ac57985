// What the functions of a generalized request return comes back from the call that called them: every form of waiting,
// testing, looking, freeing and cancelling.
#include <functional>
#include <vector>

#include "objects/refuse.hpp"

namespace {

int query_says, free_says, cancel_says, freed;

int query(void*, MPI_Status* status) {
  MPI_Status_set_elements(status, MPI_BYTE, 0);
  MPI_Status_set_cancelled(status, 0);
  return query_says;
}
int free_it(void*) { return ++freed, free_says; }
int cancel(void*, int) { return cancel_says; }

class Generalized : public cow::test::Returning {
 protected:
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Status status = {};
  int flag = -1, index = -1, count = -1;

  void SetUp() override {
    Returning::SetUp();
    query_says = free_says = cancel_says = MPI_SUCCESS;
    freed = 0;
  }
  void begin(bool complete = true) {
    ASSERT_OK(MPI_Grequest_start(query, free_it, cancel, nullptr, &request));
    if (!complete) return;
    ASSERT_OK(MPI_Grequest_complete(request));
  }

  struct Form {
    const char* name;
    std::function<int()> call;
    bool in_status;  // the class stands in the status, and MPI_ERR_IN_STATUS is returned
  };
  // All that end the request.
  std::vector<Form> ending() {
    return {{"Wait", [this] { return MPI_Wait(&request, &status); }, false},
            {"Wait without status", [this] { return MPI_Wait(&request, MPI_STATUS_IGNORE); }, false},
            {"Test", [this] { return MPI_Test(&request, &flag, &status); }, false},
            {"Waitany", [this] { return MPI_Waitany(1, &request, &index, &status); }, false},
            {"Testany", [this] { return MPI_Testany(1, &request, &index, &flag, &status); }, false},
            {"Waitall", [this] { return MPI_Waitall(1, &request, &status); }, true},
            {"Testall", [this] { return MPI_Testall(1, &request, &flag, &status); }, true},
            {"Waitsome", [this] { return MPI_Waitsome(1, &request, &count, &index, &status); }, true},
            {"Testsome", [this] { return MPI_Testsome(1, &request, &count, &index, &status); }, true}};
  }
  std::vector<Form> looking() {
    return {{"Request_get_status", [this] { return MPI_Request_get_status(request, &flag, &status); }, false},
            {"all", [this] { return MPI_Request_get_status_all(1, &request, &flag, &status); }, false},
            {"any", [this] { return MPI_Request_get_status_any(1, &request, &index, &flag, &status); }, false},
            {"some", [this] { return MPI_Request_get_status_some(1, &request, &count, &index, &status); }, false}};
  }
  void expect_told(const Form& form, int error_class) {
    SCOPED_TRACE(form.name);
    status.MPI_ERROR = -1;
    EXPECT_EQ(cow::test::class_of(form.call()), form.in_status ? int{MPI_ERR_IN_STATUS} : error_class);
    if (!form.in_status) return;
    EXPECT_EQ(status.MPI_ERROR, error_class);
  }
};

TEST_F(Generalized, ErrorsOfTheQuery) {
  for (const Form& form : ending()) {
    begin();
    query_says = MPI_ERR_BUFFER;
    freed = 0;
    expect_told(form, MPI_ERR_BUFFER);
    EXPECT_EQ(request, MPI_REQUEST_NULL);
    EXPECT_EQ(freed, 1);
  }
}

TEST_F(Generalized, ErrorsOfLooking) {
  begin();
  query_says = MPI_ERR_BUFFER;
  for (const Form& form : looking()) {
    expect_told(form, MPI_ERR_BUFFER);
    EXPECT_NE(request, MPI_REQUEST_NULL);
  }
  query_says = MPI_SUCCESS;
  EXPECT_EQ(freed, 0);
  ASSERT_OK(MPI_Wait(&request, &status));
  EXPECT_EQ(freed, 1);
}

TEST_F(Generalized, ErrorsOfFreeing) {
  free_says = MPI_ERR_TAG;
  for (const Form& form : ending()) {
    begin();
    freed = 0;
    expect_told(form, MPI_ERR_TAG);
    EXPECT_EQ(request, MPI_REQUEST_NULL);
    EXPECT_EQ(freed, 1);
  }
  begin();
  EXPECT_REFUSED(MPI_ERR_TAG, MPI_Request_free(&request));
  EXPECT_EQ(request, MPI_REQUEST_NULL);
}

// Freed before it is complete: the function is called by what comes last, which tells.
TEST_F(Generalized, ErrorsOfFreeingAtTheEnd) {
  free_says = MPI_ERR_TAG;
  begin(false);
  const MPI_Request kept = request;
  ASSERT_OK(MPI_Request_free(&request));
  EXPECT_EQ(request, MPI_REQUEST_NULL);
  EXPECT_EQ(freed, 0);
  EXPECT_REFUSED(MPI_ERR_TAG, MPI_Grequest_complete(kept));
  EXPECT_EQ(freed, 1);
  EXPECT_REFUSED(MPI_ERR_REQUEST, MPI_Grequest_complete(kept));
}

TEST_F(Generalized, TheFirstOfTwoErrors) {
  query_says = MPI_ERR_BUFFER;
  free_says = MPI_ERR_TAG;
  begin();
  const int code = MPI_Wait(&request, &status);
  EXPECT_EQ(cow::test::class_of(code), MPI_ERR_BUFFER);
  EXPECT_NE(cow::test::text_of(code).find("query"), std::string::npos) << cow::test::text_of(code);
  EXPECT_EQ(freed, 1);
}

TEST_F(Generalized, ErrorsOfCancelling) {
  cancel_says = MPI_ERR_RANK;
  begin(false);
  EXPECT_REFUSED(MPI_ERR_RANK, MPI_Cancel(&request));
  ASSERT_OK(MPI_Grequest_complete(request));
  EXPECT_REFUSED(MPI_ERR_RANK, MPI_Cancel(&request));
  ASSERT_OK(MPI_Wait(&request, &status));
}

}  // namespace
