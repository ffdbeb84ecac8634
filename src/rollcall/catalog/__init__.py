"""One schema of what providers serve; how ids are read; what is newer; what other lists add."""
