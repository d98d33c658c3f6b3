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
//     again. Each is applied once: when the answer to a commit is lost, the
//     client finds out what became of it (kv.WithExactlyOnce).
//   - atomic, dir, display, getkey, getestimatedrangesize, watch and history are
//     Plinth's own commands, status prints Plinth's own facts.
//   - A word, or its end, may be written as a tuple: get \("user", 42).
//   - Commands for clusters answer with one line that says what is missing.
//
// A verb returns a reply, which has a text for people and a result for scripts:
// with Config.JSON the session prints one line of JSON for each command.
//
// Invariants:
//
//	H1  Parse(Quote(words)) is words again.
//	H2  A command that failed in a transaction because of the store has ended
//	    the transaction, and said so; a command that was only misused has not.
//	H3  RunScript runs nothing after the first command that failed.
//	H4  With Config.JSON each command that was run prints exactly one line on
//	    the output, a JSON object, and nothing else is printed there.
//	H5  A key that is printed as a tuple can be entered as it is printed, and is
//	    the same key.
package shell
