"""Adds the protocol's messages to the package: descriptors for run time and stubs for type checkers.

They are made from proto/ of the repository, or from the copy that a source distribution holds.
"""

import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).resolve().parent
PROTOS = [
    "google/rpc/status.proto",
    "google/rpc/error_details.proto",
    "ddsp/v1/audio.proto",
    "ddsp/v1/session.proto",
    "ddsp/v1/features.proto",
    "ddsp/v1/jobs.proto",
]


def proto_root() -> Path:
    """Where the .proto files are."""
    for root in (HERE / "proto", HERE.parent.parent / "proto"):
        if all((root / name).is_file() for name in PROTOS):
            return root
    raise SystemExit("ddsp-client: proto/ddsp/v1 is missing; build from the repository or from a source distribution")


def write_messages(package: Path) -> None:
    """Writes messages.binpb and the stubs into `package`."""
    # Not needed by `setup.py egg_info` and the like.
    import grpc_tools
    from grpc_tools import protoc

    package.mkdir(parents=True, exist_ok=True)
    arguments = [
        "protoc",
        f"-I{proto_root()}",
        f"-I{Path(grpc_tools.__file__).parent / '_proto'}",
        "--include_imports",
        f"--descriptor_set_out={package / 'messages.binpb'}",
        f"--pyi_out={package}",
        *PROTOS,
    ]
    if protoc.main(arguments) != 0:
        raise SystemExit("ddsp-client: protoc failed")
    for stub in package.rglob("*_pb2.pyi"):
        # protoc knows nothing of packages within packages.
        text = stub.read_text(encoding="utf-8")
        stub.write_text(re.sub(r"^from (ddsp\.|google\.rpc)", r"from ddsp_client._proto.\1", text, flags=re.M), "utf-8")


class BuildWithMessages(build_py):
    """`build_py` that makes the messages too; into the source tree for an editable installation."""

    def run(self) -> None:
        """Copies modules, then writes what is made."""
        super().run()
        root = HERE / "src" if self.editable_mode else Path(self.build_lib)
        write_messages(root / "ddsp_client" / "_proto")


class SdistWithProtos(sdist):
    """`sdist` that holds the .proto files, so that a wheel can be made from it alone."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Adds proto/ to the tree."""
        super().make_release_tree(base_dir, files)
        for name in PROTOS:
            target = Path(base_dir) / "proto" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(proto_root() / name, target)


setup(cmdclass={"build_py": BuildWithMessages, "sdist": SdistWithProtos})
