package dump

import (
	"context"

	"github.com/plinthdb/plinth/kv"
)

// tally is what commits have done.
type tally struct{ rows, rowBytes, lineBytes, transactions int64 }

// committer commits batches, several at a time. Its methods are called by one
// goroutine.
type committer struct {
	db    *kv.Database
	limit int
	// flying are the batches that were launched and not reaped, oldest first.
	flying []*batch
	done   tally
	// reached is the place up to which everything is committed.
	reached Checkpoint
	err     error
}

// launch starts the commit of a batch. It waits while the limit of batches is
// in flight, and for those that may hold the same keys: the later line must
// win (D3). It returns the error of an earlier commit, and then starts
// nothing.
func (c *committer) launch(ctx context.Context, b *batch) error {
	for _, f := range c.flying {
		if f.overlaps(b) {
			<-f.done
		}
	}
	c.reap(c.limit - 1)
	if c.err != nil {
		return c.err
	}
	b.done = make(chan struct{})
	c.flying = append(c.flying, b)
	go func() {
		defer close(b.done)
		if len(b.rows) > 0 {
			b.err = b.commit(ctx, c.db)
		}
	}()
	return nil
}

// finish waits for all commits and returns the first error, in the order of
// the lines.
func (c *committer) finish() error {
	c.reap(0)
	return c.err
}

// reap takes in the commits that have ended, and waits until at most keep are
// in flight.
func (c *committer) reap(keep int) {
	for len(c.flying) > 0 {
		oldest := c.flying[0]
		if len(c.flying) > keep {
			<-oldest.done
		}
		select {
		case <-oldest.done:
		default:
			return
		}
		c.flying[0] = nil
		c.flying = c.flying[1:]
		c.settle(oldest)
	}
}

// settle counts an ended commit.
func (c *committer) settle(b *batch) {
	if b.err != nil {
		if c.err == nil {
			c.err = b.err
		}
		return
	}
	if c.err == nil { // Batches end in the order of their lines here.
		c.reached = b.to
	}
	c.done.rows += int64(len(b.rows))
	c.done.rowBytes += int64(len(b.arena))
	c.done.lineBytes += b.lineBytes()
	if len(b.rows) > 0 {
		c.done.transactions++
	}
}

// take returns what was done since the last call.
func (c *committer) take() tally {
	done := c.done
	c.done = tally{}
	return done
}
