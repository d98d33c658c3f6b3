package workload

import (
	"context"
	"errors"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// errGivenUp is the cause of the end of a context that fuzzAPI ends.
var errGivenUp = errors.New("the workload has ended the context")

// misuseAnother begins a transaction beside p, which ends in some way, and uses
// it all the same.
func (w *fuzzAPI) misuseAnother(p *pending) error {
	ctx, cancel := context.WithCancelCause(p.client.inc.Context())
	defer cancel(nil)
	begin := func(options ...kv.TransactionOption) *pending {
		aside := *p
		aside.tx = p.client.inc.DB().Begin(ctx, options...)
		return &aside
	}
	switch p.keys.rng.IntN(7) {
	case 0:
		return w.cancelled(begin())
	case 1:
		return w.committed(begin(), false)
	case 2:
		return w.committed(begin(), true)
	case 3:
		return w.badOption(begin(p.keys.invalidOption()))
	case 4:
		return w.timedOut(begin(kv.WithTimeout(time.Duration(1 + p.keys.rng.IntN(1000)))))
	case 5:
		cancel(errGivenUp)
		return w.contextEnded(begin())
	}
	if p.keys.rng.IntN(10) > 0 {
		return nil
	}
	version, err := p.tx.ReadVersion()
	if err != nil {
		return err
	}
	return w.futureVersion(begin(), version)
}

// allFail issues every kind of call, which must all fail with want.
func (w *fuzzAPI) allFail(p *pending, when string, want error) error {
	for _, call := range w.outstanding(p) {
		if err := p.exactly("F1", call.name+" "+when, call.wait(), want); err != nil {
			return err
		}
	}
	p.tx.Set(scratchKey(p.env, p.client.ID()), []byte("written "+when))
	_, err := p.tx.ReadVersion()
	if err := p.exactly("F1", "ReadVersion "+when, err, want); err != nil {
		return err
	}
	return p.exactly("F1", "Commit "+when, p.tx.Commit(), want)
}

// cancelled uses a transaction after Cancel. A reset does not revive it.
func (w *fuzzAPI) cancelled(p *pending) error {
	w.scribble(p)
	p.tx.Cancel()
	if err := w.allFail(p, "after Cancel", kv.ErrTransactionCancelled); err != nil {
		return err
	}
	_, err := p.tx.Versionstamp().Wait()
	if err := p.exactly("F1", "Versionstamp after Cancel", err, kv.ErrTransactionCancelled); err != nil {
		return err
	}
	p.tx.Reset()
	return w.allFail(p, "after Cancel and Reset", kv.ErrTransactionCancelled)
}

// committed uses a transaction after its commit; then it resets it.
func (w *fuzzAPI) committed(p *pending, writes bool) error {
	defer p.tx.Cancel()
	stamp := p.tx.Versionstamp()
	if writes {
		p.tx.Set(scratchKey(p.env, p.client.ID()), []byte(goodScratch))
	}
	if err := p.tx.Commit(); err != nil {
		return err
	}
	if err := w.allFail(p, "after Commit", kv.ErrUsedDuringCommit); err != nil {
		return err
	}
	s, stampErr := stamp.Wait()
	version, versionErr := p.tx.CommittedVersion()
	switch {
	case writes && (stampErr != nil || versionErr != nil || stampVersion(s[:]) != version):
		return p.client.Violated("F1", "client %d: after Commit version %d (%v), stamp %x (%v)", p.client.ID(), version, versionErr, s, stampErr)
	case !writes && !errors.Is(stampErr, kv.ErrNoCommitVersion):
		return p.exactly("F1", "Versionstamp without writes", stampErr, kv.ErrNoCommitVersion)
	case !writes && !errors.Is(versionErr, kv.ErrNoCommitVersion):
		return p.exactly("F1", "CommittedVersion without writes", versionErr, kv.ErrNoCommitVersion)
	}
	p.tx.Reset()
	return p.begin("F4", p.keys.read(p.base), p.tx, p.base)()
}

// badOption uses a transaction whose option is invalid, for good.
func (w *fuzzAPI) badOption(p *pending) error {
	defer p.tx.Cancel()
	if err := w.allFail(p, "with an invalid option", kv.ErrInvalidOptionValue); err != nil {
		return err
	}
	p.tx.Reset()
	return w.allFail(p, "with an invalid option, after Reset", kv.ErrInvalidOptionValue)
}

// timedOut uses a transaction after its time-out.
func (w *fuzzAPI) timedOut(p *pending) error {
	defer p.tx.Cancel()
	_, err := p.tx.Versionstamp().Wait() // lasts until the time-out
	if err := p.exactly("F1", "Versionstamp until the time-out", err, kv.ErrTransactionTimedOut); err != nil {
		return err
	}
	return w.allFail(p, "after the time-out", kv.ErrTransactionTimedOut)
}

// contextEnded uses a transaction whose context has ended.
func (w *fuzzAPI) contextEnded(p *pending) error {
	defer p.tx.Cancel()
	if err := w.allFail(p, "after the end of the context", kv.ErrTransactionCancelled); err != nil {
		return err
	}
	return p.exactly("F1", "Commit after the end of the context", p.tx.Commit(), errGivenUp)
}

// futureVersion reads at a version that is far from being reached.
func (w *fuzzAPI) futureVersion(p *pending, version kv.Version) error {
	defer p.tx.Cancel()
	const farVersions = 1 << 40
	p.tx.SetReadVersion(version + farVersions)
	_, err := p.tx.Get([]byte(p.keys.key())).Wait()
	if err != nil && !errors.Is(err, kv.ErrFutureVersion) {
		return err
	}
	return p.exactly("F1", "Get at a future version", err, kv.ErrFutureVersion)
}
