"""Density and agreement: accumulators, and the numbers that they give."""
