#!/usr/bin/env python3
"""check_reasons.py ROOT: whether jobs.proto tells of every reason that the methods of ddsp.v1.Jobs give, and of no other.

Exit code 1, and a line for each, where one is missing or is none.
"""
import os
import re
import sys

PROTO = 'proto/ddsp/v1/jobs.proto'
ERRORS = 'server/errors/errors.cc'
# What is said to callers is made here, by these.
FOLDERS = ('server/jobs', 'server/blobs')
MADE = re.compile(r'Make(?:Field)?Error\(\s*Reason::(k\w+)')
ROW = re.compile(r'\{Reason::(k\w+),[^"]*"([A-Z_]+)"\}')
# Words in capitals of two parts and more; states and types are none.
WORD = re.compile(r'\b[A-Z]+(?:_[A-Z]+)+\b')
NO_REASON = re.compile(r'JOB_STATE_\w+')
# Made by what every server has, not by these folders.
ELSEWHERE = {'QUEUE_FULL'}


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8') as file:
        return file.read()


def made_reasons(root):
    for top in FOLDERS:
        for folder, _, files in os.walk(os.path.join(root, top)):
            for name in files:
                if name.endswith('.cc'):
                    yield from MADE.findall(read(folder, name))


def complaints(root):
    names = dict(ROW.findall(read(root, ERRORS)))
    comments = ' '.join(line.split('//', 1)[1] for line in read(root, PROTO).splitlines() if '//' in line)
    told = {word for word in WORD.findall(comments) if not NO_REASON.fullmatch(word)}
    made = {names[reason] for reason in made_reasons(root)} | ELSEWHERE
    # What Claim() never meets: it asks for jobs that can be claimed.
    made.discard('JOB_NOT_CLAIMABLE')
    return ([f'{PROTO}: does not tell of {name}' for name in sorted(made - told)] +
            [f'{PROTO}: {name} is no reason of its methods' for name in sorted(told - made)])


def main():
    found = complaints(sys.argv[1])
    print('\n'.join(found))
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
