"""mpi.h and its companions compile alone in every dialect, and say what the standard's tables say."""
import pathlib
import shutil
import tempfile
import unittest

import support
import table

STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]
HEADERS = ("mpi.h", "mpix.h", "mpi_removed.h")
# What careful projects switch on. The header is given by -I, so that it is as much theirs as their own.
CAREFUL = ["-Wshadow", "-Wcast-qual", "-Wcast-align", "-Wundef", "-Wconversion", "-Wsign-conversion", "-Wredundant-decls",
           "-Wmissing-declarations", "-Wpointer-arith"]
CAREFUL_C = CAREFUL + ["-Wstrict-prototypes", "-Wmissing-prototypes", "-Wold-style-definition", "-Wbad-function-cast",
                       "-Wc++-compat"]
CAREFUL_CXX = CAREFUL + ["-Wold-style-cast", "-Wzero-as-null-pointer-constant"]
CAREFUL_GXX = CAREFUL_CXX + ["-Wuseless-cast", "-Weffc++"]


def compile_text(text, compiler, *options):
    suffix = ".cpp" if compiler == support.CXX_COMPILER else ".c"
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / f"alone{suffix}"
        file.write_text(text, encoding="utf-8")
        support.run(compiler, *options, f"-I{support.BUILD}/include", f"-I{support.SOURCE}/include", file)


def complaints(text, compiler, *options):
    """What the compiler says of a program that it refuses."""
    try:
        compile_text(text, compiler, *options)
    except AssertionError as error:
        return str(error)
    return ""


class Dialects(unittest.TestCase):
    def test_c(self):
        for standard in ("c89", "c99", "c11", "c17", "c2x"):
            for header in HEADERS:
                with self.subTest(standard=standard, header=header):
                    compile_text(f"#include <{header}>\nint main(void) {{ return MPI_SUCCESS; }}\n",
                                 support.C_COMPILER, f"-std={standard}", *STRICT)

    def test_cxx(self):
        for standard in ("c++98", "c++11", "c++14", "c++17", "c++20", "c++23"):
            for header in HEADERS:
                with self.subTest(standard=standard, header=header):
                    compile_text(f"#include <{header}>\nint main() {{ return MPI_SUCCESS; }}\n",
                                 support.CXX_COMPILER, f"-std={standard}", *STRICT)

    def test_included_twice(self):
        compile_text("#include <mpi.h>\n#include <mpi.h>\nint main(void) { return 0; }\n", support.C_COMPILER, *STRICT)


def every_constant_used():
    """Each constant initialises a variable of its type, and the usual ones stand in calls."""
    lines = [f"#include <{header}>" for header in HEADERS]
    for number, c in enumerate(table.read_constants()):
        kind = c.cast if c.cast and c.cast != "enum int" else "int"
        if c.number is not None:
            lines.append(f"extern {kind} v{number};\n{kind} v{number} = {c.name};")
    return "\n".join(lines) + """
void use(MPI_Comm comm);
void use(MPI_Comm comm) {
  int value = 0, keyval;
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Group group = MPI_Group_f2c(MPI_Group_c2f(MPI_GROUP_EMPTY));
  MPI_Recv(&value, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, comm, MPI_STATUS_IGNORE);
  MPI_Waitall(1, &request, MPI_STATUSES_IGNORE);
  MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_SUM, comm == MPI_COMM_NULL ? MPI_COMM_WORLD : comm);
  MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &keyval, MPI_BOTTOM);
  MPI_Keyval_create(MPI_DUP_FN, MPI_NULL_DELETE_FN, &keyval, MPI_BOTTOM);
  MPI_Bcast(MPI_BOTTOM, 0, MPI_INT, 0, comm);
  MPI_Group_free(&group);
}
"""


