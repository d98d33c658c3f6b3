package shell

import (
	"context"
	"errors"
	"fmt"

	"github.com/plinthdb/plinth/kv"
)

// write runs f in the transaction or, outside of one, in a transaction of its
// own that is committed.
func (s *Session) write(ctx context.Context, f func(*kv.Transaction)) error {
	if s.readOnly {
		return &misuse{"writemode must be enabled to set or clear keys in the database."}
	}
	if s.tx != nil {
		f(s.tx)
		return nil
	}
	tx := s.db.Begin(ctx)
	defer tx.Cancel()
	for {
		f(tx)
		err := tx.Commit()
		if err == nil {
			return s.printCommitted(tx)
		}
		if err := tx.OnError(err); err != nil {
			return err
		}
	}
}

// printCommitted prints the version of a commit.
func (s *Session) printCommitted(tx *kv.Transaction) error {
	version, err := tx.CommittedVersion()
	switch {
	case errors.Is(err, kv.ErrNoCommitVersion):
		fmt.Fprintln(s.out, "Nothing to commit")
	case err != nil:
		return err
	default:
		fmt.Fprintf(s.out, "Committed (%d)\n", version)
	}
	return nil
}

func (s *Session) set(ctx context.Context, args [][]byte) error {
	return s.write(ctx, func(tx *kv.Transaction) { tx.Set(args[0], args[1]) })
}

func (s *Session) clear(ctx context.Context, args [][]byte) error {
	return s.write(ctx, func(tx *kv.Transaction) { tx.Clear(args[0]) })
}

func (s *Session) clearRange(ctx context.Context, args [][]byte) error {
	if len(args) == 1 && len(args[0]) == 0 {
		return &misuse{`every key begins with nothing: to remove all keys write clearrange "" \xff`}
	}
	r, err := rangeOf(args)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *kv.Transaction) { tx.ClearRange(r) })
}

func (s *Session) writeMode(_ context.Context, args [][]byte) error {
	switch string(args[0]) {
	case "on":
		s.readOnly = false
	case "off":
		s.readOnly = true
	default:
		return &usage{verbs()["writemode"]}
	}
	return nil
}
