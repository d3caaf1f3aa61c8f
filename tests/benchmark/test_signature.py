"""Signatures: what may differ between two numbers that are compared, and what may not."""

from talkingface_wild.benchmark.signature import Signature, differences, merged

HEAD = "tfw-v1|list=hdtf-100:12345678|clips=100/100|≤375f@25|512|ref=0|in=h264"


def _signed(part, head=HEAD, tail="seeds=1|tfw=0.2.0"):
    return Signature.parse(f"{head}|{part}|{tail}")


def test_counts_codecs_seeds_and_versions_are_not_compared():
    one = _signed("fid=clean:6726825d:7500f:a1b2c3")
    other = Signature.parse(
        HEAD.replace("clips=100/100", "clips=98/100").replace("in=h264", "in=ffv1")
        + "|fid=clean:6726825d:7350f:a1b2c3|seeds=3|tfw=0.3.0"
    )
    assert differences(one, other) == []
    windows = [_signed(f"fvd=tfw-16:0b5f1c2a:{n}w:a1b2c3") for n in (2300, 23)]
    assert differences(*windows) == []


def test_the_part_that_differs_is_named():
    one = _signed("fid=clean:6726825d:7500f:a1b2c3")
    resized = _signed("fid=pytorch-fid:6726825d:7500f:a1b2c3")
    assert differences(one, resized) == [
        "fid=clean:6726825d:nf:a1b2c3 ≠ fid=pytorch-fid:6726825d:nf:a1b2c3"
    ]
    listed = _signed("fid=clean:6726825d:7500f:a1b2c3", HEAD.replace("12345678", "87654321"))
    assert differences(one, listed) == ["list=hdtf-100:12345678 ≠ list=hdtf-100:87654321"]
    assert differences(one, _signed("fid=clean:6726825d:7500f:a1b2c4"))
    assert differences(one, Signature.parse(HEAD + "|seeds=1")) == [
        "fid=clean:6726825d:nf:a1b2c3 ≠ nothing"
    ]


def test_weights_whose_hashes_look_like_counts_stay_apart():
    for form in ("fid=clean:{}:75f:a1b2c3", "csim=r100:{}:a1b2c3", "tje={}:a1b2c3"):
        one, other = (_signed(form.format(sha8)) for sha8 in ("1234567f", "9234567f"))
        assert len(differences(one, other)) == 1


def test_merged_says_common_parts_once_and_the_rest_side_by_side():
    line = str(merged([_signed("fid=clean:a:75f:a1b2c3"), _signed("ssim=rgb-gaussian:f1s1")]))
    assert line == f"{HEAD}|fid=clean:a:75f:a1b2c3|ssim=rgb-gaussian:f1s1|seeds=1|tfw=0.2.0"
    assert merged([]) == Signature(())


def test_parts_are_found_by_name_and_text_comes_back():
    signature = _signed("ssim=rgb-gaussian:f1s1")
    assert signature.part("list") == "hdtf-100:12345678"
    assert signature.part("fid") is None
    assert Signature.parse(str(signature)) == signature