class Warnings(unittest.TestCase):
    def test_none_in_c(self):
        for standard in ("c99", "c11", "c17", "c2x"):
            with self.subTest(standard=standard):
                compile_text(every_constant_used(), support.C_COMPILER, f"-std={standard}", *STRICT, *CAREFUL_C)

    def test_none_in_cxx(self):
        for standard in ("c++98", "c++11", "c++14", "c++17", "c++20", "c++23"):
            with self.subTest(standard=standard):
                compile_text(every_constant_used(), support.CXX_COMPILER, f"-std={standard}", *STRICT, *CAREFUL_GXX)

    def test_none_by_clang(self):
        clang = next((name for name in ("clang++-19", "clang++") if shutil.which(name)), None)
        if not clang:
            self.skipTest("clang++ is not installed")
        for standard in ("c++11", "c++20"):
            with self.subTest(standard=standard), tempfile.TemporaryDirectory() as folder:
                file = pathlib.Path(folder) / "used.cpp"
                file.write_text(every_constant_used(), encoding="utf-8")
                support.run(clang, f"-std={standard}", *STRICT, *CAREFUL_CXX, f"-I{support.BUILD}/include",
                            f"-I{support.SOURCE}/include", file)

    def test_none_of_buffers_that_are_filled_later(self):
        text = """#include <mpi.h>
            int use(void);
            int use(void) {
              double buffer[10];
              MPI_Request requests[2];
              MPI_Aint address;
              MPI_Get_address(buffer, &address);
              MPI_Send_init(buffer, 10, MPI_DOUBLE, 0, 0, MPI_COMM_SELF, &requests[0]);
              return MPI_Bcast_init(buffer, 10, MPI_DOUBLE, 0, MPI_COMM_SELF, MPI_INFO_NULL, &requests[1]);
            }"""
        # -fsyntax-only finds nothing of this kind
        options = [option for option in STRICT if option != "-fsyntax-only"] + ["-O2", "-S", "-o", "/dev/null"]
        for compiler in (support.C_COMPILER, support.CXX_COMPILER):
            compile_text(text, compiler, *options)

    def test_null_constants_are_constant_expressions_of_cxx(self):
        lines = [f"constexpr {c.cast} v{number} = {c.name};" for number, c in enumerate(table.read_constants())
                 if c.cast.endswith("*") and c.number == 0]
        self.assertGreater(len(lines), 10)
        compile_text("#include <mpi.h>\n" + "\n".join(lines), support.CXX_COMPILER, "-std=c++11", *STRICT)


class Removed(unittest.TestCase):
    """Names of MPI 1."""

    def test_the_error_says_what_to_write_instead(self):
        for name, instead in table.read_removed():
            use = f"#include <mpi.h>\nvoid use(void);\nvoid use(void) {{ {name}(0); }}\n"
            for compiler in (support.C_COMPILER, support.CXX_COMPILER):
                with self.subTest(name=name, compiler=compiler):
                    said = complaints(use, compiler, *STRICT)
                    self.assertRegex(said, rf"error: .*\bremoved_{name}_use_{instead}_or_define_COW_MPI1_NAMES\b")

    def test_the_header_defines_all_of_them(self):
        text = (support.SOURCE / "include/mpi_removed.h").read_text(encoding="utf-8")
        for name, instead in table.read_removed():
            with self.subTest(name=name):
                self.assertIn(instead, [f.name for f in table.read_functions()] + [c.name for c in table.read_constants()] +
                              [t.name for t in table.read_types()])
                self.assertRegex(text, rf"(?m)^#undef {name}\b")
                self.assertRegex(text, rf"(?m)^(#define {name} |MPI_ABI_INLINE int {name}\(|typedef .* {name};)")

    def test_they_may_be_had_before_and_after_mpi_h_and_by_a_definition(self):
        use = "\nMPI_Handler_function *function; int use(MPI_Datatype a) { return a == MPI_UB; }\n"
        for start in ("#define COW_MPI1_NAMES\n#include <mpi.h>", "#include <mpi_removed.h>",
                      "#include <mpi.h>\n#include <mpi_removed.h>",
                      "#define COW_MPI1_NAMES\n#include <mpi_removed.h>\n#include <mpi.h>"):
            for compiler in (support.C_COMPILER, support.CXX_COMPILER):
                with self.subTest(start=start, compiler=compiler):
                    compile_text(start + use, compiler, *STRICT)

    def test_a_program_may_define_them_itself(self):
        call = "int use(int *a); int use(int *a) { MPI_Aint b; return MPI_Address(a, &b); }\n"
        for own in ("#include <mpi.h>\nstatic int MPI_Address(void *a, MPI_Aint *b) { return MPI_Get_address(a, b); }\n",
                    "#define MPI_Address MPI_Get_address\n#include <mpi.h>\n",
                    "#include <mpi.h>\n#undef MPI_Address\n#define MPI_Address(a, b) MPI_Get_address(a, b)\n"):
            for compiler in (support.C_COMPILER, support.CXX_COMPILER):
                with self.subTest(own=own, compiler=compiler):
                    compile_text(own + call, compiler, *STRICT)

    def test_deprecated_names_are_there(self):
        """Those that the standard still has."""
        compile_text("#include <mpi.h>\nstatic MPI_Copy_function *const copy = MPI_NULL_COPY_FN;\n"
                     "void use(void); void use(void) { int a = 0, b, *c; MPI_Keyval_create(copy, MPI_NULL_DELETE_FN, &a, 0);"
                     "MPI_Attr_put(MPI_COMM_SELF, a, &b); MPI_Attr_get(MPI_COMM_SELF, a, &c, &b);"
                     "MPI_Attr_delete(MPI_COMM_SELF, a); MPI_Keyval_free(&a); }\n", support.C_COMPILER, *STRICT)


