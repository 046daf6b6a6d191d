"""Software in the loop: the world a constellation flies in, and the ways to run it; no flight code."""
