"""The folder of a bundle of any kind: its members and manifest, read once, hashed, and refused where a byte is wrong.

Members are read once, hashed, and those same bytes are handed on: a model file with one flipped bit still loads and
answers wrongly. The manifest is canonical JSON and holds the hash of itself, so a change of any byte of any member is
noticed. The hash guards against damage, not against somebody who rewrites it on purpose.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_runtime.errors import BundleError
from edge_runtime.preprocess import PREPROCESS_VERSION

__all__ = [
    "CLASSIFIER",
    "COMMON_KEYS",
    "DEFAULT_BUNDLE",
    "FACE_DETECTOR",
    "FORMAT_VERSION",
    "GOLDEN",
    "KINDS",
    "MANIFEST",
    "MODEL",
    "SHIPPED",
    "Members",
    "canonical_json",
    "is_shipped",
    "kind_of",
    "read_members",
    "shipped_bundles",
    "with_own_hash",
]

FORMAT_VERSION = 1
CLASSIFIER = "classifier"
FACE_DETECTOR = "face_detector"
"""The `kind` of a bundle that classifies crops of faces, and of one that finds them."""
KINDS = CLASSIFIER, FACE_DETECTOR

MODEL, MANIFEST, GOLDEN = "model.tflite", "manifest.json", "golden.npz"
SHIPPED = Path(__file__).parent / "bundles"
DEFAULT_BUNDLE = "ferplus"
"""The shipped classifier that is meant where none is named."""

MAX_MEMBER_BYTES = 512 * 1024 * 1024
COMMON_KEYS = ("format", "kind", "arithmetic", "name", "preprocess", "members", "licence", "sha256")
"""What the manifest of every bundle has."""


@dataclass(frozen=True)
class Members:
    """The verified members of a bundle of any kind.

    Attributes:
        folder: where it lies.
        sha256: of the manifest, which names the whole bundle.
        manifest: what it says.
        contents: the bytes of every other member, by name.
    """

    folder: Path
    sha256: str
    manifest: Mapping[str, Any]
    contents: Mapping[str, bytes]


def shipped_bundles(*kinds: str) -> list[str]:
    """Names of the bundles of some of KINDS, or else of the classifiers, that come with the package."""
    names = sorted(path.parent.name for path in SHIPPED.glob(f"*/{MANIFEST}"))
    return [name for name in names if kind_of(name) in (kinds or (CLASSIFIER,))]


def is_shipped(name: str | Path) -> bool:
    """Whether a bundle of this name, of any kind, comes with the package."""
    return Path(name).name == str(name) and (SHIPPED / name / MANIFEST).is_file()


def kind_of(name_or_path: str | Path) -> str:
    """What a bundle's manifest calls itself, "classifier" where it says nothing. Whether it is right is for its reader to say.

    Args:
        name_or_path: the name of a shipped one, or its folder.
    """
    folder = SHIPPED / name_or_path if is_shipped(name_or_path) else Path(name_or_path)
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return CLASSIFIER
    return str(manifest.get("kind", CLASSIFIER)) if isinstance(manifest, dict) else CLASSIFIER


def read_members(name_or_path: str | Path, kind: str, required: Sequence[str]) -> Members:
    """Reads and verifies a bundle of one kind.

    Args:
        name_or_path: the name of a shipped one, or its folder.
        kind: what it must be: "classifier" or "face_detector".
        required: the keys that its manifest must have.

    Raises:
        BundleError: as `read_bundle`, but for what only classifiers have.
    """
    folder = _folder(name_or_path, kind)
    manifest, sha256 = _manifest(folder, kind, required)
    present = {path.name for path in folder.iterdir()}
    listed = {*manifest["members"], MANIFEST}
    for name in sorted(listed - present):
        raise BundleError(
            f"{folder}: no member {name}", f"the members {', '.join(sorted(listed))}", "copy the bundle again"
        )
    for name in sorted(present - listed):
        raise BundleError(f"{folder}: extra member {name}", f"only {', '.join(sorted(listed))}", f"remove {name}")
    contents = {name: _member(folder, name, facts) for name, facts in manifest["members"].items()}
    for name in (MODEL, GOLDEN):
        if name not in contents:
            raise BundleError(
                f"{folder}: a manifest without {name}", f"{MODEL} and {GOLDEN} as members", "pack the bundle again"
            )
    return Members(folder, sha256, manifest, contents)


def canonical_json(manifest: Mapping[str, Any]) -> bytes:
    """The one way in which a manifest is written, so that its bytes can be compared."""
    return (json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def with_own_hash(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with `sha256` set to the hash of all the rest of it."""
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return {**rest, "sha256": hashlib.sha256(canonical_json(rest)).hexdigest()}


