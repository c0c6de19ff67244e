"""The world around a call: clock, chance, environment, streams, other programs and machines."""
