"""Asking and answering: asks, the one form, drafts, submissions, review, refusals."""
