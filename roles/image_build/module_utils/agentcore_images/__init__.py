"""Assembles container images from files: deterministic layers, content-addressed blobs, one record.

No daemon and no builder takes part. An image is a folder with an ``image.yml``; its layers are
sorted tars with a fixed time, its configuration is canonical JSON, its id is the hash of that.
The decision and what was refused: docs/adr/0002-images-assembled-from-files.md.
"""
