package shell

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// write runs f in the transaction or, outside of one, in a transaction of its
// own that is committed, and tried again unless it may have been committed.
func (s *Session) write(ctx context.Context, f func(*kv.Transaction) error) (reply, error) {
	if s.readOnly {
		return reply{}, &misuse{"writemode must be enabled to set or clear keys in the database."}
	}
	if s.tx != nil {
		return reply{result: fields{{"committed", false}}}, f(s.tx)
	}
	tx := s.db.Begin(ctx, s.transactionOptions()...)
	defer tx.Cancel()
	for {
		err := f(tx)
		if err == nil {
			err = tx.Commit()
		}
		if err == nil {
			return committed(tx)
		}
		if err := tx.OnError(notLocked(err)); err != nil {
			return reply{}, err
		}
	}
}

// writeKey is write of a single operation, which has no error.
func (s *Session) writeKey(ctx context.Context, f func(*kv.Transaction)) (reply, error) {
	return s.write(ctx, func(tx *kv.Transaction) error {
		f(tx)
		return nil
	})
}

// committed tells the version of a commit.
func committed(tx *kv.Transaction) (reply, error) {
	version, err := tx.CommittedVersion()
	switch {
	case errors.Is(err, kv.ErrNoCommitVersion):
		return reply{"Nothing to commit\n", fields{{"committed", true}}}, nil
	case err != nil:
		return reply{}, err
	}
	return reply{fmt.Sprintf("Committed (%d)\n", version), fields{{"committed", true}, {"version", version}}}, nil
}

func (s *Session) set(ctx context.Context, args [][]byte) (reply, error) {
	return s.writeKey(ctx, func(tx *kv.Transaction) { tx.Set(args[0], args[1]) })
}

func (s *Session) clear(ctx context.Context, args [][]byte) (reply, error) {
	return s.writeKey(ctx, func(tx *kv.Transaction) { tx.Clear(args[0]) })
}

func (s *Session) clearRange(ctx context.Context, args [][]byte) (reply, error) {
	if len(args) == 1 && len(args[0]) == 0 {
		return reply{}, &misuse{`every key begins with nothing: to remove all keys write clearrange "" \xff`}
	}
	r, err := rangeOf(args)
	if err != nil {
		return reply{}, err
	}
	return s.writeKey(ctx, func(tx *kv.Transaction) { tx.ClearRange(r) })
}

// atomicOperations names the operations of atomic as FoundationDB does.
func atomicOperations() map[string]kv.MutationType {
	return map[string]kv.MutationType{
		"add":                      kv.MutationAdd,
		"append_if_fits":           kv.MutationAppendIfFits,
		"bit_and":                  kv.MutationBitAnd,
		"bit_or":                   kv.MutationBitOr,
		"bit_xor":                  kv.MutationBitXor,
		"byte_max":                 kv.MutationByteMax,
		"byte_min":                 kv.MutationByteMin,
		"compare_and_clear":        kv.MutationCompareAndClear,
		"max":                      kv.MutationMax,
		"min":                      kv.MutationMin,
		"set_versionstamped_key":   kv.MutationSetVersionstampedKey,
		"set_versionstamped_value": kv.MutationSetVersionstampedValue,
	}
}

// atomicNames returns the names of the atomic operations in the order of the
// alphabet.
func atomicNames() []string { return slices.Sorted(maps.Keys(atomicOperations())) }

func (s *Session) atomic(ctx context.Context, args [][]byte) (reply, error) {
	op, ok := atomicOperations()[string(args[0])]
	if !ok {
		return reply{}, &misuse{fmt.Sprintf("Unknown operation `%s'. Try `help atomic'?", tuple.Printable(args[0]))}
	}
	var stamp kv.Future[kv.Stamp]
	r, err := s.writeKey(ctx, func(tx *kv.Transaction) {
		stamp = tx.Versionstamp()
		tx.Atomic(op, args[1], args[2])
	})
	stamped := op == kv.MutationSetVersionstampedKey || op == kv.MutationSetVersionstampedValue
	if err != nil || s.tx != nil || !stamped {
		return r, err
	}
	written, err := stamp.Wait()
	if err != nil {
		return reply{}, err
	}
	r.text += fmt.Sprintf("Versionstamp `%s'\n", tuple.Printable(written[:]))
	if result, ok := r.result.(fields); ok {
		r.result = append(result, field{"versionstamp", written[:]})
	}
	return r, nil
}

func (s *Session) writeMode(_ context.Context, args [][]byte) (reply, error) {
	switch string(args[0]) {
	case "on":
		s.readOnly = false
	case "off":
		s.readOnly = true
	default:
		return reply{}, usageOf("writemode")
	}
	return reply{}, nil
}
