"""Many patients: the tables that name them, and what is done with all of them."""
