"""What parameters want: read from how the code uses them, and learned from calls."""
