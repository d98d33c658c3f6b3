// Package storage is Plinth's storage server: it follows one tag of the log,
// keeps the last five seconds of versions in memory and everything older in a
// Pebble store, and answers reads at any version of those five seconds.
//
// Open restores the server from its directory and starts to follow the log:
//
//	s, err := storage.Open(ctx, storage.Config{FS: vfs.Default, Dir: dir, Tag: 7, Log: log})
//	reply, err := s.GetValues(ctx, &wire.GetValuesRequest{Version: v, Keys: keys})
//	err = s.Close()
//
// Three goroutines do the work, Close waits for them. The first peeks the log
// and applies whole versions to the window (internal/window). The second moves
// the old end of the window into the engine, one step at a time, and the third
// sees to it that the engine's memtables reach the disk and pops the log up to
// there. The engine has no write-ahead log: after a crash it stands at the
// version of its last flush, and the log repeats the rest.
//
// # Invariants
//
//	S1  A version is applied as a whole before it is published, and no read
//	    sees a version that is not published.
//	S2  The engine holds exactly the state of one version, which its version
//	    key names: rows and version key change in one atomic batch.
//	S3  The version that the engine is being advanced to is announced
//	    (advancing) before the batch is committed, and nothing leaves the
//	    window before the batch is committed.
//	S4  A read looks into the window first, then into the engine, then checks
//	    that advancing is not above its version. By S3 it has then missed
//	    nothing, and seen nothing that is newer.
//	S5  The log is popped up to a version only after the engine holds that
//	    version in flushed tables.
//	S6  After a fatal error nothing more is written to the directory, nothing
//	    is popped, and every call returns that error.
//	S7  The window exceeds its limit by no more than one peek reply: beyond
//	    twice the limit, applying waits for the engine.
//
// Keys live in the engine under a one-byte prefix for data; the version key
// and the format are under another, which no key of the store can reach.
package storage
