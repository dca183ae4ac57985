"""A copy of what this project's source is, for a build in a bare root, and the caller's compiler cache with it."""
import os
import pathlib
import shutil

import bare_root

SOURCE = pathlib.Path(os.environ["COW_SOURCE"])
LEFT_OUT = shutil.ignore_patterns("build", ".git", "__pycache__")


def copy_to(folder):
    shutil.copytree(SOURCE, folder, symlinks=True, ignore=LEFT_OUT)


def settings_for(root, folder, user=None):
    """Variables for a build below a folder: the caller's on how to build. Where it has ccache, the root gets it too, with the
    caller's cache; or, for a user, who could not write there, with one that is kept beside the roots."""
    kept = {name: value for name, value in os.environ.items()
            if name.startswith("CCACHE_") or name.endswith("_LAUNCHER") or name == "CMAKE_BUILD_PARALLEL_LEVEL"}
    if kept.get("CMAKE_CXX_COMPILER_LAUNCHER") != "ccache":
        return {name: value for name, value in kept.items() if name == "CMAKE_BUILD_PARALLEL_LEVEL"}
    root.run("apt-get install -y ccache")
    cache = bare_root.CACHE / "ccache" if user else bare_root.run("ccache", "--get-config", "cache_dir").strip()
    root.share(pathlib.Path(cache), "var/tmp/ccache")
    if user:
        root.run(f"chown {user} /var/tmp/ccache")
    return {**kept, "CCACHE_DIR": "/var/tmp/ccache", "CCACHE_BASEDIR": folder}
