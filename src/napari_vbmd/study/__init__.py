"""Many patients: the manifest that names them, and what is done with all of them."""