def _folder(name_or_path: str | Path, kind: str) -> Path:
    if is_shipped(name_or_path):
        return SHIPPED / name_or_path
    folder = Path(name_or_path)
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise BundleError(
            f"bundle {str(name_or_path)!r}, which {found}",
            f"a folder with {MANIFEST}, or one of {', '.join(shipped_bundles(kind)) or 'none shipped'}",
            "check the path",
        )
    return folder


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_MEMBER_BYTES:
            raise BundleError(f"{path}: {size} bytes", f"at most {MAX_MEMBER_BYTES}", "this is no member of a bundle")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise BundleError(
            f"{path.parent}: no member {path.name}",
            f"a bundle with {MANIFEST}, {MODEL} and {GOLDEN}",
            "copy the bundle again",
        ) from error
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}", "a readable file", "check its permissions") from error


def _manifest(folder: Path, kind: str, required: Sequence[str]) -> tuple[dict[str, Any], str]:
    data = _read(folder / MANIFEST)
    where = folder / MANIFEST
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{where}: not JSON ({error})", "an undamaged manifest", "copy the bundle again") from error
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise BundleError(
            f"{where}: no format version",
            "a manifest of a fer-edge bundle",
            "name a folder that `python -m convert pack` made",
        )
    # The version comes before the hash: a newer format may hash otherwise, and "damaged" would mislead.
    version = manifest["format"]
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise BundleError(
            f"{where}: bundle format {version}",
            f"at most {FORMAT_VERSION}",
            "upgrade fer-edge: pip install -U fer-edge",
        )
    # So does the kind: another kind has other keys, and nothing is wrong with it.
    found = manifest.get("kind")
    if found != kind and found in (CLASSIFIER, FACE_DETECTOR):
        raise BundleError(
            f"bundle {folder} of kind {found!r}",
            f"a {kind}",
            "give it to --bundle" if found == CLASSIFIER else f"give it to --detector: tflite:{folder}",
        )
    missing = [key for key in required if key not in manifest]
    if missing:
        raise BundleError(f"{where}: no key {missing[0]!r}", f"the keys {', '.join(required)}", "pack it again")
    # Another spelling of the same JSON (a space, "\u0061") would hash alike after parsing, so the bytes are compared.
    try:
        canonical = canonical_json(manifest) == data and with_own_hash(manifest)["sha256"] == manifest["sha256"]
    except (ValueError, UnicodeEncodeError):
        canonical = False
    if not canonical:
        raise BundleError(
            f"{where}: its bytes do not match its own sha256",
            "an undamaged manifest",
            "copy the bundle again; edits need `python -m convert pack`",
        )
    if version != FORMAT_VERSION:
        raise BundleError(f"{where}: bundle format {version!r}", f"{FORMAT_VERSION}", "pack the bundle again")
    if not isinstance(manifest["members"], dict):
        raise BundleError(
            f"{where}: members {manifest['members']!r}",
            "a table of names with bytes and sha256",
            "pack the bundle again",
        )
    if manifest["preprocess"] != PREPROCESS_VERSION:
        raise BundleError(
            f"{where}: preprocessing version {manifest['preprocess']!r}",
            f"{PREPROCESS_VERSION}, which this fer-edge has",
            "use the fer-edge that the bundle was made for, or pack it again",
        )
    return manifest, hashlib.sha256(data).hexdigest()


def _member(folder: Path, name: str, facts: Any) -> bytes:
    if Path(name).name != name or not isinstance(facts, dict) or set(facts) != {"bytes", "sha256"}:
        raise BundleError(
            f"{folder}: member {name!r} with {facts!r}",
            "a plain file name with bytes and sha256",
            "pack the bundle again",
        )
    data = _read(folder / name)
    if len(data) != facts["bytes"]:
        raise BundleError(f"{folder / name}: {len(data)} bytes", f"{facts['bytes']}", "copy the bundle again")
    found = hashlib.sha256(data).hexdigest()
    if found != facts["sha256"]:
        raise BundleError(
            f"{folder / name}: sha256 {found[:12]}…",
            f"{facts['sha256'][:12]}…",
            "the file is damaged: copy the bundle again",
        )
    return data
