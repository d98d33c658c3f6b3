// Package sequencer hands out versions: the one order that everything in the
// store follows.
//
// The core (Allocator) decides versions from the last one, the committed one
// and a reading of the clock; it has no I/O, no goroutine and no clock of its
// own. The shell (Sequencer) guards it with a lock, reads the clock, remembers
// the last answer to each proxy and carries metadata changes.
//
// Invariants, cited by assertions and tests:
//
//	S1  A version is handed out once, with the one handed out before it. The
//	    answers thus form one unbroken chain that starts at the floor.
//	S2  Versions grow by at least 1 and at most wire.MaxVersionStep.
//	S3  No version beyond committed + wire.WindowVersions is handed out: who
//	    asks for one waits until a commit is reported.
//	S4  A repeated request gets the same answer again.
//	S5  A metadata change is bound to exactly one version, the next one handed
//	    out after the change was accepted, and every proxy is given it before,
//	    or together with, its first version that is not below that one.
//	S6  Metadata changes are fenced: one with an older controller term, or with
//	    another map version than it expects, changes nothing.
package sequencer
