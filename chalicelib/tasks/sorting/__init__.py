"""What only the sort task needs: JSON arrays of numbers, checked and sorted."""
