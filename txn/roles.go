package txn

import (
	"context"

	"github.com/plinthdb/plinth/internal/wire"
)

// Sequencer hands out versions, see package sequencer.
type Sequencer interface {
	// NextVersion hands out a version once, with the one before it, and the
	// metadata changes to apply first. A repeated request gets the same answer.
	NextVersion(ctx context.Context, req wire.CommitVersionRequest) (wire.CommitVersionReply, error)
	// ReportCommitted says that version is durable on every log group.
	ReportCommitted(ctx context.Context, role wire.RoleID, version wire.Version) error
	// CommittedVersion returns the newest version reported so.
	CommittedVersion(ctx context.Context, role wire.RoleID) (wire.Version, error)
}

// Resolver decides which transactions conflict, see package resolver.
type Resolver interface {
	// Resolve returns one verdict per transaction of the batch, once it has
	// decided every earlier batch.
	Resolve(ctx context.Context, req *wire.ResolveRequest) (wire.ResolveReply, error)
}

// Log is a log group, see package txlog.
type Log interface {
	// Append hands in a batch; done is called exactly once, from any
	// goroutine, when the batch is durable or when it cannot be. It must not
	// block. The batches of a proxy may be handed in before earlier ones are
	// done.
	Append(req *wire.AppendRequest, done func(error))
	// ConfirmLive returns nil if, at some moment during the call, generation
	// was the one whose appends the log accepts.
	ConfirmLive(ctx context.Context, generation wire.Generation) error
}
