"""The one form as a page: questions, what was typed into them, checking, sending."""
