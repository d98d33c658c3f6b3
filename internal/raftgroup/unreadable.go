package raftgroup

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

// recoverLocked is deferred around every use of Raft. It ends the replica if
// Raft panicked over an entry that could not be read. Raft's state is then
// undefined, but it is never used again.
func (g *Group) recoverLocked() {
	switch p := recover().(type) {
	case nil:
	case *unreadable:
		g.failLocked(p.err)
	default:
		panic(p)
	}
}
