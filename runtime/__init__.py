"""Loading, the OS personality, migration, checkpoints, workloads, reports, the command line."""
