"""Scripts that make the project's generated files; each says what it writes."""
