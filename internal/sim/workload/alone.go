package workload

import (
	"context"
	"errors"

	"github.com/plinthdb/plinth/kv"
)

// TryAlone is Try for a transaction that reads, other than by snapshot reads,
// nothing that another one can have written since: blind writes, or keys of the
// client's own of which no commit is under way. Such a transaction is not
// refused with not_committed (E7).
//
// A store with one resolver has no reason to do so. The resolver decides exactly
// whatever was read at its floor or later (its R2); a restart, a full window and
// a limit of memory raise the floor, and what was read below it is
// transaction_too_old, never not_committed. Three things would be reasons, and
// none of them comes here: a read version set by hand above the batch's; a
// commit of unknown outcome that is still under way, whose client must find out
// first or take other keys; and several resolvers, of which one keeps the writes
// of a transaction that another one refused.
func (c *Client) TryAlone(ctx context.Context, f func(tx *kv.Transaction) error) (Outcome, error) {
	outcome, err := c.Try(ctx, f)
	if err == nil && outcome == Aborted {
		err = c.expectUnopposed(c.failure)
	}
	return outcome, err
}

// expectUnopposed checks that a transaction that read nothing that anybody can
// have written was not refused for a conflict (E7).
func (c *Client) expectUnopposed(err error) error {
	if errors.Is(err, kv.ErrNotCommitted) && !c.inc.Dead() {
		return c.env.Violated("E7", "client %d: a transaction of which nobody can have written what it read was refused: %v", c.id, err)
	}
	return nil
}
