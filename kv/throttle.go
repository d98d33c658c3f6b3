package kv

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// TagThrottle limits the starts of the transactions WithTag(Tag).
type TagThrottle = wire.TagThrottle

// ThrottleTag limits the starts of the transactions with a tag, from the commit
// of the limit on: those with the priority of the limit, and with lower ones. It
// replaces the limit of the same tag and priority. A store has forty limits at
// most, FoundationDB's number. They are rows among the keys of the system, and
// outlive the process.
//
// The errors are ErrTagTooLong, ErrInvalidOptionValue for a rate that is
// negative or no number, or a priority that there is not, and
// ErrTooManyTagThrottles.
func ThrottleTag(ctx context.Context, db *Database, limit TagThrottle) error {
	switch {
	case len(limit.Tag) > maxTagBytes:
		return wire.ErrTagTooLong.With("transaction tag %q is longer than the limit of %d bytes", limit.Tag, maxTagBytes)
	case !(limit.StartsPerSecond >= 0) || math.IsInf(limit.StartsPerSecond, 0):
		return wire.ErrInvalidOptionValue.With("limit of %v starts a second: it must not be negative", limit.StartsPerSecond)
	case limit.Priority > PriorityImmediate:
		return wire.ErrInvalidOptionValue.With("priority %d is unknown", limit.Priority)
	}
	row := limit.Row()
	refused, err := changeThrottles(ctx, db, func(tx *Transaction, all []TagThrottle) error {
		others := slices.DeleteFunc(all, func(t TagThrottle) bool {
			return throttleEnded(t) || t.Tag == limit.Tag && t.Priority == limit.Priority
		})
		if len(others) >= wire.MaxTagThrottles {
			return wire.ErrTooManyTagThrottles.With("there are %d limits on tags already; take one away first", len(others))
		}
		tx.Set(row.Key, row.Value)
		return nil
	})
	if err != nil {
		return err
	}
	return refused
}

// UnthrottleTag takes away the limits of a tag with the given priorities, or all
// of them if none is given. It reports whether there was one.
func UnthrottleTag(ctx context.Context, db *Database, tag string, priorities ...Priority) (found bool, err error) {
	_, err = changeThrottles(ctx, db, func(tx *Transaction, all []TagThrottle) error {
		found = false // The transaction may run again.
		for _, t := range all {
			if t.Tag == tag && (len(priorities) == 0 || slices.Contains(priorities, t.Priority)) {
				tx.Clear(t.Row().Key)
				found = true
			}
		}
		return nil
	})
	return found, err
}

// ThrottledTags returns the limits on tags that hold, in no particular order.
func ThrottledTags(ctx context.Context, db *Database) ([]TagThrottle, error) {
	return Transact(ctx, db, func(tx *Transaction) ([]TagThrottle, error) {
		all, err := readThrottles(tx)
		return slices.DeleteFunc(all, throttleEnded), err
	}, WithReadSystemKeys(true), WithReadLockAware(true), WithPriority(PriorityImmediate))
}

// changeThrottles runs change with all limits that there are, and clears those
// that have ended. It must be possible while everything else is held back, so
// its priority is immediate.
func changeThrottles(ctx context.Context, db *Database, change func(tx *Transaction, all []TagThrottle) error) (refused, err error) {
	return Transact(ctx, db, func(tx *Transaction) (error, error) {
		all, err := readThrottles(tx)
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			if throttleEnded(t) {
				tx.Clear(t.Row().Key)
			}
		}
		return change(tx, all), nil
	}, WithSystemKeys(true), WithLockAware(true), WithPriority(PriorityImmediate))
}

// readThrottles returns all limits on tags, also those that have ended.
func readThrottles(tx *Transaction) ([]TagThrottle, error) {
	rows, err := tx.Range(wire.TagThrottles(), RangeOptions{}).Slice()
	if err != nil {
		return nil, err
	}
	var all []TagThrottle
	for _, row := range rows {
		t, err := wire.ParseTagThrottle(row)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// throttleEnded reports whether the limit's time is over.
func throttleEnded(t TagThrottle) bool { return !t.Until.IsZero() && time.Until(t.Until) <= 0 }
