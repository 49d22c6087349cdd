"""What the recipes train maps whole once it is int8: found out on untrained nets, before a day goes into one."""

from benchmarks.edgetpu import int8
from convert.edgetpu import predict, read_rules
from convert.graph import read_operators
from convert.quiet import quiet_tensorflow


def test_the_face_detector_and_the_default_classifier_s_net_run_whole_on_an_edge_tpu():
    with quiet_tensorflow():
        from train.models import build_logits, with_softmax
        from train.models.face_detector import Options, build, with_scores

        detector = build(Options(width=0.3, channels=(16, 24, 24, 32), repeats=(1, 1, 1, 1), head=16), (64, 64), 1)
        classifier = build_logits("mobilenet_v2", {"width": 0.35, "stem_stride": 1}, 7, 24, 1)
        nets = [with_scores(detector), with_softmax(classifier)]
    for net in nets:
        prediction = predict(read_operators(int8(net), net.name), read_rules())
        assert prediction.first is None
        assert len(prediction.fates) > 30
