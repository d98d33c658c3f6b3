package raftgroup

import "github.com/plinthdb/plinth/internal/wire"

// unreadable says that an entry could not be read back from the write-ahead
// log. Raft's only answer to such an error of its storage is to panic with it;
// a failing disk must end the replica, not the program around it.
type unreadable struct {
	err error
}

// Error returns the text of the log's error.
func (u *unreadable) Error() string { return u.err.Error() }

// Unwrap returns the log's error.
func (u *unreadable) Unwrap() error { return u.err }

// broken says that Raft found its own state, or that of the other replicas,
// contradictory. That must end the replica as well, and not the program around
// it, which may hold others that are sound.
type broken struct {
	text string
}

func (b *broken) error() error {
	return wire.ErrInternal.With("raft has found its state broken: %s; the replica has ended, and so has to be opened again; "+
		"if that does not help restore the store from a backup or a replica", b.text)
}

// recoverLocked is deferred around every use of Raft. It ends the replica if
// Raft panicked over an entry that could not be read, or over its own state.
// Raft's state is then undefined, but it is never used again: a replica that has
// failed does nothing any more (G5). Other panics are the program's own mistakes.
func (g *Group) recoverLocked() {
	switch p := recover().(type) {
	case nil:
	case *unreadable:
		g.failLocked(p.err)
	case *broken:
		g.failLocked(p.error())
		g.retractLocked(g.mu.failed)
	default:
		panic(p)
	}
}

// retractLocked takes back what was to be sent and answered when the lock is
// given up: it may rest on the state that is broken.
func (g *Group) retractLocked(err error) {
	g.mu.outbox = nil
	for i := range g.mu.answers {
		g.mu.answers[i].result, g.mu.answers[i].err = nil, err
	}
}

// recoverBroken is deferred around the start of Raft, which verifies its state:
// nothing is under way yet.
func recoverBroken(err *error) {
	switch p := recover().(type) {
	case nil:
	case *unreadable:
		*err = p.err
	case *broken:
		*err = p.error()
	default:
		panic(p)
	}
}
