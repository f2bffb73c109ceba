"""The model works as pinned, and anything else is refused before it is used."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agentcore.ml import embeddings, manifest
from agentcore.ml.embeddings import EmbeddingModel, ModelError, read_safetensors
from agentcore.ml.manifest import DataFileError, pinned


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    return EmbeddingModel.load()


def test_vectors_are_of_unit_length_and_meaningful(model: EmbeddingModel) -> None:
    vectors = model.embed(
        ["The cat sits on the mat.", "A kitten is on the rug.", "Interest rates rose sharply."]
    )
    assert vectors.shape == (3, 256)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1


def test_a_text_embeds_alike_alone_and_in_a_batch(model: EmbeddingModel) -> None:
    texts = ["one", "a much longer text about contracts and their clauses", "é 日本 🙂"]
    together = model.embed(texts)
    for text, row in zip(texts, together, strict=True):
        assert np.array_equal(model.embed([text])[0], row)


def test_the_empty_text_is_the_zero_vector(model: EmbeddingModel) -> None:
    assert not model.embed([""]).any()


def test_the_self_test_refuses_another_model(model: EmbeddingModel) -> None:
    matrix = np.asarray(model._matrix).copy()
    matrix[1000:20000] *= np.float16(-1)
    other = EmbeddingModel(model.source, matrix, model._tokenizer)
    with pytest.raises(ModelError, match="self-test vector is off"):
        other.self_test()


def test_a_flipped_byte_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pinned(embeddings.MODEL)
    copy = tmp_path / source.package
    copy.mkdir()
    (copy / "__init__.py").write_text("raise SystemExit('the package must not be imported')")
    for path in source.files.values():
        target = copy / path.parent.name / path.name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    monkeypatch.setattr(manifest, "_folder", lambda _package: copy)
    assert pinned(embeddings.MODEL).files["weights"].is_relative_to(tmp_path)
    weights = copy / "weights" / source.files["weights"].name
    content = bytearray(weights.read_bytes())
    content[5_000_000] ^= 1
    weights.write_bytes(content)
    with pytest.raises(DataFileError, match="SHA-256 is") as caught:
        EmbeddingModel.load()
    assert not caught.value.absent
    weights.write_bytes(content[:-1])
    with pytest.raises(DataFileError, match="bytes, not 16384096"):
        EmbeddingModel.load()
    weights.unlink()
    with pytest.raises(DataFileError) as caught:
        EmbeddingModel.load()
    assert caught.value.absent


def test_the_data_packages_are_never_imported() -> None:
    code = (
        "import sys; from agentcore.ml.embeddings import EmbeddingModel as M; M.load();"
        "from agentcore.agents.lawyer.licenses import identify; identify('x '*50);"
        "bad = {'wordllama', 'licenseid', 'huggingface_hub', 'requests'} & set(sys.modules);"
        "sys.exit(repr(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "content",
    [b"", b"\1", struct.pack("<Q", 10**12), *(struct.pack("<Q", 2) + x for x in (b"{}", b"[["))],
)
def test_a_malformed_safetensors_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="cannot read tensor"):
        read_safetensors(path, "embedding.weight")
