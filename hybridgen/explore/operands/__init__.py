"""What code compared its input with, seen at run time, turned into better inputs."""
