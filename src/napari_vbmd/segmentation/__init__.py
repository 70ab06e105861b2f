"""From a scan to a mask: methods by name, and what may be done to a mask afterwards."""
