package cluster

import (
	"bytes"
	"context"
	"crypto/rand"

	"github.com/plinthdb/plinth/internal/wire"
)

// maxIDTries bounds the attempts to commit the id of a store. Nobody else uses
// the store at that time, so hardly anything but an injected fault can make one
// fail in a way that passes.
const maxIDTries = 100

// settleID takes the id of the store from stored, the value of its key, or
// draws one and commits it if there is none: the store is new, or from before
// there were ids, or somebody has cleared the keys of the system. Once
// OpenLocal has returned the id is on disk (C5). Whoever crashes before has
// shown it to nobody.
//
// The log and the engine have checksums, so that a value of another length was
// written by a client. It must not keep anybody from the data: a new id
// replaces it, and the logger is told.
func (l *Local) settleID(ctx context.Context, first wire.Version, stored []byte) error {
	if len(stored) == len(l.id) {
		copy(l.id[:], stored)
		return nil
	}
	// A program that cannot draw random bytes does not get here, see crypto/rand.
	_, _ = rand.Read(l.id[:])
	if stored != nil {
		l.config.Logger.Warn("the id of the store was overwritten by a client; it gets a new one",
			"dir", l.config.Dir, "key", wire.ClusterIDKey, "bytes", len(stored))
	}
	return l.commitID(ctx, first)
}

// commitID writes the id as any transaction would. An attempt that may have
// been committed is made again like one that was not: both write the same.
func (l *Local) commitID(ctx context.Context, first wire.Version) (err error) {
	key := []byte(wire.ClusterIDKey)
	request := &wire.CommitRequest{
		ReadVersion:    first,
		WriteConflicts: []wire.KeyRange{wire.SingleKey(key)},
		Mutations:      wire.AppendMutation(nil, wire.Mutation{Type: wire.SetValue, Param1: key, Param2: bytes.Clone(l.id[:])}),
		HasSystemKeys:  true, LockAware: true,
	}
	for range maxIDTries {
		if _, err = l.commits.Commit(ctx, request); err == nil || !wire.Retryable(err) {
			break
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if l.Err() != nil {
			break
		}
	}
	return l.explain(err)
}
