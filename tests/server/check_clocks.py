#!/usr/bin/env python3
"""check_clocks.py ROOT: whether the server takes time from clocks that are handed in, and sleeps nowhere.

The time of day jumps: it is for stamps that people and other machines read. Each use is named here with its reason. Exit code 1,
and a line for each, where one is not, or is no longer there.
"""
import pathlib
import re
import sys

CLOCK = re.compile(r'absl::Now\(\)|system_clock|std::time\(|gettimeofday|CLOCK_REALTIME|absl::SleepFor|sleep_for|\busleep\(')
ALLOWED = {
    'server/jobs/anchored_clock.h': 'a time of day that is steady: read once',
    'server/jobs/postgres_listener.cc': 'waits for a database that is away',
    'server/logs/log.cc': 'the stamp of a line',
    'server/metrics/process_usage.cc': 'when the process was started, for Prometheus',
    'server/rpc/endpoint.cc': 'deadlines of the library',
    'server/rpc/io_thread.cc': 'deadlines of the library; the rest between two rounds',
    'server/security/wall_clock.h': 'when tokens expire',
    'server/tracing/otlp_exporter.cc': 'deadlines of the library; a look at it now and then',
    'server/tracing/tracer.cc': 'stamps of spans: read once',
}


def uses(root):
    for path in sorted((root / 'server').rglob('*')):
        if path.suffix not in ('.h', '.cc'):
            continue
        for number, line in enumerate(path.read_text('utf-8').splitlines(), 1):
            if CLOCK.search(line.split('//', 1)[0]):
                yield path.relative_to(root).as_posix(), number, line.strip()


def main():
    root = pathlib.Path(sys.argv[1])
    found = list(uses(root))
    files = {file for file, _, _ in found}
    complaints = [f'{file}:{number}: {line}' for file, number, line in found if file not in ALLOWED]
    complaints += [f'{file}: has no clock of its own any more' for file in ALLOWED if file not in files]
    print('\n'.join(complaints))
    return 1 if complaints else 0


if __name__ == '__main__':
    sys.exit(main())
