"""Messages of the protocol, made at import from `messages.binpb`, which the build writes from the .proto files.

A pool of our own keeps them apart from anybody else's stubs of the same protocol, and needs no code that was generated
for one release of protobuf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddsp_client._proto.ddsp.v1.audio_pb2 import *
    from ddsp_client._proto.ddsp.v1.features_pb2 import *
    from ddsp_client._proto.ddsp.v1.jobs_pb2 import *
    from ddsp_client._proto.ddsp.v1.session_pb2 import *
    from ddsp_client._proto.google.rpc.error_details_pb2 import *
    from ddsp_client._proto.google.rpc.status_pb2 import *
else:
    from importlib import resources

    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    def _load():
        files = descriptor_pb2.FileDescriptorSet.FromString(
            resources.files(__package__).joinpath("messages.binpb").read_bytes()
        )
        pool = descriptor_pool.DescriptorPool()
        names = {}
        for file in files.file:  # dependencies first
            pool.AddSerializedFile(file.SerializeToString())
            descriptor = pool.FindFileByName(file.name)
            for name, message in descriptor.message_types_by_name.items():
                names[name] = message_factory.GetMessageClass(message)
            for enum in descriptor.enum_types_by_name.values():
                names.update((value.name, value.number) for value in enum.values)
        return names

    globals().update(_load())
