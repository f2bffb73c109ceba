"""Turns texts into vectors with a small static model: tokenize, look up, average, normalize.

The model is WordLlama's l2_supercat at 256 dimensions (MIT): 32,000 token vectors in half
precision. A vector costs microseconds and no framework beyond NumPy. Before first use the
model must reproduce known similarities; if it does not, it is refused.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agentcore.errors import AgentCoreError
from agentcore.ml.manifest import Pinned, pinned

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["MODEL", "EmbeddingModel", "ModelError", "Vectors"]

MODEL = "l2-supercat-256"
Vectors = NDArray[np.float32]

# First eight components of the unit vector of this text, as the pinned files give them.
_SELF_TEST_TEXT = "The agreement is governed by the laws of England."
_SELF_TEST_VECTOR = (
    0.049560,
    -0.019884,
    -0.034134,
    0.082966,
    -0.024595,
    0.063134,
    -0.054965,
    0.146099,
)
_SELF_TEST_TOLERANCE = 1e-4


class ModelError(AgentCoreError):
    """The model's files are the pinned ones but do not work as they must."""

    code = "model"


class EmbeddingModel:
    """A loaded, self-tested model. Safe to use from several threads at once."""

    def __init__(self, source: Pinned, matrix: NDArray[np.float16], tokenizer: Tokenizer) -> None:
        self.source = source
        self._matrix = matrix
        self._tokenizer = tokenizer

    @classmethod
    def load(cls) -> EmbeddingModel:
        """Load the pinned model and prove it on the self-test vector.

        Raises:
            DataFileError: a file is absent or differs from the pinned one.
            ModelError: the files do not form a working model.
        """
        from tokenizers import Tokenizer

        source = pinned(MODEL)
        matrix = read_safetensors(source.files["weights"], "embedding.weight")
        if matrix.shape[1] != source.dimensions:
            raise ModelError(
                f"{matrix.shape[1]} dimensions",
                str(source.files["weights"]),
                str(source.dimensions),
            )
        tokenizer = Tokenizer.from_file(str(source.files["tokenizer"]))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        model = cls(source, matrix, tokenizer)
        model.self_test()
        return model

    def self_test(self) -> None:
        """Compare one vector with its known components.

        Raises:
            ModelError: they differ.
        """
        got = self.embed([_SELF_TEST_TEXT])[0][: len(_SELF_TEST_VECTOR)]
        worst = float(np.max(np.abs(got - np.asarray(_SELF_TEST_VECTOR, dtype=np.float32))))
        if not worst <= _SELF_TEST_TOLERANCE:
            raise ModelError(
                f"the self-test vector is off by {worst:.2g}",
                f"model {self.source.name}",
                f"at most {_SELF_TEST_TOLERANCE:g}",
            )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, shape (len(texts), dimensions).

        A text without any token gives the zero vector, which is similar to nothing.
        """
        out = np.zeros((len(texts), self.source.dimensions), dtype=np.float32)
        encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        for row, encoding in zip(out, encoded, strict=True):
            if encoding.ids:
                ids = np.minimum(encoding.ids, len(self._matrix) - 1)
                row[:] = self._matrix[ids].astype(np.float32).mean(axis=0)
                length = float(np.linalg.norm(row))
                if length > 0:
                    row /= length
        return out


def read_safetensors(path: Path, tensor: str) -> NDArray[np.float16]:
    """Map one half-precision tensor of a safetensors file into memory, read-only.

    The format: eight bytes of little-endian header length, a JSON header with ``dtype``,
    ``shape`` and ``data_offsets`` of each tensor, then the data.

    Raises:
        ModelError: the file is not of that format or has no such tensor.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > 1_000_000:
                raise ValueError(f"a header of {length} bytes")
            spec = json.loads(file.read(length))[tensor]
        if spec["dtype"] != "F16":
            raise ValueError(f"dtype {spec['dtype']}")
        start, end = spec["data_offsets"]
        shape = tuple(spec["shape"])
        if end - start != 2 * shape[0] * shape[1]:
            raise ValueError("offsets and shape disagree")
        return np.memmap(path, dtype="<f2", mode="r", offset=8 + length + start, shape=shape)
    except (struct.error, KeyError, ValueError, TypeError, IndexError) as error:
        raise ModelError(
            f"cannot read tensor {tensor!r}: {error}",
            str(path),
            "a safetensors file with it in F16",
        ) from None
