"""What a server needs to ask for TLS and tokens."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path


def secure(folder: Path, roles: dict[str, str]) -> list[str]:
    """Writes a certificate of 127.0.0.1, which is its own authority, and the keys of `roles`, a role for each token.

    Returns the server's flags for them.
    """
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "tls.key", "-out", "tls.crt"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    keys = [
        f'key {{ tenant: "studio" role: {role} sha256: "{hashlib.sha256(token.encode()).hexdigest()}" }}\n'
        for token, role in roles.items()
    ]
    (folder / "keys").write_text("".join(keys))
    return [f"--tls-cert={folder}/tls.crt", f"--tls-key={folder}/tls.key", f"--auth-keys={folder}/keys"]
