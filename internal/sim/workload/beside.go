package workload

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/kv"
)

// beside runs f with another transaction of the process that Try has chosen,
// for the function given to Try. Its errors are to be returned from there.
func (c *Client) beside(f func(tx *kv.Transaction) error) error {
	ctx, cancel := context.WithTimeout(c.inc.Context(), tryLimit)
	defer cancel()
	tx := c.inc.DB().Begin(ctx)
	defer tx.Cancel()
	return f(tx)
}

// commitBeside commits a transaction that Try does not know. The version is 0
// if it wrote nothing. An error that leaves the outcome open is unresolved.
func (c *Client) commitBeside(tx *kv.Transaction) (kv.Version, error) {
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	if c.inc.Dead() {
		return 0, c.inc.Death()
	}
	version, err := tx.CommittedVersion()
	if errors.Is(err, kv.ErrNoCommitVersion) {
		return 0, nil
	}
	if err == nil {
		c.env.shared.acknowledge(version)
		c.env.count(Committed, version, nil)
	}
	return version, err
}

// unresolved reports whether a transaction whose commit returned err may be in
// the store.
func (c *Client) unresolved(err error) bool {
	return err != nil && (kv.MaybeCommitted(err) || c.inc.Dead())
}

// judge returns a violation if err is none that the process, which inc is a
// life of, may return (E3).
func (c *Client) judge(inc *world.Incarnation, err error) error {
	return (&attempt{client: c, inc: inc}).verdict(Aborted, err)
}

// decodeStamped reads a number and the stamp behind it.
func decodeStamped(value []byte) (id uint64, stamp kv.Stamp, err error) {
	if len(value) != 8+len(stamp) {
		return 0, stamp, fmt.Errorf("a value holds %d bytes, not %d", len(value), 8+len(stamp))
	}
	copy(stamp[:], value[8:])
	return binary.BigEndian.Uint64(value), stamp, nil
}
