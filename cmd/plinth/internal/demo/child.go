package demo

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/plinthdb/plinth/kv/embedded"
)

// Child is the work of the process that will be killed: it opens the store and
// transfers, and writes each acknowledgement to out as soon as it has it. It
// ends when the context does, or when in, which nothing is ever written to,
// ends: then its parent is gone.
func Child(ctx context.Context, dir string, accounts, workers int, in io.Reader, out io.Writer) error {
	orphaned := make(chan struct{})
	go func() { // It ends with in, at the latest when the process ends.
		_, _ = io.Copy(io.Discard, in)
		close(orphaned)
	}()
	db, store, err := embedded.Open(dir)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	report := func(m Message) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := io.WriteString(out, m.Line())
		return err
	}
	err = report(Message{Kind: MessageReady})
	if err == nil {
		err = Workload{Bank: NewBank(db, accounts), Workers: workers, Report: report}.Run(ctx, orphaned)
	}
	return errors.Join(err, store.Close())
}
