#!/usr/bin/env python3
"""What Clang's tools say of the source.

tidy ROOT BUILD [FOLDER…]  .clang-tidy's checks over all compiled sources, or those of some folders
format ROOT                every .cpp and .hpp is as clang-format with .clang-format writes it

Without the tool, of the version that the code is kept to, the test is skipped; where CI=true it fails.
"""
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

VERSION = 19
SKIPPED = 77
FOLDERS = ["src", "pt2pt", "coll", "launcher", "tools", "perf", "tests"]


def commands_for_clang(root, build, folders):
    """One command for each source: without the compiler's launcher, precompiled headers, and warnings that are GCC's."""
    found = {}
    with open(os.path.join(build, "compile_commands.json")) as commands:
        for entry in json.load(commands):
            path = os.path.relpath(entry["file"], root)
            if not path.endswith(".cpp") or not path.startswith(tuple(folder + "/" for folder in folders)):
                continue
            words = shlex.split(entry["command"])
            while not os.path.basename(words[0]).endswith(("++", "++-12", "g++", "c++")):
                words.pop(0)
            kept, rest = [words[0]], iter(words[1:])
            for word in rest:
                if word == "-include":
                    next(rest)
                elif not word.startswith("-W"):
                    kept.append(word)
            found.setdefault(entry["file"], {"file": entry["file"], "directory": entry["directory"], "arguments": kept})
    return list(found.values())


def all_of(tool, arguments, paths):
    """What the tool says of each path, where it is not content."""
    def one(path):
        done = subprocess.run([tool, *arguments, path], text=True, capture_output=True)
        if done.returncode == 0:
            return None
        return done.stdout + "".join(line + "\n" for line in done.stderr.splitlines() if "error:" in line)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [said for said in pool.map(one, paths) if said]


def tidy(tool, root, build, folders):
    with tempfile.TemporaryDirectory() as folder:
        commands = commands_for_clang(root, build, folders)
        with open(os.path.join(folder, "compile_commands.json"), "w") as file:
            json.dump(commands, file)
        print(f"{len(commands)} sources")
        config = os.path.join(root, ".clang-tidy")
        arguments = ["--quiet", "-p", folder, f"--config-file={config}"]
        return all_of(tool, arguments, [command["file"] for command in commands])


def check_format(tool, root):
    paths = [os.path.join(path, name) for folder in FOLDERS for path, _, names in os.walk(os.path.join(root, folder))
             for name in sorted(names) if name.endswith((".cpp", ".hpp"))]
    print(f"{len(paths)} files")
    wrong = all_of(tool, ["--dry-run", "--Werror"], paths)
    return [said.splitlines()[0] for said in wrong]  # the first place says enough


def main():
    what, root = sys.argv[1], os.path.abspath(sys.argv[2])
    name = f"clang-{what}-{VERSION}"
    tool = shutil.which(name)
    if not tool:
        print(f"{name} is not installed")
        return 1 if os.environ.get("CI") == "true" else SKIPPED
    wrong = tidy(tool, root, os.path.abspath(sys.argv[3]), sys.argv[4:] or FOLDERS) if what == "tidy" else check_format(tool, root)
    for said in wrong:
        print(said)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
