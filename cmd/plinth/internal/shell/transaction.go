package shell

import (
	"context"
	"slices"
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
		return reply{}, err
	}
	r, err := committed(s.tx)
	s.closeTx()
	return r, err
}

func (s *Session) reset(context.Context, [][]byte) (reply, error) {
	if s.tx == nil {
		return reply{}, errNoTransaction()
	}
	s.tx.Reset()
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
