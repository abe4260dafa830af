"""Weights of the pitch network as a safetensors file of float32. Standard library only."""
import json
import struct


def read(path):
    """{name: (shape, [values])}"""
    with open(path, 'rb') as f:
        data = f.read()
    size, = struct.unpack_from('<Q', data)
    result = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == '__metadata__':
            continue
        if entry['dtype'] != 'F32':
            raise ValueError(f'{path}: {name} is {entry["dtype"]}, not F32')
        start, end = entry['data_offsets']
        result[name] = entry['shape'], struct.unpack_from(f'<{(end - start) // 4}f', data, 8 + size + start)
    return result


def write(path, tensors):
    """tensors: {name: (shape, [values])}"""
    header, body = {}, b''
    for name, (shape, values) in tensors.items():
        start = len(body)
        body += struct.pack(f'<{len(values)}f', *values)
        header[name] = {'dtype': 'F32', 'shape': list(shape), 'data_offsets': [start, len(body)]}
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(text)) + text + body)
