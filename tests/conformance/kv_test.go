package conformance_test

import (
	"context"
	"testing"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
	"github.com/plinthdb/plinth/tests/conformance/check"
)

// openKV opens a store in memory by kv.
func openKV(string) (*check.Subject, func() error, error) {
	db, store, err := embedded.Open("", embedded.InMemory(), embedded.WithDatabaseOptions(
		kv.WithTransactionDefaults(kv.WithMaxRetryDelay(time.Millisecond))))
	if err != nil {
		return nil, nil, err
	}
	return check.KV(context.Background(), db), store.Close, nil
}

func TestKVDoesWhatTheModelSays(t *testing.T) { checkKinds(t, openKV) }
