package shell

import (
	"context"

	"github.com/plinthdb/plinth/kv"
)

func (s *Session) watch(ctx context.Context, args [][]byte) (reply, error) {
	if s.tx != nil {
		return reply{}, &misuse{"watch cannot be used in a transaction"}
	}
	key := args[0]
	w, err := kv.Transact(ctx, s.db, func(tx *kv.Transaction) (*kv.Watch, error) {
		if _, err := tx.ReadVersion(); err != nil {
			return nil, notLocked(err)
		}
		return tx.Watch(key), nil
	}, s.transactionOptions()...)
	if err != nil {
		return reply{}, err
	}
	defer w.Cancel()
	s.note("Watching %s", s.keyText(key))
	if err := w.Wait(ctx); err != nil {
		return reply{}, err
	}
	return s.get(ctx, args)
}
