package scenario

import (
	"context"
	"errors"
	"time"

	"github.com/plinthdb/plinth/internal/rowsum"
	"github.com/plinthdb/plinth/internal/sim/workload"
	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// lookBack are the ages of the versions at which the rows of an open store are
// compared with its directory, the newest version first.
func lookBack() []time.Duration {
	return []time.Duration{0, 50 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second, 4 * time.Second}
}

// shown are the sums of the rows that an open store has shown, by version.
type shown struct {
	newest kv.Version
	sums   map[kv.Version]string
}

// show reads everything in the open store, at its newest version and at some
// before, as far as it still has those. Nobody may write any more.
func (r *storeRun) show(ctx context.Context) (shown, error) {
	s := shown{sums: make(map[kv.Version]string)}
	inc, err := r.process.Wait(ctx)
	if err != nil {
		return s, err
	}
	for _, age := range lookBack() {
		tx := inc.DB().Begin(ctx, workload.Unlimited()...)
		version, sum, err := readAll(tx, s.newest, age)
		tx.Cancel()
		switch {
		case err == nil:
			s.newest = max(s.newest, version)
			s.sums[version] = sum
		case age == 0 || !errors.Is(err, wire.ErrTransactionTooOld):
			return s, err
		}
	}
	return s, nil
}

// readAll sums up all rows at the version that is age before newest, at one of
// the store's choice if age is 0.
func readAll(tx *kv.Transaction, newest kv.Version, age time.Duration) (version kv.Version, sum string, err error) {
	if age > 0 {
		tx.SetReadVersion(newest - kv.Version(age.Microseconds()))
	}
	if version, err = tx.ReadVersion(); err != nil {
		return 0, "", err
	}
	rows := rowsum.New()
	for row, err := range tx.Snapshot().Range(kv.AllKeys(), kv.RangeOptions{}).All() {
		if err != nil {
			return 0, "", err
		}
		rows.Add(row.Key, row.Value)
	}
	return version, rows.String(), nil
}

// compare holds what a store has shown against what is in its directory now that
// it is closed (S8).
func (r *storeRun) compare(s shown, found world.States) error {
	r.world.Trace("rows shown at %d: %s, %d versions, %d found", s.newest, s.sums[s.newest], len(s.sums), len(found.At))
	if _, ok := found.At[s.newest]; !ok && found.End != s.sums[s.newest] {
		// The engine is past that version; nobody has written since.
		return r.world.Violated("scenario", "S8", "the closed store holds rows with sum %s, open it showed %s at version %d", found.End, s.sums[s.newest], s.newest)
	}
	for version, sum := range s.sums {
		if got, ok := found.At[version]; ok && got != sum {
			return r.world.Violated("scenario", "S8", "engine and log have rows with sum %s at version %d, where the open store showed %s", got, version, sum)
		}
	}
	return nil
}
