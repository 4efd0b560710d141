"""Values that an owner pushes as a file: taken in at once, checked and recorded by a job.

`service` takes a file in and shows what became of it; `reading` and `texts` make
rows of its bytes, `staging` puts them into the database; the job sorts them out
(`sorting`, with the rules of `judging` and `subjects`) and records what is right,
region by region (`working`). What is wrong is reported row by row, never half-stored.
"""
