"""The command line of this build."""
import json
import subprocess

from ddsp_server import BIN, SOURCE

MODELS = SOURCE / 'models'


def ddsp(*arguments, env, fails=False):
    """Runs `ddsp`; returns what it printed, or what it complained of."""
    done = subprocess.run([BIN / 'ddsp', *map(str, arguments)], env=env, capture_output=True, text=True, timeout=120)
    assert (done.returncode != 0) == fails, f'{arguments}: {done.returncode}\n{done.stdout}{done.stderr}'
    return done.stderr if fails else done.stdout


def ddsp_json(*arguments, env):
    return json.loads(ddsp(*arguments, '--output', 'json', env=env))
