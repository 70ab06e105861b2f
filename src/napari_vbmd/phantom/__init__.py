"""Synthetic scans with a known answer. They return arrays; the faces write them."""
