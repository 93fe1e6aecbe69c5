import MPI
import Problems

/// A problem ends the job with its own message and exit code.
extension Problem: JobError {}
