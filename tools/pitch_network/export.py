#!/usr/bin/env python3
"""export.py NETWORK.safetensors OUT.inc: writes the weights as core/features/pitch_weights.inc holds them.
export.py --check NETWORK.safetensors FILE.inc: fails if FILE.inc holds anything else. Standard library only.
"""
import sys

import weights

WIDTH = 118


def literal(x):
    text = '%.6g' % x
    return text + ('f' if '.' in text or 'e' in text else '.0f')


def array(name, values):
    lines, line = [], '   '
    for value in values:
        item = f' {literal(value)},'
        if len(line) + len(item) > WIDTH:
            lines.append(line)
            line = '   '
        line += item
    return '\n'.join([f'constexpr float {name}[] = {{', *lines, line, '};', ''])


def kernel(tensor):
    """[outputs, inputs(, taps)] to ([taps][inputs] or [inputs]) x [outputs]."""
    shape, values = tensor
    outputs, inputs, taps = (*shape, 1)[:3]
    return [values[(o * inputs + i) * taps + t] for t in range(taps) for i in range(inputs) for o in range(outputs)]


def source(tensors):
    hidden, = tensors['near.bias'][0]
    return ''.join([
        '// Written by tools/pitch_network/export.py; do not edit.\n',
        f'constexpr int kHidden = {hidden};\n',
        array('kFirstKernel', kernel(tensors['near.weight']) + kernel(tensors['far.weight'])),
        array('kFirstBias', tensors['near.bias'][1]),
        array('kLevelKernel', kernel(tensors['level.weight'])),
        array('kPlaceKernel', kernel(tensors['place.weight'])),
        array('kSecondKernel', kernel(tensors['second.weight'])),
        array('kSecondBias', tensors['second.bias'][1]),
        array('kLastKernel', tensors['last.weight'][1]),
    ])


def main():
    arguments = sys.argv[1:]
    check = arguments[:1] == ['--check']
    if len(arguments) != 2 + check:
        sys.exit(__doc__)
    text = source(weights.read(arguments[-2]))
    if not check:
        with open(arguments[-1], 'w', encoding='ascii') as f:
            f.write(text)
    else:
        with open(arguments[-1], encoding='ascii') as f:
            if f.read() != text:
                sys.exit(f'{arguments[-1]} does not hold the weights of {arguments[-2]}')


if __name__ == '__main__':
    main()
