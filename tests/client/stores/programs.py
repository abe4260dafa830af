"""The programs of this build, and what they need to be run."""
import json
import os
import re
import subprocess
from pathlib import Path

BIN = Path(os.environ['DDSP_BIN'])
MODELS = Path(os.environ['DDSP_MODELS'])


def ddsp(*arguments, env, fails=False):
    """Runs `ddsp`; returns what it printed, or what it complained of."""
    done = subprocess.run([BIN / 'ddsp', *map(str, arguments)], env=env, capture_output=True, text=True, timeout=120)
    assert (done.returncode != 0) == fails, f'{arguments}: {done.returncode}\n{done.stdout}{done.stderr}'
    return done.stderr if fails else done.stdout


def ddsp_json(*arguments, env):
    return json.loads(ddsp(*arguments, '--output', 'json', env=env))


class Server:
    """A ddsp-server on free ports."""

    def __init__(self, repository, cache, env, *flags):
        self.process = subprocess.Popen(
            [BIN / 'ddsp-server', f'--model-repository={repository}', f'--model-cache={cache}', '--listen=127.0.0.1:0',
             '--admin-listen=127.0.0.1:0', '--metrics-listen', '', '--max-sessions=2', *flags],
            env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = []
        self.port = self.admin_port = None
        for line in self.process.stdout:
            self.said.append(line)
            if match := re.search(r'serving on port (\d+).*admin on (\d+)', line):
                self.port, self.admin_port = map(int, match.groups())
                return
        raise AssertionError('the server ended: ' + ''.join(self.said))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=60)
