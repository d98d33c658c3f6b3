package demo

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// Workload is transfers by several workers, and one that audits all the time.
type Workload struct {
	Bank    Bank
	Workers int
	// First gives the number of each worker's first transfer; 1 if it is not
	// there.
	First map[int]int
	// Report is told what happened, by all workers: a transfer when it is
	// committed, an audit when it was made. An error ends the workload.
	Report func(Message) error
}

// Run goes on until stop is closed, and then lets what is under way come to its
// end; or until something fails.
func (w Workload) Run(ctx context.Context, stop <-chan struct{}) error {
	group, ctx := errgroup.WithContext(ctx)
	for worker := range w.Workers {
		group.Go(func() error { return w.transfers(ctx, stop, worker) })
	}
	group.Go(func() error { return w.audits(ctx, stop) })
	return group.Wait()
}

func (w Workload) transfers(ctx context.Context, stop <-chan struct{}, worker int) error {
	for number := max(1, w.First[worker]); ; number++ {
		select {
		case <-stop:
			return nil
		default:
		}
		id := TransferID{Worker: worker, Number: number}
		made, err := w.Bank.Transfer(ctx, id, w.Bank.draw())
		if err != nil {
			return err
		}
		if err := w.Report(Message{Kind: MessageAcknowledged, ID: id, Transfer: made}); err != nil {
			return err
		}
	}
}

// auditPause lets the transfers have most of the processor.
const auditPause = 10 * time.Millisecond

func (w Workload) audits(ctx context.Context, stop <-chan struct{}) error {
	pause := time.NewTicker(auditPause)
	defer pause.Stop()
	for {
		sum, err := w.Bank.Sum(ctx)
		if err != nil {
			return err
		}
		if err := w.Report(Message{Kind: MessageAudited, Sum: sum}); err != nil {
			return err
		}
		select {
		case <-pause.C:
		case <-stop:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
