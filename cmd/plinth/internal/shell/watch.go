package shell

import (
	"context"
	"fmt"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

func (s *Session) watch(ctx context.Context, args [][]byte) error {
	if s.tx != nil {
		return &misuse{"watch cannot be used in a transaction"}
	}
	key := args[0]
	w, err := kv.Transact(ctx, s.db, func(tx *kv.Transaction) (*kv.Watch, error) { return tx.Watch(key), nil })
	if err != nil {
		return err
	}
	defer w.Cancel()
	fmt.Fprintf(s.out, "Watching `%s'\n", tuple.Printable(key))
	if err := w.Wait(ctx); err != nil {
		return err
	}
	return s.get(ctx, args)
}
