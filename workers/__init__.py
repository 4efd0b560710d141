"""RQ side of oneform: queues, jobs, the relay from the outbox, the schedule."""
