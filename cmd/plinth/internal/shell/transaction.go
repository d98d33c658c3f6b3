package shell

import (
	"context"
	"fmt"
)

// errNoTransaction is the misuse of a verb that needs a transaction.
func errNoTransaction() error { return &misuse{"No active transaction"} }

func (s *Session) begin(ctx context.Context, _ [][]byte) error {
	if s.tx != nil {
		return &misuse{"Already in transaction"}
	}
	txCtx, end := context.WithCancel(context.WithoutCancel(ctx))
	s.tx, s.endTx = s.db.Begin(txCtx), end
	fmt.Fprintln(s.out, "Transaction started")
	return nil
}

func (s *Session) commit(context.Context, [][]byte) error {
	if s.tx == nil {
		return errNoTransaction()
	}
	if err := s.tx.Commit(); err != nil {
		return err
	}
	err := s.printCommitted(s.tx)
	s.closeTx()
	return err
}

func (s *Session) reset(context.Context, [][]byte) error {
	if s.tx == nil {
		return errNoTransaction()
	}
	s.tx.Reset()
	fmt.Fprintln(s.out, "Transaction reset")
	return nil
}

func (s *Session) rollback(context.Context, [][]byte) error {
	if s.tx == nil {
		return errNoTransaction()
	}
	s.closeTx()
	fmt.Fprintln(s.out, "Transaction rolled back")
	return nil
}

func (s *Session) exit(context.Context, [][]byte) error { return ErrExit }
