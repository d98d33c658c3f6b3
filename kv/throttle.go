package kv

import (
	"bytes"
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
	refused, err := changeThrottles(ctx, db, func(tx *Transaction, all []throttleRow) error {
		others := 0
		for _, r := range all {
			if r.readable && !throttleEnded(r.limit) && !bytes.Equal(r.key, row.Key) {
				others++
			}
		}
		if others >= wire.MaxTagThrottles {
			return wire.ErrTooManyTagThrottles.With("there are %d limits on tags already; take one away first", others)
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
// of them if none is given, also where the value of a row cannot be read. It
// reports whether there was one.
func UnthrottleTag(ctx context.Context, db *Database, tag string, priorities ...Priority) (found bool, err error) {
	_, err = changeThrottles(ctx, db, func(tx *Transaction, all []throttleRow) error {
		found = false // The transaction may run again.
		for _, row := range all {
			if row.of(tag, priorities) {
				tx.Clear(row.key)
				found = true
			}
		}
		return nil
	})
	return found, err
}

// ThrottledTags returns the limits on tags that hold, in no particular order. A
// row among them that cannot be read limits nothing, and is left out; opening
// the store logs it.
func ThrottledTags(ctx context.Context, db *Database) ([]TagThrottle, error) {
	return Transact(ctx, db, func(tx *Transaction) ([]TagThrottle, error) {
		rows, err := readThrottles(tx)
		var all []TagThrottle
		for _, row := range rows {
			if row.readable && !throttleEnded(row.limit) {
				all = append(all, row.limit)
			}
		}
		return all, err
	}, WithReadSystemKeys(true), WithReadLockAware(true), WithPriority(PriorityImmediate))
}

// throttleRow is a row among the limits on tags. One that is not readable limits
// nothing: who may write system keys may write anything.
type throttleRow struct {
	key      []byte
	limit    TagThrottle
	readable bool
}

// of reports whether it is the row of a limit of the tag with one of the
// priorities, of any if there are none. The key tells, whatever the value.
func (r *throttleRow) of(tag string, priorities []Priority) bool {
	if len(tag) > maxTagBytes {
		return false
	}
	for p := PriorityDefault; p <= PriorityImmediate; p++ {
		if len(priorities) > 0 && !slices.Contains(priorities, p) {
			continue
		}
		if bytes.Equal(r.key, TagThrottle{Tag: tag, Priority: p}.Row().Key) {
			return true
		}
	}
	return false
}

// changeThrottles runs change with all rows that there are, and clears those
// that have ended. It must be possible while everything else is held back, so
// its priority is immediate.
func changeThrottles(ctx context.Context, db *Database, change func(tx *Transaction, all []throttleRow) error) (refused, err error) {
	return Transact(ctx, db, func(tx *Transaction) (error, error) {
		all, err := readThrottles(tx)
		if err != nil {
			return nil, err
		}
		for _, row := range all {
			if row.readable && throttleEnded(row.limit) {
				tx.Clear(row.key)
			}
		}
		return change(tx, all), nil
	}, WithSystemKeys(true), WithLockAware(true), WithPriority(PriorityImmediate))
}

// readThrottles returns all rows among the limits on tags, also those that have
// ended.
func readThrottles(tx *Transaction) ([]throttleRow, error) {
	rows, err := tx.Range(wire.TagThrottles(), RangeOptions{}).Slice()
	if err != nil {
		return nil, err
	}
	all := make([]throttleRow, len(rows))
	for i, row := range rows {
		limit, err := wire.ParseTagThrottle(row)
		all[i] = throttleRow{key: row.Key, limit: limit, readable: err == nil}
	}
	return all, nil
}

// throttleEnded reports whether the limit's time is over.
func throttleEnded(t TagThrottle) bool { return !t.Until.IsZero() && time.Until(t.Until) <= 0 }
