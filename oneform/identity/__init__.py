"""Who uses oneform, how they prove it, and how far they reach."""
