"""Does a bureau's wording find the field that means it? Recall and latency of `catalog.similarity`."""
