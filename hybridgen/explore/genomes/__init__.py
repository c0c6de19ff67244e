"""Genomes of the search: what calls are made of, how they are made, varied and written down."""
