"""How large a spec may be. Above these a file is refused at once, with a sentence."""

from __future__ import annotations

from typing import Final

MAX_FILE_BYTES: Final = 16 * 1024 * 1024
"""Four times what 10,000 workloads take."""
MAX_INCLUDE_BYTES: Final = 1024 * 1024
"""A payload schema."""
MAX_FILES: Final = 2_000
"""Files in one folder or glob."""
MAX_DEPTH: Final = 64
"""Nested mappings and lists; a spec needs eight. The C composer recurses, so this also guards its stack."""
MAX_NODES: Final = 1_000_000
"""Keys and values in one file: about a second of work. 10,000 workloads have about 400,000."""
MAX_ALIAS_NODES: Final = 100_000
"""Keys and values that aliases may add by repetition."""
MAX_FINDINGS: Final = 500
"""Findings about the form of one run; one more says that there are others."""
