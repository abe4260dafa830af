"""ddsp model pack, and pull from a layout and from a registry that asks for a token."""
import http.server
import json
import os
import threading
from pathlib import Path

import pytest
from programs import MODELS, ddsp, ddsp_json

ENV = dict(os.environ)
TOKEN = 'a-token'


class Registry(http.server.BaseHTTPRequestHandler):
    """The pulling half of the distribution API over a layout, with a token service beside it."""

    def do_GET(self):
        port = self.server.server_port
        if self.path.startswith('/token?'):
            assert 'scope=repository%3Ateam%2Fviolin%3Apull' in self.path
            return self.answer(200, json.dumps({'token': TOKEN}).encode())
        if self.headers.get('Authorization') != f'Bearer {TOKEN}':
            challenge = f'Bearer realm="http://127.0.0.1:{port}/token",service="test",scope="repository:team/violin:pull"'
            return self.answer(401, b'', {'WWW-Authenticate': challenge})
        layout = self.server.layout
        if self.path == '/v2/team/violin/manifests/1':
            index = json.loads((layout / 'index.json').read_text())
            return self.answer(200, self.blob(index['manifests'][0]['digest']))
        if self.path.startswith('/v2/team/violin/blobs/'):
            return self.answer(200, self.blob(self.path.rsplit('/', 1)[1]))
        return self.answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')

    def blob(self, digest):
        content = (self.server.layout / 'blobs' / 'sha256' / digest.split(':')[1]).read_bytes()
        return content[:-1] + b'?' if digest == self.server.damaged else content

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def layout(tmp_path):
    ddsp('model', 'pack', MODELS / 'violin', '--out', tmp_path / 'layout', '--tag', '1', env=ENV)
    return tmp_path / 'layout'


@pytest.fixture
def registry(layout):
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Registry)
    server.layout, server.damaged = layout, None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def test_from_a_layout(layout, tmp_path):
    pulled = ddsp_json('model', 'pull', f'oci:{layout}:1', '--repository', tmp_path / 'models', env=ENV)
    assert (pulled['name'], pulled['version']) == ('violin', 1)
    ddsp('model', 'verify', tmp_path / 'models' / 'violin' / '1', env=ENV)


def test_from_a_registry_with_a_token(registry, tmp_path):
    source = f'oci://127.0.0.1:{registry.server_port}/team/violin:1'
    pulled = ddsp_json('model', 'pull', source, '--repository', tmp_path / 'models', env=ENV)
    assert (pulled['name'], pulled['version']) == ('violin', 1)
    assert (Path(pulled['directory']) / 'MANIFEST.textproto').exists()


def test_what_a_registry_does_not_have_is_named(registry, tmp_path):
    source = f'oci://127.0.0.1:{registry.server_port}/team/violin:9'
    complaint = ddsp('model', 'pull', source, '--repository', tmp_path / 'models', env=ENV, fails=True)
    assert 'manifests/9' in complaint and '404' in complaint


def test_a_damaged_blob_is_refused(registry, tmp_path):
    index = json.loads((registry.layout / 'index.json').read_text())
    digest = index['manifests'][0]['digest'].split(':')[1]
    manifest = json.loads((registry.layout / 'blobs' / 'sha256' / digest).read_text())
    registry.damaged = manifest['layers'][-1]['digest']
    source = f'oci://127.0.0.1:{registry.server_port}/team/violin:1'
    complaint = ddsp('model', 'pull', source, '--repository', tmp_path / 'models', env=ENV, fails=True)
    assert 'digest is not' in complaint
    assert not list((tmp_path / 'models').glob('*/[0-9]*'))
