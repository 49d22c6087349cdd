"""Prepared faces: one .npz that keeps everything."""

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import FaceSetError, OutputError
from edge_runtime.facesets import (
    FaceSet,
    open_faces,
    prepared,
    read_prepared,
    write_prepared,
)
from edge_runtime.labels import LabelSet


class TestPrepared:
    def test_faces_come_back_as_they_were(self, faces, tmp_path):
        write_prepared(faces, tmp_path / "f.npz")
        back = open_faces(tmp_path / "f.npz")
        assert back.sha256() == faces.sha256()
        assert np.array_equal(back.votes, faces.votes)
        assert back.splits.tolist() == faces.splits.tolist()
        assert open_faces(tmp_path / "f.npz", split="PublicTest").rows.tolist() == [2, 5]

    def test_a_label_set_of_ones_own_and_no_votes_come_back(self, tmp_path):
        mine = LabelSet("mine", ("calm", "not calm"))
        faces = FaceSet(
            np.zeros((2, 8, 8, 3), np.uint8), np.array([1, -1], np.int16), np.array(["a", "b"]), np.arange(2), mine
        )
        write_prepared(faces, tmp_path / "f.npz")
        assert read_prepared(tmp_path / "f.npz").label_set == mine
        assert read_prepared(tmp_path / "f.npz").votes is None

    def test_groups_come_back_and_faces_without_them_stay_readable_for_earlier_releases(self, faces, tmp_path):
        def version(path: Path) -> int:
            with np.load(path) as archive:
                return json.loads(str(archive["facts"]))["version"]

        groups = np.array(["F01", "F02", "F01", "M10", "M10", "F02"])
        write_prepared(replace(faces, groups=groups), tmp_path / "grouped.npz")
        back = read_prepared(tmp_path / "grouped.npz")
        assert back.groups.tolist() == groups.tolist()
        assert back.split("PublicTest").groups.tolist() == ["F01", "F02"]
        assert version(tmp_path / "grouped.npz") == 2
        write_prepared(faces, tmp_path / "f.npz")
        assert version(tmp_path / "f.npz") == 1
        assert read_prepared(tmp_path / "f.npz").groups is None

    def test_changed_groups_are_refused(self, faces, tmp_path):
        path = tmp_path / "f.npz"
        write_prepared(replace(faces, groups=np.array(list("aabbcc"))), path)
        with np.load(path) as archive:
            members = dict(archive)
        members["groups"] = members["groups"][::-1]
        np.savez(path, **members)
        with pytest.raises(FaceSetError, match="do not match its own sha256"):
            read_prepared(path)
        np.savez(path, **{name: array for name, array in members.items() if name != "groups"})
        with pytest.raises(FaceSetError, match="no groups"):
            read_prepared(path)

    def test_no_flipped_bit_changes_a_face_or_label(self, faces, tmp_path):
        path = tmp_path / "f.npz"
        write_prepared(faces.where(np.arange(2)), path)
        data, whole = path.read_bytes(), read_prepared(path)
        chance = random.Random(1)
        refused = 0
        # Half of them where the zip's own tables are: there a flip breaks the reader in most ways.
        for at in [chance.randrange(len(data)) for _ in range(300)] + [
            len(data) - 1 - chance.randrange(900) for _ in range(300)
        ]:
            damaged = bytearray(data)
            damaged[at] ^= 1 << chance.randrange(8)
            path.write_bytes(damaged)
            try:
                read = read_prepared(path)
            except FaceSetError:
                refused += 1
                continue
            assert read.sha256() == whole.sha256()
            assert np.array_equal(read.votes, whole.votes)
            assert read.splits.tolist() == whole.splits.tolist()
        assert refused > 400

    def test_a_header_that_is_no_python_is_damage_too(self, faces, tmp_path):
        path = tmp_path / "f.npz"
        for found, written in ((b"(6, 48, 48)", b"(6, 48, 48 "), (b"{'descr'", b"('descr'"), (b"'|u1'", b"'|u1\n")):
            write_prepared(faces, path)
            assert found in path.read_bytes()
            path.write_bytes(path.read_bytes().replace(found, written))
            with pytest.raises(FaceSetError, match=r"an undamaged \.npz"):
                read_prepared(path)

    @pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
    def test_a_file_cut_short_is_refused(self, faces, tmp_path, share):
        path = tmp_path / "f.npz"
        write_prepared(faces, path)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        with pytest.raises(FaceSetError):
            open_faces(path)

    def rewrite(self, path: Path, **changes) -> None:
        """Changes members of a prepared file, with a hash that is right again."""
        with np.load(path) as archive:
            members = dict(archive)
        facts = json.loads(str(members.pop("facts"))) | {
            key: value for key, value in changes.items() if key not in members
        }
        members |= {key: value for key, value in changes.items() if key in members}
        facts["sha256"] = prepared._sha256(facts, members)
        np.savez(path, facts=np.array(json.dumps(facts)), **members)

    def test_changed_pixels_are_refused_even_where_the_zip_agrees(self, faces, tmp_path):
        path = tmp_path / "f.npz"
        write_prepared(faces, path)
        with np.load(path) as archive:
            members = dict(archive)
        members["labels"] = members["labels"][::-1]
        np.savez(path, **members)
        with pytest.raises(FaceSetError, match="do not match its own sha256"):
            read_prepared(path)

    def test_a_newer_version_asks_for_an_upgrade(self, faces, tmp_path):
        write_prepared(faces, tmp_path / "f.npz")
        self.rewrite(tmp_path / "f.npz", version=3)
        with pytest.raises(FaceSetError, match="version 3 of prepared faces; expected at most 2; upgrade"):
            read_prepared(tmp_path / "f.npz")

    def test_labels_in_another_order_than_their_sets_are_refused(self, faces, tmp_path):
        write_prepared(faces, tmp_path / "f.npz")
        self.rewrite(tmp_path / "f.npz", label_set="affectnet8")
        with pytest.raises(FaceSetError, match="label set 'affectnet8' with"):
            read_prepared(tmp_path / "f.npz")

    def test_pickles_and_other_archives_are_refused(self, tmp_path):
        np.savez(tmp_path / "objects.npz", facts=np.array([{}], dtype=object))
        np.savez(tmp_path / "other.npz", weights=np.zeros(3))
        for name in ("objects.npz", "other.npz"):
            with pytest.raises(FaceSetError):
                open_faces(tmp_path / name)

    def test_what_cannot_be_written_leaves_what_was_there(self, faces, tmp_path):
        with pytest.raises(OutputError, match="No such file or directory"):
            write_prepared(faces, tmp_path / "no" / "f.npz")
        (tmp_path / "f.npz").mkdir()
        with pytest.raises(OutputError):
            write_prepared(faces, tmp_path / "f.npz")
        assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []
