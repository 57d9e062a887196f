"""The static JSON API: files under `api/v1/` that say what `--json` says; see `docs/json-api.md`.

Fields may be added, never changed. Bytes are deterministic: a fixed order of fields, UTF-8, one
line. Documents of an entry or a version tell nothing of the newest commit or the build, so that
one commit does not rewrite them all.
"""
