"""Which files were made of others, and need not be known."""

from __future__ import annotations

import pytest

from hybridgen.gate import is_derived

LISTED = {
    "level.py": "aa",
    "src/shop/prices.py": "bb",
    "README.md": "cc",
    "libs/money/money.py": "dd",
}


@pytest.mark.parametrize(
    ("path", "sha256"),
    [
        ("build/lib/level.py", "aa"),
        ("build/lib/shop/prices.py", "bb"),
        ("build/lib.linux-x86_64-cpython-311/shop/prices.py", "bb"),
        ("dist/shop-1.0/src/shop/prices.py", "bb"),
        ("dist/shop/prices.py", "bb"),
        ("site/README.md", "cc"),
        ("libs/money/build/lib/money.py", "dd"),
    ],
)
def test_a_copy_in_a_folder_for_output_is_derived_as_long_as_it_is_equal(path, sha256):
    assert is_derived(path, sha256, {**LISTED, path: sha256})
    assert not is_derived(path, "ee", {**LISTED, path: "ee"})


@pytest.mark.parametrize("path", ["level_copy.py", "old/level.py", "lib/level.py", "level.py"])
def test_a_copy_elsewhere_is_no_derived_file(path):
    assert not is_derived(path, "aa", {"src/level.py": "aa", path: "aa"})


@pytest.mark.parametrize("path", ["build/level.py", "build/lib/level.py", "level.py"])
def test_a_file_is_not_its_own_origin(path):
    assert not is_derived(path, "aa", {path: "aa"})


@pytest.mark.parametrize(
    "path",
    [
        "htmlcov/level_py.html",
        "docs/_build/html/_modules/level.html",
        "docs/_build/html/searchindex.js",
        "src/shop.egg-info/PKG-INFO",
        "src/shop.egg-info/SOURCES.txt",
    ],
)
def test_what_a_tool_wrote_about_sources_is_derived(path):
    assert is_derived(path, "ff", {path: "ff"})


@pytest.mark.parametrize(
    "path",
    ["htmlcov/margins.py", "docs/_build/margins.py", "src/shop.egg-info/margins.py", "a/x.html"],
)
def test_code_and_other_files_there_are_known_as_anywhere(path):
    assert not is_derived(path, "ff", {path: "ff"})


def test_a_folder_named_site_is_output_if_its_tool_says_so():
    listed = {"site/index.html": "ff"}
    assert not is_derived("site/index.html", "ff", listed)
    assert is_derived("site/index.html", "ff", {**listed, "site/sitemap.xml": "gg"})
    assert not is_derived("a/site/index.html", "ff", {**listed, "site/sitemap.xml": "gg"})
