"""Text as one word of a shell's language: the one place that quotes."""

from __future__ import annotations


def quoted(text: str, language: str = "sh") -> str:
    """Return `text` as one literal word of csh, fish, nu, pwsh, or sh and its like."""
    match language:
        case "fish":
            escaped = text.replace("\\", "\\\\").replace("'", "\\'")
            return f"'{escaped}'"
        case "pwsh":  # it takes typographic quotes for quotes
            return (
                "'" + "".join(c * 2 if c in "'\u2018\u2019\u201a\u201b" else c for c in text) + "'"
            )
        case "nu":
            marks = "#"
            while f"'{marks}" in text:
                marks += "#"
            return f"r{marks}'{text}'{marks}"
        case "csh":  # where `!` means history even inside quotes
            return quoted(text, "sh").replace("!", "\\!")
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"
