package shell

import (
	"context"
	"errors"
	"slices"

	"github.com/plinthdb/plinth/kv"
)

// errNoTransaction is the misuse of a verb that needs a transaction.
func errNoTransaction() error { return &misuse{"No active transaction"} }

func (s *Session) begin(ctx context.Context, _ [][]byte) (reply, error) {
	if s.tx != nil {
		return reply{}, &misuse{"Already in transaction"}
	}
	txCtx, end := context.WithCancel(context.WithoutCancel(ctx))
	s.tx, s.endTx = s.db.Begin(txCtx, s.transactionOptions()...), end
	s.inEffect = slices.Clone(s.options)
	return reply{text: "Transaction started\n"}, nil
}

func (s *Session) commit(context.Context, [][]byte) (reply, error) {
	if s.tx == nil {
		return reply{}, errNoTransaction()
	}
	if err := s.tx.Commit(); err != nil {
		return reply{}, s.withConflicts(err)
	}
	r, err := committed(s.tx)
	s.closeTx()
	return r, err
}

// conflictError is a conflict that says which ranges were changed by others.
type conflictError struct {
	error
	ranges []kv.KeyRange
}

// Unwrap returns the store's error.
func (e *conflictError) Unwrap() error { return e.error }

// withConflicts adds to an error of commit what the transaction lost on, if it
// was asked to find out.
func (s *Session) withConflicts(err error) error {
	if ranges := s.tx.ConflictingKeys(); errors.Is(err, kv.ErrNotCommitted) && len(ranges) > 0 {
		return &conflictError{kv.ErrNotCommitted, ranges}
	}
	return err
}

func (s *Session) reset(context.Context, [][]byte) (reply, error) {
	if s.tx == nil {
		return reply{}, errNoTransaction()
	}
	s.tx.Reset()
	s.inEffect = slices.Clone(s.options) // Reset has brought those of the beginning back.
	return reply{text: "Transaction reset\n"}, nil
}

func (s *Session) rollback(context.Context, [][]byte) (reply, error) {
	if s.tx == nil {
		return reply{}, errNoTransaction()
	}
	s.closeTx()
	return reply{text: "Transaction rolled back\n"}, nil
}

func (s *Session) exit(context.Context, [][]byte) (reply, error) { return reply{}, ErrExit }
