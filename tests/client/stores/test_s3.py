"""ddsp model push | list | alias | pull, and a server, on a repository in S3."""
import filecmp

import pytest
from conftest import BUCKET
from ddsp_server import Server
from programs import MODELS, ddsp, ddsp_json


@pytest.fixture
def repository(request):
    """A part of the bucket for each test."""
    return f's3://{BUCKET}/{request.node.name}'


def test_a_voice_goes_there_and_comes_back(repository, s3_environment, tmp_path):
    for version in (1, 2):
        pushed = ddsp_json('model', 'push', MODELS / 'violin', '--repository', repository, env=s3_environment)
        assert (pushed['name'], pushed['version']) == ('violin', version)
    ddsp('model', 'alias', 'violin@champion', '1', '--repository', repository, env=s3_environment)
    listed = ddsp_json('model', 'list', repository, env=s3_environment)
    assert listed == {'models': [{'name': 'violin', 'aliases': {'champion': 1}, 'versions': [{'version': 1}, {'version': 2}]}]}

    pulled = ddsp_json('model', 'pull', f'{repository}/violin@champion', '--repository', tmp_path, env=s3_environment)
    assert pulled['version'] == 1 and not pulled['was_there']
    for name in ('MANIFEST.textproto', 'weights.safetensors', 'golden/golden.safetensors'):
        assert filecmp.cmp(MODELS / 'violin' / '1' / name, tmp_path / 'violin' / '1' / name, shallow=False)
    again = ddsp_json('model', 'pull', f'{repository}/violin/1', '--repository', tmp_path, env=s3_environment)
    assert again['was_there']
    newest = ddsp_json('model', 'pull', f'{repository}/violin', '--repository', tmp_path, env=s3_environment)
    assert newest['version'] == 2


def test_a_server_serves_from_there_and_takes_what_comes(repository, s3_environment, tmp_path):
    ddsp('model', 'push', MODELS / 'violin', '--repository', repository, env=s3_environment)
    with Server(f'--model-cache={tmp_path}/cache', repository=repository, env=s3_environment) as server:
        admin = server.admin
        listed = ddsp_json('model', 'list', '--server', admin, env=s3_environment)
        assert listed['models'][0]['serving_version'] == 1
        ddsp('model', 'push', MODELS / 'violin', '--repository', repository, '--server', admin, env=s3_environment)
        ddsp('model', 'alias', 'violin@champion', '2', '--server', admin, env=s3_environment)
        listed = ddsp_json('model', 'list', '--server', admin, env=s3_environment)
        assert listed['models'][0]['serving_version'] == 2
    # The alias went to the store.
    stored = ddsp_json('model', 'list', repository, env=s3_environment)
    assert stored['models'][0]['aliases'] == {'champion': 2}
    # And what was fetched serves while the store is away.
    away = {**s3_environment, 'AWS_ENDPOINT_URL': 'http://127.0.0.1:1'}
    with Server(f'--model-cache={tmp_path}/cache', repository=repository, env=away) as server:
        listed = ddsp_json('model', 'list', '--server', server.admin, env=away)
        assert listed['models'][0]['serving_version'] == 2


def test_a_wrong_secret_is_told(repository, s3_environment):
    wrong = {**s3_environment, 'AWS_SECRET_ACCESS_KEY': 'x' * 40}
    complaint = ddsp('model', 'push', MODELS / 'violin', '--repository', repository, env=wrong, fails=True)
    assert 'SignatureDoesNotMatch' in complaint and repository in complaint


def test_what_is_not_there_is_named(repository, s3_environment, tmp_path):
    def pull(source):
        return ddsp('model', 'pull', source, '--repository', tmp_path, env=s3_environment, fails=True)

    assert "no model 'oboe'" in pull(f'{repository}/oboe')
    assert 'MANIFEST.textproto' in pull(f'{repository}/oboe/3')
    assert 'no such alias' in pull(f'{repository}/oboe@champion')
    assert 'NoSuchBucket' in pull('s3://no-such-bucket/oboe')
    assert 'is none of s3://' in pull('ftp://somewhere/oboe')
    assert not list(tmp_path.glob('*/[0-9]*'))
