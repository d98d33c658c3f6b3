package workload

import (
	"context"
	"errors"

	"github.com/plinthdb/plinth/kv"
)

// ErrDied is what ReadAll returns if the process died meanwhile: what it read
// is not to be believed.
var ErrDied = errors.New("the process died during the read")

// Setup commits what f writes, in one transaction. Only Workload.Setup may
// call it: it takes for granted that nothing fails.
func (e *Env) Setup(ctx context.Context, f func(tx *kv.Transaction) error) error {
	inc, err := e.process.Wait(ctx)
	if err != nil {
		return err
	}
	_, err = kv.Transact(ctx, inc.DB(), func(tx *kv.Transaction) (struct{}, error) { return struct{}{}, f(tx) }, Unlimited()...)
	e.Trace("setup: %v", err)
	return err
}

// ReadAll returns all rows of the workload at one version, and that version.
// It waits until the process is up.
func (e *Env) ReadAll(ctx context.Context) ([]kv.KeyValue, kv.Version, error) {
	inc, err := e.process.Wait(ctx)
	if err != nil {
		return nil, 0, err
	}
	floor := e.shared.acknowledged()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(inc.Context(), cancel)()
	var version kv.Version
	rows, err := kv.ReadTransact(ctx, inc.DB(), func(r kv.Reader) (rows []kv.KeyValue, err error) {
		if version, err = r.ReadVersion(); err != nil {
			return nil, err
		}
		return r.Range(kv.PrefixRange(e.Key("")), kv.RangeOptions{}).Slice()
	}, Unlimited()...)
	switch {
	case inc.Dead():
		err = ErrDied
	case err == nil && version < floor:
		err = e.Violated("E1", "read version %d is below %d, which was acknowledged before", version, floor)
	}
	e.Trace("read %d rows v%d: %v", len(rows), version, err)
	return rows, version, err
}
