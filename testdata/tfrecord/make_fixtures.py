#!/usr/bin/env python3
"""make_fixtures.py: writes the TFRecord files of this folder, by Python's standard library alone.

Two records as upstream's preparation makes them, for --example-secs 0.02 --sample-rate 32000 --frame-rate 250: value i of
feature number k (in the order below) of record r is r * 1000 + k * 100 + i / 8.
"""
import gzip
import os
import struct

FEATURES = {'audio': 640, 'audio_16k': 320, 'f0_hz': 5, 'f0_confidence': 5, 'loudness_db': 5}


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


def varint(value):
    out = b''
    while value >= 0x80:
        out += bytes([value & 0x7f | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, content):
    """A length-delimited field of a protocol buffer."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def float_feature(values):
    packed = struct.pack(f'<{len(values)}f', *values)
    return field(2, field(1, packed))  # Feature.float_list, FloatList.value


def example(features):
    entries = b''.join(field(1, field(1, name.encode()) + field(2, feature)) for name, feature in features.items())
    return field(1, entries)  # Example.features


def record(content):
    length = struct.pack('<Q', len(content))
    return length + struct.pack('<I', masked(length)) + content + struct.pack('<I', masked(content))


def values(r, k, count):
    return [r * 1000 + k * 100 + i / 8 for i in range(count)]


def main():
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    records = [{name: float_feature(values(r, k, count)) for k, (name, count) in enumerate(FEATURES.items())} for r in range(2)]
    data = b''.join(record(example(features)) for features in records)
    legacy = b''.join(record(example({n: f for n, f in features.items() if n != 'audio_16k'})) for features in records)
    for name, content in (('two.tfrecord', data), ('legacy.tfrecord', legacy)):
        with open(name, 'wb') as file:
            file.write(content)
    with open('two.tfrecord.gz', 'wb') as file:
        file.write(gzip.compress(data, mtime=0))


if __name__ == '__main__':
    main()
