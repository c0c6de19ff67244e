"""Values to call code with, as source text: by type, pattern, structure, and the code itself."""
