"""mpi.h and mpix.h compile alone in every dialect, and say what the standard's tables say."""
import pathlib
import tempfile
import unittest

import support
import table

STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]


def compile_text(text, compiler, *options):
    suffix = ".cpp" if compiler == support.CXX_COMPILER else ".c"
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / f"alone{suffix}"
        file.write_text(text, encoding="utf-8")
        support.run(compiler, *options, f"-I{support.BUILD}/include", f"-I{support.SOURCE}/include", file)


class Dialects(unittest.TestCase):
    def test_c(self):
        for standard in ("c89", "c99", "c11", "c17"):
            for header in ("mpi.h", "mpix.h"):
                with self.subTest(standard=standard, header=header):
                    compile_text(f"#include <{header}>\nint main(void) {{ return MPI_SUCCESS; }}\n",
                                 support.C_COMPILER, f"-std={standard}", *STRICT)

    def test_cxx(self):
        for standard in ("c++98", "c++11", "c++14", "c++17", "c++20"):
            for header in ("mpi.h", "mpix.h"):
                with self.subTest(standard=standard, header=header):
                    compile_text(f"#include <{header}>\nint main() {{ return MPI_SUCCESS; }}\n",
                                 support.CXX_COMPILER, f"-std={standard}", *STRICT)

    def test_included_twice(self):
        compile_text("#include <mpi.h>\n#include <mpi.h>\nint main(void) { return 0; }\n", support.C_COMPILER, *STRICT)


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
