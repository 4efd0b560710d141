"""The audit trail: who did what, when. Written in the transaction of the deed itself."""
