// Package shell is the command language of plinth shell: FoundationDB's fdbcli
// for the verbs that both have, with the same arguments, escapes and output, so
// that scripts and habits carry over.
//
// A Session runs lines of commands on a database and writes what they print.
// Two runners feed it: RunScript, for pipes and --exec, ends at the first
// error; Interact, for people at a terminal, goes on. A verb is one entry of
// the table in verbs.go and one function.
//
// Where it differs from fdbcli:
//
//   - Writing is on from the beginning; writemode off turns it off.
//   - A malformed line runs nothing at all, not even the commands before the
//     mistake.
//   - Outside of a transaction a command that meets a retryable error is run
//     again; its reads and its single write have the same effect twice as once.
//   - watch waits for a key to change, status is Plinth's own.
//
// Invariants:
//
//	H1  Parse(Quote(words)) is words again.
//	H2  A command that failed in a transaction because of the store has ended
//	    the transaction, and said so; a command that was only misused has not.
//	H3  RunScript runs nothing after the first command that failed.
package shell
