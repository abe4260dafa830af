import os
import socket
import subprocess
import sys
import time

import boto3
import pytest
import requests

BUCKET = 'voices'


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


@pytest.fixture(scope='session')
def s3_endpoint():
    """A moto server that refuses requests that are not signed as they should be."""
    port = free_port()
    endpoint = f'http://127.0.0.1:{port}'
    # Five requests without a check: the health check below, and those that make user, key, policy and bucket.
    env = {**os.environ, 'INITIAL_NO_AUTH_ACTION_COUNT': '4'}
    server = subprocess.Popen([sys.executable, '-m', 'moto.server', '-H', '127.0.0.1', '-p', str(port)], env=env,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while True:
        try:
            requests.get(endpoint + '/moto-api/', timeout=1)
            break
        except requests.ConnectionError:
            assert server.poll() is None and time.monotonic() < deadline, 'moto does not start'
            time.sleep(0.05)
    yield endpoint
    server.terminate()
    server.wait()


@pytest.fixture(scope='session')
def s3_environment(s3_endpoint):
    """What the programs need to reach a bucket of that server."""
    options = dict(endpoint_url=s3_endpoint, region_name='us-east-1', aws_access_key_id='any', aws_secret_access_key='any')
    iam = boto3.client('iam', **options)
    iam.create_user(UserName='singer')
    iam.put_user_policy(UserName='singer', PolicyName='all',
                        PolicyDocument='{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}')
    key = iam.create_access_key(UserName='singer')['AccessKey']
    boto3.client('s3', **options).create_bucket(Bucket=BUCKET)
    return {**{k: v for k, v in os.environ.items() if not k.startswith('AWS_')}, 'AWS_ENDPOINT_URL': s3_endpoint,
            'AWS_REGION': 'us-east-1', 'AWS_ACCESS_KEY_ID': key['AccessKeyId'], 'AWS_SECRET_ACCESS_KEY': key['SecretAccessKey']}
