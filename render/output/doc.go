// Package output decides which files of a folder are scaffold's and writes a
// tree of files there without ever losing a file of the user's.
//
// It knows nothing of blueprints, packs or providers: it gets paths and bytes.
// It may import the standard library, golang.org/x/..., gofrs/flock and
// rogpeppe/go-internal/diff, and no other package of this module.
//
// # Ownership
//
// The manifest, [ManifestName], lists every file scaffold wrote with the hash
// of its content. A file that still has that hash is scaffold's to change and
// to remove. A file with another hash was edited, a file that is not listed is
// foreign: neither is changed unless the caller forces it, and a foreign file
// that no rendered path wants is not looked at at all. A file that already has
// the bytes to be written is simply taken over. Symbolic links are never
// followed: a link is foreign, wherever it leads.
//
// # What a kill leaves behind
//
// A write that is stopped at any moment (kill -9, a full disk) leaves the old
// tree or the new one. How depends on the folder:
//
//   - The folder is absent: the tree is built in a hidden folder next to it and
//     renamed into place. One system call, so old or new at every moment.
//   - The folder holds only scaffold's own files, on Linux or macOS: the tree is
//     built next to it, unchanged files as hard links, and the two folders are
//     exchanged by one system call. Old or new at every moment.
//   - Anything else: the folder holds foreign files (.terraform, a state file),
//     is the working directory, or the system cannot exchange folders. New files
//     are staged inside the folder, a commit record makes the decision, then
//     each file is renamed into place. A kill before the record leaves the old
//     tree. A kill after it leaves a mix that every function of this package
//     finishes before it does anything else, so whoever reads through this
//     package sees old or new; somebody who reads the folder by other means
//     between the kill and the next run of scaffold can see the mix.
//
// Foreign files are the reason not to exchange folders always. A running
// Terraform has the folder open and creates its state in it by name: a folder
// exchanged under it would lose that state. So a folder with anything foreign
// stays the same folder, and nothing foreign is moved, linked or copied.
//
// After a power failure the same holds as far as the file system keeps order:
// contents are flushed before the exchange, or before the commit record.
//
// # Two at once
//
// Every function holds a lock on the parent of the folder (the directory
// itself is locked, so that no lock file is left lying around). A second one
// waits, and gives up with a [LockedError] after a while.
package output
