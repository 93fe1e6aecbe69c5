import Glibc

/// Why the system refused a call, in words: what the call needed, what it met, and what helps.
package struct Refusal {
  /// What the call needed.
  package let expected: String
  /// What it met.
  package let got: String
  /// What helps, where that is known.
  package let hint: String?

  /// `code` is an errno.
  package init(_ code: Int32) {
    (expected, got, hint) =
      switch code {
      case ENOSPC:
        ("free space", "a full disk", "remove files from that file system, or use another one")
      case EDQUOT:
        ("free space", "a quota that is used up", "remove files that count towards it, or have it raised")
      case EROFS:
        ("a file system to write to", "a read-only one", "have it mounted for writing, or use another one")
      case EACCES, EPERM:
        ("permission", "none", "see with ls -ld whom the file and the directories above it belong to")
      case ENOENT:
        ("an existing file or directory", "nothing of that name", nil)
      case ENOTDIR:
        ("a path through directories", "a file on the way", nil)
      case EIO:
        ("a disk that answers", "an input/output error", "the disk may be failing: see the system's log with dmesg")
      case EMFILE, ENFILE:
        ("a free descriptor", "too many open files", "raise the limit with ulimit -n")
      case EISDIR:
        ("a file", "a directory", "name a file")
      case ENAMETOOLONG:
        ("a shorter path", "one that is too long for the file system", nil)
      case EFBIG:
        ("a file within the limit on its size", "one that would exceed it", "raise the limit with ulimit -f")
      case ESTALE:
        ("the file or directory that was opened", "one that its file server no longer has", nil)
      case EEXIST:
        ("a name that is free", "one that is taken", nil)
      case ENOTEMPTY:
        ("an empty directory", "one in which another program makes files", nil)
      case ELOOP:
        ("a file or directory", "a symbolic link", nil)
      case EAGAIN, ENOMEM:
        ("memory or a free thread", "none", "see the limits with ulimit -a")
      default:
        ("the system to do it", quoted(String(cString: strerror(code))), nil)
      }
  }
}
