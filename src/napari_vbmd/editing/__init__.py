"""What an annotator does to a mask: pure functions on arrays, which know no screen."""
