"""What is in deploy/ is what Kubernetes takes, and keeps to what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from kustomize import Object, build

SOURCE = Path(__file__).resolve().parents[2]
DEPLOY = SOURCE / "deploy"
BIN = Path(os.environ["DDSP_BIN"])
ROOTS = ["base", *(f"overlays/{path.name}" for path in sorted((DEPLOY / "overlays").iterdir())), "postgres",
         "training-job/base", "training-job/kueue"]  # fmt: skip
CUSTOM = {"ScaledObject", "ServiceMonitor", "PrometheusRule"}
KUSTOMIZE = ["kustomize", "build"] if shutil.which("kustomize") else ["kubectl", "kustomize"]


# What a server does after SIGTERM, one after the other (server/main.cc; tests/deploy/test_drain.py).
DRAIN = ("drain-delay", "session-drain-timeout", "exit-timeout")


def pods(things: list[Object]) -> list[tuple[str, Object]]:
    return [
        (thing["metadata"]["name"], thing["spec"]["template"]["spec"])
        for thing in things
        if "template" in thing.get("spec", {})
    ]


def flags_of(container: Object) -> dict[str, str]:
    return dict(flag.removeprefix("--").partition("=")[::2] for flag in container.get("args", []))


def only(things: list[Object], kind: str, name: str) -> Object:
    (found,) = (thing for thing in things if thing["kind"] == kind and thing["metadata"]["name"] == name)
    return found


@pytest.mark.parametrize("root", ROOTS)
def test_kubernetes_takes_it(root: str):
    validate = pytest.importorskip("kubernetes_validate")
    things = build(DEPLOY / root)
    assert things
    for thing in things:
        # The newest that the package knows, and what clusters still run.
        for version in ("1.29", validate.latest_version()):
            if thing["kind"] not in CUSTOM:
                validate.validate(thing, version, strict=True)


def test_the_validator_finds_mistakes():
    validate = pytest.importorskip("kubernetes_validate")
    thing = only(build(DEPLOY / "base"), "Deployment", "ddsp-live")
    thing["spec"]["template"]["spec"]["terminationGracePeriod"] = 600
    with pytest.raises(validate.ValidationError):
        validate.validate(thing, validate.latest_version(), strict=True)


@pytest.mark.skipif(not shutil.which(KUSTOMIZE[0]), reason="neither kustomize nor kubectl is there")
@pytest.mark.parametrize("root", ROOTS)
def test_kustomize_gives_the_same(root: str):
    ran = subprocess.run([*KUSTOMIZE, DEPLOY / root], check=True, capture_output=True, text=True)
    theirs = {(thing["kind"], thing["metadata"]["name"]): thing for thing in yaml.safe_load_all(ran.stdout)}
    mine = {(thing["kind"], thing["metadata"]["name"]): thing for thing in build(DEPLOY / root)}
    # Theirs hashes the names of generated config maps.
    assert {key for key in mine if key[0] != "ConfigMap"} == {key for key in theirs if key[0] != "ConfigMap"}
    for key, thing in mine.items():
        if "spec" in thing:
            assert thing["spec"] == theirs[key]["spec"], key


@pytest.mark.parametrize("root", ROOTS)
def test_pods_are_locked_down(root: str):
    for name, pod in pods(build(DEPLOY / root)):
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]
            assert container["resources"]["requests"].keys() >= {"cpu", "memory"}


@pytest.mark.parametrize("root", ROOTS)
def test_no_secret_is_in_the_tree(root: str):
    for thing in build(DEPLOY / root):
        assert thing["kind"] != "Secret"
        for _, pod in pods([thing]):
            for container in pod["containers"]:
                for variable in container.get("env", []):
                    if "PASSWORD" in variable["name"]:
                        assert "secretKeyRef" in variable["valueFrom"]
                assert "password" not in str(container.get("args"))


@pytest.mark.parametrize("root", ROOTS)
def test_grace_is_longer_than_what_programs_may_take(root: str):
    for name, pod in pods(build(DEPLOY / root)):
        grace = pod["terminationGracePeriodSeconds"]
        for container in pod["containers"]:
            flags = flags_of(container)
            if container.get("command") == ["ddsp-server"]:
                # All three are said, for the defaults of another version may be others.
                assert grace == sum(int(flags[f"{flag}-secs"]) for flag in DRAIN) + 10, name
                assert "preStop" not in str(container), "one of them: --drain-delay-secs or a hook"
                assert container["readinessProbe"]["grpc"]["service"] == "readiness", "it goes off at once"
            if container.get("command") == ["ddsp-worker"]:
                assert grace == int(flags["grace-seconds"]) + 10, name


@pytest.mark.parametrize("root", ROOTS)
def test_programs_have_the_flags(root: str):
    """Each command with its flags, as far as --help: a flag that does not exist is an error."""
    for _, pod in pods(build(DEPLOY / root)):
        for container in pod["containers"]:
            program = (container.get("command") or [""])[0]
            if not program.startswith("ddsp-"):
                continue
            if not (BIN / program).exists():
                pytest.skip(f"this build has no {program}")
            known = subprocess.run([BIN / program, "--help"], capture_output=True, text=True, check=True).stdout
            for flag in flags_of(container):
                assert re.search(rf"--{flag}\b", known), f"{program} has no --{flag}"


def test_probes_and_services_meet_the_ports():
    things = build(DEPLOY / "base")
    for _, pod in pods(things):
        for container in pod["containers"]:
            ports = {port["containerPort"] for port in container.get("ports", [])}
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                probe = container.get(kind, {})
                for how in ("grpc", "tcpSocket"):
                    if how in probe:
                        assert probe[how]["port"] in ports
                # During a drain health says "not serving", and a kill would end live sessions.
                assert not (kind == "livenessProbe" and "grpc" in probe)
    named = {
        (thing["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"], port["name"])
        for thing in things
        if thing["kind"] == "Deployment"
        for container in thing["spec"]["template"]["spec"]["containers"]
        for port in container.get("ports", [])
    }
    for service in (thing for thing in things if thing["kind"] == "Service"):
        for port in service["spec"]["ports"]:
            assert (service["spec"]["selector"]["app.kubernetes.io/name"], port["targetPort"]) in named
    monitor = only(build(DEPLOY / "overlays/production"), "ServiceMonitor", "ddsp")
    (wanted,) = monitor["spec"]["selector"]["matchExpressions"]
    for name in wanted["values"]:
        assert any(
            thing["metadata"].get("labels", {}).get("app.kubernetes.io/name") == name
            for thing in things
            if thing["kind"] == "Service"
        )


def test_secured_servers_read_what_is_mounted():
    things = build(DEPLOY / "overlays/secured")
    for name in ("ddsp-live", "ddsp-jobs", "ddsp-worker"):
        pod = only(things, "Deployment", name)["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
        secrets = {volume["name"] for volume in pod["volumes"] if "secret" in volume}
        files = [value for flag, value in flags_of(container).items() if flag.startswith(("tls-", "auth-", "token-"))]
        assert len(files) >= 2, name
        for file in files:
            mount = mounts[str(Path(file).parent)]
            assert mount["readOnly"], file
            assert mount["name"] in secrets, file
    # Probes go past TLS and tokens, and to nothing else.
    for name in ("ddsp-live", "ddsp-jobs"):
        (container,) = only(things, "Deployment", name)["spec"]["template"]["spec"]["containers"]
        assert flags_of(container)["health-listen"].endswith(":8003")
        assert container["readinessProbe"]["grpc"] == {"port": 8003, "service": "readiness"}


@pytest.mark.parametrize("overlay", ["production", "secured", "gpu", "several-hosts"])
def test_replicas_go_on_with_each_others_sessions(overlay: str):
    """One key for all of them, from a secret, for whoever has more than one replica or is replaced while clients wait."""
    things = build(DEPLOY / "overlays" / overlay)
    keys = set()
    for name in ("ddsp-live", "ddsp-jobs"):
        pod = only(things, "Deployment", name)["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        file = Path(flags_of(container)["session-key-file"])
        (mount,) = (mount for mount in container["volumeMounts"] if mount["mountPath"] == str(file.parent))
        assert mount["readOnly"]
        (volume,) = (volume for volume in pod["volumes"] if volume["name"] == mount["name"])
        # Those of its group read it: the server, which is nobody special.
        assert volume["secret"]["defaultMode"] == 0o440
        keys.add((volume["secret"]["secretName"], file.name))
    ((secret, key),) = keys
    told = (DEPLOY / "components/session-key/kustomization.yaml").read_text()
    assert f"create secret generic {secret} --from-literal={key}=" in told


def test_the_key_that_is_told_is_one(tmp_path: Path):
    told = (DEPLOY / "components/session-key/kustomization.yaml").read_text()
    command = re.search(r'"\$\((openssl .*)\)"', told)
    assert command
    key = subprocess.run(["bash", "-c", command[1]], check=True, capture_output=True, text=True).stdout
    assert len(key) >= 32
    assert "\n" not in key


@pytest.mark.parametrize("root", ROOTS)
def test_logs_are_for_programs(root: str):
    for name, pod in pods(build(DEPLOY / root)):
        for container in pod["containers"]:
            if container.get("command") == ["ddsp-server"]:
                assert flags_of(container)["log-format"] == "json", name


@pytest.mark.parametrize("root", ROOTS)
def test_no_two_flags_are_one(root: str):
    for name, pod in pods(build(DEPLOY / root)):
        for container in pod["containers"]:
            names = [flag.partition("=")[0] for flag in container.get("args", [])]
            assert len(names) == len(set(names)), name


def test_traces_go_where_they_are_sent():
    things = build(DEPLOY / "components/tracing", build(DEPLOY / "overlays/production"))
    for name in ("ddsp-live", "ddsp-jobs"):
        (container,) = only(things, "Deployment", name)["spec"]["template"]["spec"]["containers"]
        flags = flags_of(container)
        assert re.fullmatch(r"[\w.-]+:4317", flags["otlp-endpoint"])
        assert 0 < float(flags["trace-sampling"]) <= 1
        if (BIN / "ddsp-server").exists():
            help_ = subprocess.run([BIN / "ddsp-server", "--help"], capture_output=True, text=True, check=True).stdout
            assert all(f"--{flag}" in help_ for flag in ("otlp-endpoint", "otlp-ca", "trace-sampling"))


def test_several_hosts_share_a_database_and_a_volume():
    things = build(DEPLOY / "overlays/several-hosts")
    jobs = only(things, "Deployment", "ddsp-jobs")
    (container,) = jobs["spec"]["template"]["spec"]["containers"]
    host = re.search(r"@([\w-]+)/", flags_of(container)["job-database"])
    assert host
    assert only(things, "Service", host[1])["spec"]["ports"][0]["port"] == 5432
    assert jobs["spec"]["replicas"] == 2
    assert only(things, "PersistentVolumeClaim", "ddsp-data")["spec"]["accessModes"] == ["ReadWriteMany"]
    # With a store in a file there may be one.
    alone = only(build(DEPLOY / "base"), "Deployment", "ddsp-jobs")["spec"]
    assert (alone["replicas"], alone["strategy"]["type"]) == (1, "Recreate")


def test_scalers_leave_the_number_of_replicas_to_themselves():
    things = build(DEPLOY / "overlays/production")
    for thing in (thing for thing in things if thing["kind"] == "ScaledObject"):
        target = only(things, "Deployment", thing["spec"]["scaleTargetRef"]["name"])
        assert "replicas" not in target["spec"]
        assert all(trigger["metadata"]["ignoreNullValues"] == "false" for trigger in thing["spec"]["triggers"])


def test_a_training_may_be_a_job_of_its_own():
    job = only(build(DEPLOY / "training-job/base"), "Job", "ddsp-JOB")
    assert job["spec"]["suspend"] is False
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert flags_of(container)["job"] == "jobs/JOB"
    queued = only(build(DEPLOY / "training-job/kueue"), "Job", "ddsp-JOB")
    assert queued["spec"]["suspend"] is True
    assert queued["metadata"]["labels"]["kueue.x-k8s.io/queue-name"]
    refused = subprocess.run([DEPLOY / "training-job/render", "jobs/; rm -rf x"], capture_output=True, text=True)
    assert refused.returncode == 2
    assert "no name of a job" in refused.stderr


@pytest.mark.skipif(not shutil.which(KUSTOMIZE[0]), reason="neither kustomize nor kubectl is there")
def test_a_training_is_rendered():
    ran = subprocess.run(
        [DEPLOY / "training-job/render", "jobs/train-4f0c2a9be1d07735", "kueue"],
        check=True,
        capture_output=True,
        text=True,
    )
    job = yaml.safe_load(ran.stdout)
    assert job["metadata"]["name"] == "ddsp-train-4f0c2a9be1d07735"
    assert "--job=jobs/train-4f0c2a9be1d07735" in job["spec"]["template"]["spec"]["containers"][0]["args"]
