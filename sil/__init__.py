"""Software in the loop: the world a constellation flies in, and the ways to run it. Nothing here is flight code."""
