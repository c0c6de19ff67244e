"""Makes the tests that were chosen plainer, without changing what they are for."""
