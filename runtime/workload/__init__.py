"""Workloads: what FireMarshal does, for fat binaries.

To read it: `schema` (what may be said, and how it is inherited), `documents`, `values` and `spec`
(one file), `chain` (inheritance); `graph` and `hashes` (a small make), `plan` with `programs`,
`host` and `images` (what is built); `tasks`, `matrix` and `launch` (what is run), `jobs`,
`children`, `switch`, `machine` and `console` (how); `compare` and `testing`, `manifest`,
`install`. `session` is one command at work.
"""