class Contents(unittest.TestCase):
    def run_program(self, text):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "program.c"
            file.write_text(text, encoding="utf-8")
            program = pathlib.Path(folder) / "program"
            support.run(support.C_COMPILER, f"-I{support.BUILD}/include", file, "-o", program, "-Wl,--as-needed",
                        support.LIBRARY, f"-Wl,-rpath,{pathlib.Path(support.LIBRARY).parent}")
            return support.run(program)

    def test_constants_have_the_values_of_the_abi(self):
        constants = table.read_constants()
        self.assertGreater(len(constants), 350)
        lines = [f'printf("%s %lld\\n", "{c.name}", (long long)(intptr_t){c.name});' for c in constants]
        output = self.run_program("#include <mpi.h>\n#include <stdio.h>\nint main(void) {\n" + "\n".join(lines) +
                                  "\nreturn 0;\n}\n")
        found = dict(line.split() for line in output.splitlines())
        by_name = {c.name: c for c in constants}
        for c in constants:
            expected = c.number if c.number is not None else by_name[c.value].number
            self.assertEqual(int(found[c.name]), expected, c.name)

    def test_values_known_by_heart(self):
        """Against a mistake in the tables themselves."""
        output = self.run_program("""
            #include <mpi.h>
            #include <stdio.h>
            int main(void) {
              printf("%lx %lx %lx %lx %d %d %zu\\n", (long)MPI_COMM_WORLD, (long)MPI_INT, (long)MPI_SUM,
                     (long)MPI_REQUEST_NULL, MPI_ANY_TAG, MPI_UNDEFINED, sizeof(MPI_Status));
              return 0;
            }""")
        self.assertEqual(output.split(), ["101", "209", "21", "180", "-2", "-32766", "32"])

    def test_every_function_is_declared_with_its_type(self):
        """A second declaration, made here from the table, must agree."""
        functions = table.read_functions()
        self.assertEqual(len(functions), 664)
        lines = [f"{f.prototype(prefix)};" for f in functions for prefix in ("", "P")]
        compile_text("#include <mpi.h>\n" + "\n".join(lines), support.C_COMPILER, "-std=c99", *STRICT)

    def test_status_conversions(self):
        output = self.run_program("""
            #include <mpi.h>
            #include <stdio.h>
            #include <string.h>
            int main(void) {
              MPI_Status a = {1, 2, 3, {4, 5, 6, 7, 8}}, b;
              MPI_Fint f[MPI_F_STATUS_SIZE];
              MPI_Status_c2f(&a, f);
              PMPI_Status_f2c(f, &b);
              printf("%d %d %d %d\\n", (int)f[MPI_F_TAG], (int)f[7], memcmp(&a, &b, sizeof a),
                     MPI_Comm_f2c(MPI_Comm_c2f(MPI_COMM_SELF)) == MPI_COMM_SELF);
              return 0;
            }""")
        self.assertEqual(output.split(), ["2", "8", "0", "1"])


if __name__ == "__main__":
    unittest.main()
