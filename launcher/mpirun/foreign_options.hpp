// Options that other launchers document (Open MPI's and MPICH's mpiexec, and Intel's), and what each comes to here. It is a
// table, so that how many words belong to one is known even where nothing is made of it: no value is taken for the
// program, and no long option with one dash for a short one with a value.
#pragma once

#include <string_view>

namespace cow::launch {

struct ForeignOption {
  enum class Kind {
    same,     // what it asks for is so anyway
    means,    // `text` are our own words for it; % stands for its last value
    ignored,  // said on standard error, with `text`; the job starts
    refused,  // the job would be another one without it; `text` says what to do instead
  };
  const char* name;  // without dashes; "name value" is the option with this first value alone
  int values;        // words that belong to it
  Kind kind;
  const char* text;
};

// `name` without dashes, `value` its first value, if it has one. Null: nobody documents such an option.
const ForeignOption* find_foreign_option(std::string_view name, std::string_view value);

}  // namespace cow::launch
