"""Promises that our adapters call what vendors publish: compared with their sources as `benchmarks.vendor_contract` wrote them down."""

import ast
import inspect
import json

import pytest

from benchmarks.vendor_contract import class_of, libedgetpu
from devices.accelerators.edgetpu import EdgeTpu
from devices.cameras import pi
from devices.spec import parse_accelerator
from edge_runtime.interpreter import find_implementation
from tests.support import ROOT

VENDOR = ROOT / "tests/devices/vendor"
PICAMERA2 = json.loads((VENDOR / "picamera2.json").read_text())
LIBEDGETPU = json.loads((VENDOR / "libedgetpu.json").read_text())
# What stands for which of the vendor's classes in our adapter.
RECEIVERS = {
    "self._camera": "Picamera2",
    "camera": "Picamera2",
    "picamera2.Picamera2": "Picamera2",
    "_import_picamera2().Picamera2": "Picamera2",
    "request": "CompletedRequest",
}


def uses(text):
    """(class, member, keywords of the call or None) of everything that the adapter does with the vendor's objects."""
    tree = ast.parse(text)
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        receiver = ast.unparse(node)
        call = calls.get(id(node))
        if RECEIVERS.get(receiver) and call is not None:  # the class itself is called
            yield RECEIVERS[receiver], "__init__", [keyword.arg for keyword in call.keywords]
        owner = RECEIVERS.get(ast.unparse(node.value))
        if owner:
            yield owner, node.attr, None if call is None else [keyword.arg for keyword in call.keywords]


def broken(text, facts):
    """What the adapter uses and the vendor does not have."""
    found = []
    for owner, member, keywords in uses(text):
        known = facts["classes"][owner]
        if keywords is None:
            if member not in known["attributes"] and member not in known["methods"]:
                found.append(f"{owner}.{member}")
        elif member not in known["methods"]:
            found.append(f"{owner}.{member}()")
        else:
            found += [f"{owner}.{member}({word}=)" for word in keywords if word not in known["methods"][member]]
    return found


def test_every_call_of_the_camera_adapter_is_in_picamera2s_published_source():
    text = inspect.getsource(pi)
    called = {member for _, member, keywords in uses(text) if keywords is not None}
    assert called >= {
        "__init__",
        "global_camera_info",
        "create_video_configuration",
        "configure",
        "camera_configuration",
        "start",
        "capture_request",
        "make_array",
        "get_metadata",
        "release",
        "stop",
        "close",
    }
    assert broken(text, PICAMERA2) == []
    assert "Picamera2" in PICAMERA2["exports"]


@pytest.mark.parametrize(
    "change", [("buffer_count=", "buffers="), (".capture_request()", ".capture_frame()"), ("camera_num=", "number=")]
)
def test_a_renamed_method_or_parameter_would_be_noticed(change):
    assert len(broken(inspect.getsource(pi).replace(*change), PICAMERA2)) == 1


def test_the_format_that_we_ask_for_is_blue_green_red_in_memory():
    assert PICAMERA2["order_in_memory"][pi._BGR_IN_MEMORY] == "BGR"


def test_parameters_are_read_from_a_class_as_they_stand_there():
    text = (
        "class A:\n    def f(self, x, *, y=1): self.z = 2\n    @property\n    def p(self): ...\n    def _g(self): ...\n"
    )
    assert class_of(text, "A") == {"methods": {"f": ["x", "y"]}, "attributes": ["p", "z"]}


@pytest.mark.parametrize(
    "text", ["edgetpu", "edgetpu:usb", "edgetpu:pci:1", "edgetpu::0", "edgetpu:usb:0?performance=low"]
)
def test_every_option_for_the_edge_tpu_is_documented_in_its_librarys_source(text):
    spec = parse_accelerator(text)
    options = dict(EdgeTpu(spec.target, spec.options).delegate().options)
    device = options.pop("device", "")
    kind, colon, _ = device.partition(":")
    assert (f"{kind}:<index>" if colon else kind) in LIBEDGETPU["devices"]
    for name, value in options.items():
        assert value in LIBEDGETPU["options"][name]
        assert colon, "libedgetpu passes options on only together with a device's number"


def test_documented_options_are_read_from_a_source_as_they_stand_there():
    text = (
        '// Recognized input options:\n//   "device", possible values:\n//     ""     -- any\n//     "usb"  -- usb\n'
        '//   "Speed": ["Low", "Max"] (Default is "Max")\nEDGETPU_EXPORT TfLiteDelegate* create_it(\n    char** keys) {}\n'
    )
    facts = libedgetpu(text, "abc")
    assert (facts["devices"], facts["options"], facts["symbols"]) == (
        ["", "usb"],
        {"Speed": ["Low", "Max"]},
        ["create_it"],
    )


def test_the_installed_interpreter_takes_delegates_as_we_hand_them_over():
    implementation = find_implementation()
    assert list(inspect.signature(implementation.load_delegate).parameters) == ["library", "options"]
    parameters = inspect.signature(implementation.factory.__init__).parameters
    assert {"model_content", "num_threads", "experimental_delegates"} <= set(parameters)
    # Its loader calls the two functions that the Edge TPU's library exports.
    source = inspect.getsource(inspect.getmodule(implementation.load_delegate))
    assert all(symbol in source for symbol in LIBEDGETPU["symbols"])
