"""The one hierarchy of errors.

Everything a user can cause derives from `HccError`; the command line prints it as one line,
`hcc: error: <message>`, and exits with status 2. A message names the file, the place and the
fact, in lower case and without a full stop. Whatever is not an `HccError` is a bug of ours.
"""

from __future__ import annotations


class HccError(Exception):
    """A fact about the user's input that stops the work: bad file, bad option, bad program."""


class FormatError(HccError):
    """A file is not what its name or its header claims: truncated, altered, foreign."""


class UnsupportedError(HccError):
    """The input is legitimate and hcc does not do it; the message names the feature."""
