"""The generator: every function's binding compiles once it has a body, and wrong bodies are refused."""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import bindings
import rules
import scan
import support
import table

GENERATE = support.SOURCE / "src/api/generator/generate.py"


class AllBodies(unittest.TestCase):
    def test_every_binding_compiles(self):
        the_rules = rules.Rules()
        names = sorted({the_rules.body_name(f) for f in table.read_functions()})
        with tempfile.TemporaryDirectory() as folder:
            bodies = pathlib.Path(folder) / "bodies.cpp"
            bodies.write_text("".join(f"Error body::{name}(\n" for name in names), encoding="utf-8")
            support.run(sys.executable, "-B", GENERATE, "headers", folder)
            support.run(sys.executable, "-B", GENERATE, "bindings", folder, 1, support.SOURCE / "include/mpix.h", bodies)
            generated = pathlib.Path(folder) / "generated/api"
            self.assertEqual((generated / "unsupported.txt").read_text(encoding="utf-8"), "")
            support.run(support.CXX_COMPILER, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                        f"-I{support.SOURCE}/src", f"-I{support.SOURCE}", f"-I{folder}/include",
                        f"-I{folder}/generated", generated / "bindings_0.cpp")

    def test_a_body_that_no_function_asks_for_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            bodies = pathlib.Path(folder) / "bodies.cpp"
            bodies.write_text("Error body::Sendd(Comm& comm) {\n}\n", encoding="utf-8")
            done = subprocess.run([sys.executable, "-B", GENERATE, "bindings", folder, "1",
                                   support.SOURCE / "include/mpix.h", bodies], capture_output=True, text=True, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("body::Sendd", done.stderr)

    def test_a_body_written_twice_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            files = [pathlib.Path(folder) / name for name in ("a.cpp", "b.cpp")]
            for file in files:
                file.write_text("Error body::Send(const void* buf) {\n}\n", encoding="utf-8")
            with self.assertRaises(ValueError):
                scan.written_bodies(files)


class Bindings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.functions = {f.name: f for f in table.read_functions()}
        the_rules = rules.Rules()
        cls.binder = bindings.Binder(list(cls.functions.values()),
                                     {the_rules.body_name(f) for f in cls.functions.values()})

    def text(self, name):
        return "\n".join(self.binder.function(self.functions[name]))

    def test_both_widths_share_a_body(self):
        self.assertIn("body::Send(", self.text("MPI_Send"))
        self.assertIn("body::Send(", self.text("MPI_Send_c"))
        self.assertIn("body::Type_size(", self.text("MPI_Type_size_x"))

    def test_the_small_form_gives_nothing_for_what_it_lacks(self):
        call = re.search(r"body::Type_get_contents\((.+?)\);", self.text("MPI_Type_get_contents"), re.DOTALL)[1]
        self.assertEqual([word.strip() for word in call.split(",")][3], "0")
        self.assertIn("nullptr", call)

    def test_outputs_are_narrowed(self):
        self.assertIn("narrow_or_undefined(count_, count", self.text("MPI_Get_count"))
        self.assertIn("narrow(position_, position", self.text("MPI_Pack"))
        self.assertNotIn("narrow", self.text("MPI_Get_count_c"))

    def test_insignificant_arguments_are_not_checked(self):
        self.assertIn("if (at_root(root, *comm_)", self.text("MPI_Gather"))
        self.assertIn("!in_place(sendbuf)", self.text("MPI_Allgather"))

    def test_wildcards(self):
        self.assertIn("check_source(source", self.text("MPI_Recv"))
        self.assertIn("check_any_tag(tag", self.text("MPI_Recv"))
        self.assertIn("check_dest(dest", self.text("MPI_Send"))
        self.assertIn("check_tag(tag", self.text("MPI_Send"))
        self.assertIn('check_tag(sendtag', self.text("MPI_Sendrecv"))
        self.assertIn('check_any_tag(recvtag', self.text("MPI_Sendrecv"))

    def test_calls_before_the_start(self):
        self.assertIn("refuse_call", self.text("MPI_Send"))
        self.assertNotIn("refuse_call", self.text("MPI_Info_create"))

    def test_every_row_of_the_overrides_matches_something(self):
        for functions, parameters, rule, _ in rules.Rules().rows:
            matched = [f for f in self.functions.values() if re.fullmatch(functions, f.short) and
                       (not parameters or any(re.fullmatch(parameters, p.name) for p in f.parameters))]
            self.assertTrue(matched, f"{functions} {parameters} {rule}")


if __name__ == "__main__":
    unittest.main()
