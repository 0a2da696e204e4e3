"""State files: what frames found, as plain JSON for people and tools that read files.

Every fund has a folder with one set of documents (`documents/`), all of one frame. A set is written whole beside the
one before it and then put in its place (`writer`), so that no reader ever sees a half of it.
"""

from __future__ import annotations
