#!/usr/bin/env python3
"""check_layers.py ROOT: names every #include that goes against the layers (DESIGN, "Layers"). Exit code 1 if there is one.

Link dependencies do not stop such an include, because all folders share one include root.
"""
import os
import re
import sys

# Folder -> folders of ours that it may include, besides itself. In data-flow order: nothing points downwards.
ALLOWED = {
    'core/base': set(),
    'core/audio': {'core/base'},
    'core/gin': {'core/base'},
    'core/kernels': {'core/base'},
    'core/dsp': {'core/base', 'core/kernels'},
    'core/processors': {'core/base', 'core/dsp', 'core/kernels'},
    'core/nn': {'core/base', 'core/dsp', 'core/kernels'},
    'core/losses': {'core/base', 'core/dsp', 'core/kernels'},
    'core/datasets': {'core/base', 'core/dsp', 'core/kernels', 'proto/tensorflow'},
    'core/features': {'core/base', 'core/kernels'},
    'core/picture': {'core/base', 'core/features'},
    'core/models': {'core/base', 'core/features', 'proto/model'},
    'core/artifacts': {'core/base', 'core/models', 'proto/model'},
    'core/graph': {'core/base', 'core/dsp', 'core/gin', 'core/losses', 'core/models', 'core/nn', 'core/processors', 'proto/model'},
    'core/models/inference': {'core/base', 'core/dsp', 'core/nn', 'core/processors'},
    'core/models/trainable': {'core/base', 'core/dsp', 'core/gin', 'core/graph', 'core/losses', 'core/nn', 'core/processors'},
    'core/importer': {'core/base', 'core/gin', 'proto/model', 'proto/tensorflow'},
    'core/importer/voice': {'core/base', 'core/gin', 'core/importer', 'core/kernels', 'core/models', 'core/processors', 'core/streaming', 'proto/model'},
    'core/streaming': {'core/base', 'core/features', 'core/kernels', 'core/models', 'proto/model'},
    'core/cuda': {'core/base', 'core/features', 'core/kernels', 'core/models', 'core/streaming', 'proto/model'},
    'core/offline': {'core/base', 'core/dsp', 'core/features', 'core/models', 'core/streaming', 'proto/model'},
    'core/training/distributed': {'core/base'},
    'core/training/recipe': {'core/gin'},
    'core/training': {'core/audio', 'core/base', 'core/datasets', 'core/dsp', 'core/features', 'core/gin', 'core/graph', 'core/kernels', 'core/losses', 'core/models', 'core/picture',
                      'core/models/trainable', 'core/nn', 'core/processors', 'core/streaming', 'core/training/distributed', 'core/training/recipe', 'proto/model'},
    'server/errors': {'core/base', 'proto/rpc'},
    'server/security': {'core/base', 'proto/access', 'server/errors'},
    'server/blobs': {'core/base', 'server/errors'},
    'server/jobs': {'core/base', 'server/errors'},
    'server/jobs/api': {'core/base', 'core/training/recipe', 'proto/jobs', 'server/blobs', 'server/errors', 'server/jobs'},
    'server/metrics': {'core/base'},
    'server/logs': {'core/base'},
    'server/memory': {'core/base', 'server/errors'},
    'server/tracing': {'core/base', 'proto/otlp'},
    'server/journal': {'core/base', 'server/errors', 'server/logs', 'server/session', 'server/tracing'},
    'server/scheduler': {'core/base', 'core/features', 'core/streaming', 'server/metrics'},
    'server/registry': {'core/artifacts', 'core/base', 'core/features', 'core/models', 'core/streaming', 'proto/model', 'server/errors',
                        'server/metrics', 'server/scheduler'},
    'server/session': {'core/base', 'core/features', 'core/models', 'core/streaming', 'proto/session', 'server/errors', 'server/metrics',
                       'server/memory', 'server/registry', 'server/scheduler'},
    'server/rpc': {'core/audio', 'core/base', 'core/features', 'core/gin', 'core/graph', 'core/offline', 'proto/graph', 'proto/jobs', 'proto/model', 'proto/models', 'proto/rpc', 'proto/session',
                   'server/blobs', 'server/errors', 'server/jobs', 'server/jobs/api',
                   'server/metrics', 'server/registry', 'server/security', 'server/session',
                   'proto/orca', 'server/logs', 'server/memory', 'server/tracing'},
    'server/jobs/desk': {'core/base', 'core/features', 'core/models', 'core/streaming', 'proto/jobs', 'server/blobs', 'server/errors', 'server/jobs', 'server/jobs/api',
                         'server/logs', 'server/metrics', 'server/registry', 'server/rpc'},
    'server/kserve': {'core/base', 'core/streaming', 'proto/inference', 'proto/session', 'server/errors', 'server/metrics', 'server/registry', 'server/rpc', 'server/security',
                      'server/session'},
    # server.cc alone knows who talks to whom.
    'server': {'core/artifacts', 'core/base', 'core/cuda', 'core/models', 'core/streaming', 'server/errors', 'server/jobs', 'server/jobs/desk', 'server/kserve', 'server/metrics', 'server/registry', 'server/rpc',
               'server/scheduler', 'server/security', 'server/session',
               'server/journal', 'server/logs', 'server/memory', 'server/tracing'},
    'client/sdk': {'core/base', 'proto/graph', 'proto/jobs', 'proto/model', 'proto/rpc', 'proto/session'},
    'client/flags': {'client/sdk'},
    'client/pacing': {'client/sdk', 'core/base'},
    # `ddsp config check` and `ddsp auth new-key` make what the server reads.
    'client/cli': {'client/flags', 'client/pacing', 'core/importer/voice', 'client/sdk', 'core/artifacts', 'core/audio', 'core/base', 'core/datasets', 'core/dsp', 'core/features', 'core/gin', 'core/graph', 'core/models', 'core/offline', 'core/picture', 'core/streaming',
                   'core/training', 'core/training/distributed', 'core/training/recipe', 'proto/models', 'proto/jobs', 'proto/model', 'proto/session', 'server', 'server/security'},
    # Talks to servers and never is one.
    'worker': {'client/flags', 'client/sdk', 'core/base', 'worker/jobs', 'worker/runners'},
    'worker/jobs': {'client/sdk', 'core/base', 'proto/jobs'},
    'worker/runners': {'client/sdk', 'core/audio', 'core/base', 'core/features', 'core/gin', 'core/models', 'core/training', 'core/training/recipe', 'proto/jobs', 'worker/jobs'},
    'client/examples': {'client/sdk', 'core/base'},
    'load-tests': {'client/flags', 'client/pacing', 'client/sdk', 'core/audio', 'core/base', 'core/picture', 'proto/session'},
    # Clients of every service, the fuzz targets' malice, and the command line's reader of metrics.
    'load-tests/soak': {'client/cli', 'client/pacing', 'client/sdk', 'core/audio', 'core/base', 'load-tests', 'proto/graph', 'proto/inference', 'proto/jobs',
                        'proto/model', 'proto/models', 'proto/session', 'tests/fuzz'},
}
# These may use LibTorch; the live path and everything that speaks to a network does without.
TORCH = {'core/dsp', 'core/processors', 'core/graph', 'core/nn', 'core/losses', 'core/models/inference', 'core/models/trainable', 'core/importer/voice', 'core/offline', 'core/datasets', 'core/training', 'core/training/distributed', 'worker/runners'}
# Messages of the protocol, by the first words of their header.
PROTOS = {'ddsp/v1/access': 'proto/access', 'ddsp/v1/jobs': 'proto/jobs', 'ddsp/v1/session': 'proto/session', 'ddsp/v1/audio': 'proto/session', 'ddsp/v1/models': 'proto/models', 'ddsp/v1/model': 'proto/model', 'ddsp/v1/graph.pb': 'proto/model',
          'ddsp/v1/graph.grpc': 'proto/graph', 'ddsp/v1/features': 'proto/session',
          'tensorflow/': 'proto/tensorflow', 'google/rpc/': 'proto/rpc', 'inference/': 'proto/inference',
          'opentelemetry/': 'proto/otlp', 'xds/': 'proto/orca'}
