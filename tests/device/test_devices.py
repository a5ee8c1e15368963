"""`twincube devices` and `--device`, with the fake driver of tests/device/fake and without."""

import json

from fake import run_with_fake, twincube


def devices(*arguments, fake=True, **surroundings):
    done = run_with_fake(["devices", *arguments], fake=fake, **surroundings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_device_and_the_compiler_are_listed():
    text = devices(TWINCUBE_FAKE_DEVICES=2, TWINCUBE_FAKE_MEMORY=3 << 29)
    assert text.splitlines() == [
        "cuda:0  Fake 0, capability 8.0, 2 multiprocessors, 1.5 GiB, driver for CUDA 12.4",
        "cuda:1  Fake 1, capability 8.0, 2 multiprocessors, 1.5 GiB, driver for CUDA 12.4",
        "kernels are compiled by NVRTC 12.9"]
    document = json.loads(devices("--json", TWINCUBE_FAKE_DEVICES=2))
    assert [device["name"] for device in document["devices"]] == ["Fake 0", "Fake 1"]
    assert document["usable"] and document["nvrtc"] == 12.9 and document["devices"][1]["memory"] == 1 << 30


def test_the_reason_is_told_where_nothing_computes_beside_the_cpu():
    for surroundings, reason in (({"TWINCUBE_FAKE_DEVICES": 0}, "no CUDA-capable device is detected"),
                                 ({"TWINCUBE_FAKE_FAIL": "cuInit:1:3"}, "the CUDA driver does not start"),
                                 ({"TWINCUBE_NVRTC": "/nowhere/libnvrtc.so"}, "no compiler of device kernels")):
        assert reason in devices(**surroundings)
        document = json.loads(devices("--json", **surroundings))
        assert not document["usable"] and reason in document["why_not"]


def test_wrong_usage_is_told():
    assert twincube("devices", "--all").returncode == 2 and twincube("devices", "more").returncode == 2
