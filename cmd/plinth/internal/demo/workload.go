package demo

import (
	"context"
	"errors"
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

// Run goes on until the context ends, which is no error, or until something
// fails. A transfer that the end interrupts may or may not be made.
func (w Workload) Run(ctx context.Context) error {
	group, workCtx := errgroup.WithContext(ctx)
	for worker := range w.Workers {
		group.Go(func() error { return w.transfers(workCtx, worker) })
	}
	group.Go(func() error { return w.audits(workCtx) })
	err := group.Wait()
	if ctx.Err() != nil && errors.Is(err, errEnded) {
		return nil
	}
	return err
}

// errEnded says that a worker has ended with its context.
var errEnded = errors.New("the workload was ended")

func (w Workload) transfers(ctx context.Context, worker int) error {
	number := max(1, w.First[worker])
	for ; ; number++ {
		id := TransferID{Worker: worker, Number: number}
		made, err := w.Bank.Transfer(ctx, id, w.Bank.draw())
		if err := ended(ctx, err); err != nil {
			return err
		}
		if err := w.Report(Message{Kind: MessageAcknowledged, ID: id, Transfer: made}); err != nil {
			return err
		}
	}
}

// auditPause lets the transfers have most of the processor.
const auditPause = 10 * time.Millisecond

func (w Workload) audits(ctx context.Context) error {
	pause := time.NewTicker(auditPause)
	defer pause.Stop()
	for {
		sum, err := w.Bank.Sum(ctx)
		if err := ended(ctx, err); err != nil {
			return err
		}
		if err := w.Report(Message{Kind: MessageAudited, Sum: sum}); err != nil {
			return err
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return errEnded
		}
	}
}

// ended tells the end of the context, which makes a transaction fail, from
// other errors. A transaction that was committed counts although the context
// has ended since.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errEnded
	}
	return err
}
