"""Packed model files carry standard metadata and labels, and answer as before."""

import io
import zipfile

import flatbuffers.number_types
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers.table import Table

from convert.errors import GraphError
from convert.flatbuffer import rewritten
from convert.graph import read_graph
from convert.metadata import Description, labels_in, with_metadata
from edge_runtime.interpreter import Model
from edge_runtime.labels import FER2013
from tests.convert.made import made_up_pixels

FACES = made_up_pixels(20, seed=5)
DESCRIPTION = Description("tiny", "Expressions.", "Apache-2.0", 48, 1, FER2013)


@pytest.fixture(scope="module")
def described(int8):
    return with_metadata(int8, DESCRIPTION)


class Reader:
    """A table of a FlatBuffer, read by slot as the schema counts them: a reader of its own, not the writer's code."""

    def __init__(self, content, position):
        self.table = Table(content, position)

    def _at(self, slot):
        offset = self.table.Offset(4 + 2 * slot)
        return self.table.Pos + offset if offset else None

    def text(self, slot):
        return self.table.String(self._at(slot)).decode()

    def number(self, slot, kind):
        at = self._at(slot)
        return 0 if at is None else self.table.Get(kind, at)

    def child(self, slot):
        return Reader(self.table.Bytes, self.table.Indirect(self._at(slot)))

    def children(self, slot):
        offset = self.table.Offset(4 + 2 * slot)
        start, count = self.table.Vector(offset), self.table.VectorLen(offset)
        return [Reader(self.table.Bytes, self.table.Indirect(start + 4 * index)) for index in range(count)]

    def floats(self, slot):
        offset = self.table.Offset(4 + 2 * slot)
        start, count = self.table.Vector(offset), self.table.VectorLen(offset)
        return np.frombuffer(self.table.Bytes, "<f4", count, start).tolist()


def buffers(content, name):
    model = schema.Model.GetRootAs(content, 0)
    entries = [model.Metadata(index) for index in range(model.MetadataLength())]
    return [model.Buffers(entry.Buffer()).DataAsNumpy().tobytes() for entry in entries if entry.Name() == name]


def test_answers_are_the_same_to_the_last_bit(int8, described):
    before, after = Model(int8), Model(described)
    for face in FACES:
        assert np.array_equal(before.run(face[None]), after.run(face[None]))
    assert read_graph(int8, "a").tensors == read_graph(described, "b").tensors


def test_zipfile_opens_the_labels(described):
    with zipfile.ZipFile(io.BytesIO(described)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["labels.txt"]
        assert archive.infolist()[0].compress_type == zipfile.ZIP_STORED
        assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)
    assert labels_in(described) == FER2013.names


def test_metadata_says_what_goes_in_and_comes_out(described):
    (content,) = buffers(described, b"TFLITE_METADATA")
    assert content[4:8] == b"M001"
    root = Reader(content, int.from_bytes(content[:4], "little"))
    byte, unsigned = flatbuffers.number_types.Int8Flags, flatbuffers.number_types.Uint32Flags
    assert [root.text(slot) for slot in (0, 1, 5, 7)] == ["tiny", "Expressions.", "Apache-2.0", "1.0.0"]
    (subgraph,) = root.children(3)
    (pixels,), (probabilities,) = subgraph.children(2), subgraph.children(3)

    assert pixels.text(0) == "pixels"
    assert "48 × 48 px, grey" in pixels.text(1)
    assert pixels.child(3).number(0, byte) == 2  # ImageProperties
    image = pixels.child(3).child(1)
    assert image.number(0, byte) == 2  # GRAYSCALE
    assert [image.child(1).number(slot, unsigned) for slot in (0, 1)] == [48, 48]
    (unit,) = pixels.children(4)
    assert unit.number(0, byte) == 1  # NormalizationOptions
    assert (unit.child(1).floats(0), unit.child(1).floats(1)) == ([0.0], [1.0])

    assert probabilities.text(0) == "probabilities"
    (labels,) = probabilities.children(6)
    assert labels.text(0) == "labels.txt"
    assert labels.number(2, byte) == 2  # TENSOR_AXIS_LABELS


def test_converters_own_metadata_stays(int8, described):
    for name in (b"min_runtime_version", b"CONVERSION_METADATA"):
        assert buffers(described, name) == buffers(int8, name) != []


def test_same_description_gives_the_same_bytes(int8, described):
    assert with_metadata(int8, DESCRIPTION) == described


def test_contents_of_tensors_are_aligned(described):
    model = schema.Model.GetRootAs(described, 0)
    places = []
    for index in range(model.BuffersLength()):
        buffer = model.Buffers(index)
        if not buffer.DataIsNone():
            places.append(buffer._tab.Vector(buffer._tab.Offset(4)) % 16)
    assert len(places) > 5
    assert set(places) == {0}


def test_rewriting_writes_equal_vectors_once_and_changes_nothing_else(int8):
    plain = schema.ModelT.InitFromPackedBuf(int8, 0)
    builder = flatbuffers.Builder(1024)
    builder.Finish(plain.Pack(builder), b"TFL3")
    content = bytes(builder.Output())
    assert len(rewritten(content)) < len(content)
    assert rewritten(content) == int8, "converted models are written so"
    assert rewritten(content) == rewritten(rewritten(content))
    assert read_graph(rewritten(content), "a").tensors == read_graph(content, "b").tensors
    before, after = Model(content), Model(rewritten(content))
    assert all(np.array_equal(before.run(face[None]), after.run(face[None])) for face in FACES)


def test_second_metadata_and_missing_labels_are_refused(int8, described):
    with pytest.raises(GraphError, match="a model with TFLite metadata"):
        with_metadata(described, DESCRIPTION)
    with pytest.raises(GraphError, match=r"labels\.txt"):
        labels_in(int8)
