#!/usr/bin/env python3
"""check_tests.py ROOT: whether every test that the pages of promises and errors name exists.

Exit code 1, and a line for each, where one does not.
"""
import pathlib
import re
import sys

PAGES = ('tests/server/promises.md', 'tests/server/live/errors.md')
TEST = re.compile(r'`([A-Z]\w+)\.(\w+)`')
PYTHON_TEST = re.compile(r'`(test_\w+)`')
# Tests that ctest knows by a name of their own.
SCRIPT = re.compile(r'`(check_\w+)`')
LEAST = {'tests/server/promises.md': 60, 'tests/server/live/errors.md': 10}


def read(paths):
    return ''.join(path.read_text('utf-8') for path in paths)


def complaints(root):
    tests = root / 'tests'
    cpp = read(tests.rglob('*_test.cc'))
    python = read(tests.rglob('test_*.py'))
    scripts = read(tests.rglob('CMakeLists.txt'))
    for page in PAGES:
        text = (root / page).read_text('utf-8')
        named = set(TEST.findall(text))
        if len(named) < LEAST[page]:
            yield f'{page}: names {len(named)} tests, which cannot be all'
        for suite, test in sorted(named):
            if not re.search(rf'TEST(_F|_P)?\({suite},\s+{test}\)', cpp):
                yield f'{page}: there is no test {suite}.{test}'
        for test in sorted(set(PYTHON_TEST.findall(text))):
            if not re.search(rf'^def {test}\(', python, re.M):
                yield f'{page}: there is no test {test}'
        for script in sorted(set(SCRIPT.findall(text))):
            if f'{script}.py' not in scripts:
                yield f'{page}: ctest has no {script}'


def main():
    found = list(complaints(pathlib.Path(sys.argv[1])))
    print('\n'.join(found))
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
