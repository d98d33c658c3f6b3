package kv

import (
	"context"

	"github.com/plinthdb/plinth/internal/wire"
)

// Backend is the store as the client sees it. kv/embedded implements it by
// plain function calls and internal/transport by remote ones; the client
// cannot tell which.
//
// Every method may be called from many goroutines at once and returns soon
// after its context has ended. Slices in requests and replies are shared and
// never written again (W1 of internal/wire): the client hands copies to its
// users.
type Backend interface {
	// ReadVersion returns a version at which everything can be seen that was
	// acknowledged before the call, with the lock of the database and the
	// metadata version as they are at that version.
	ReadVersion(context.Context, wire.ReadVersionRequest) (wire.ReadVersionReply, error)
	// GetValues returns the values of all the keys at one version.
	GetValues(context.Context, *wire.GetValuesRequest) (wire.GetValuesReply, error)
	// GetRange returns the rows of a range at one version, perhaps in part.
	GetRange(context.Context, *wire.GetRangeRequest) (wire.GetRangeReply, error)
	// GetKey resolves a key selector at one version.
	GetKey(context.Context, *wire.GetKeyRequest) (wire.GetKeyReply, error)
	// Watch returns once the key's value differs from the one in the request.
	Watch(context.Context, *wire.WatchRequest) (wire.WatchReply, error)
	// Commit commits a transaction. An error that is not MaybeCommitted means
	// that it was not, and never will be.
	Commit(context.Context, *wire.CommitRequest) (wire.CommitReply, error)
}
