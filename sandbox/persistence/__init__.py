"""What survives the process: snapshots, the data file, one file that is whole at any moment."""
