package simtest

import (
	"context"
	"errors"
	"sync"

	"github.com/plinthdb/plinth/cluster"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/scenario"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// opener opens the store for each incarnation of its process, and remembers the
// last one, for clients on other machines.
type opener struct {
	world *world.World
	sizes scenario.Sizes
	mu    struct {
		sync.Mutex
		db    *kv.Database
		local *cluster.Local
	}
}

func (o *opener) driver() world.Driver { return world.Driver{Open: o.open, Check: check} }

func (o *opener) open(host world.Host) (*kv.Database, world.Store, error) {
	config := cluster.LocalConfig{FS: host.FS, Dir: host.Dir}
	o.sizes.Tune(&config)
	local, err := cluster.OpenLocal(context.Background(), config)
	if err != nil {
		return nil, nil, err
	}
	db := kv.NewDatabase(witness{local, o.world})
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mu.db, o.mu.local = db, local
	return db, local, nil
}

// witness is a store whose commits are counted and traced.
type witness struct {
	*cluster.Local
	world *world.World
}

// Commit implements kv.Backend.
func (b witness) Commit(ctx context.Context, q *wire.CommitRequest) (wire.CommitReply, error) {
	reply, err := b.Local.Commit(ctx, q)
	note(ctx, b.world, q, reply, err)
	return reply, err
}

// note counts and traces a commit.
func note(ctx context.Context, w *world.World, q *wire.CommitRequest, reply wire.CommitReply, err error) {
	w.Trace("commit at %d: %d %v", q.ReadVersion, reply.Version, err)
	w.Count(func(c *report.Report) {
		switch {
		case err == nil:
			c.Commits++
		case kv.MaybeCommitted(err) || ctx.Err() != nil:
			c.Unknown++
		case errors.Is(err, kv.ErrNotCommitted):
			c.Conflicts++
		default:
			c.Aborted++
		}
	})
}

// of returns the store of an incarnation, nil if a later one is open already.
func (o *opener) of(inc *world.Incarnation) *cluster.Local {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.mu.db != inc.DB() {
		return nil
	}
	return o.mu.local
}

// check verifies a store that is not open.
func check(ctx context.Context, host world.Host, at []kv.Version) (world.States, error) {
	report, err := cluster.Check(ctx, host.FS, host.Dir, at...)
	for _, p := range report.Problems {
		err = errors.Join(err, errors.New(p.Part+": "+p.Text))
	}
	return world.States{}, err
}

// isStoreFailure reports whether err says that the store itself has ended, or
// will, rather than the transaction.
func isStoreFailure(err error) bool {
	return errors.Is(err, kv.ErrIO) || errors.Is(err, kv.ErrDiskFull) || errors.Is(err, kv.ErrDatabaseClosed)
}