# A device's threads step engines; what a step costs is measured before the first stream.
DEVICE_CALL = re.compile(r'engine_?(\.|->)Step\(')
DEVICE_FILES = {'server/scheduler/device_worker.cc', 'server/scheduler/measure_cost.cc'}

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def target_of(header):
    """The folder (or proto) of ours that a header belongs to; None for a library's."""
    for prefix, name in PROTOS.items():
        if header.startswith(prefix):
            return name
    folder = os.path.dirname(header)
    return folder if folder.split('/')[0] in ('core', 'server', 'client', 'load-tests', 'worker', 'tests', 'benchmarks', 'tools') else None


def complaints_of_line(folder, line):
    found = INCLUDE.match(line)
    if not found:
        return []
    header = found.group(2)
    if re.match(r'(torch|ATen|c10)/', header):
        return [] if folder in TORCH else [f'{folder} does without LibTorch']
    if folder.startswith('core/') and re.match(r'(grpcpp|grpc)/', header):
        return ['core knows no transport']
    target = target_of(header)
    if target is None or target == folder or target in ALLOWED[folder]:
        return []
    return [f'{folder} may not include {target}']


def check_file(root, path):
    folder = os.path.dirname(path)
    if folder not in ALLOWED:
        return [f'{path}:1: folder {folder} is not in the table of layers']
    complaints = []
    with open(os.path.join(root, path), encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            complaints += [f'{path}:{number}: {text}: {line.strip()}' for text in complaints_of_line(folder, line)]
            if folder.startswith('server') and path not in DEVICE_FILES and DEVICE_CALL.search(line):
                complaints.append(f'{path}:{number}: only the device worker steps an engine: {line.strip()}')
    return complaints


def sources(root):
    for top in ('core', 'server', 'client', 'load-tests', 'worker'):
        for folder, _, files in os.walk(os.path.join(root, top)):
            for name in sorted(files):
                if name.endswith(('.h', '.cc')):
                    yield os.path.relpath(os.path.join(folder, name), root)


def main():
    root = sys.argv[1]
    paths = list(sources(root))
    complaints = [text for path in paths for text in check_file(root, path)]
    print('\n'.join(complaints + [f'{len(paths)} files, {len(complaints)} against the layers']))
    return 1 if complaints or not paths else 0


if __name__ == '__main__':
    sys.exit(main())
