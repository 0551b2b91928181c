"""Recording: answers and changes of classes are checked and added to their logs."""
