package workload

import (
	"errors"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// pending is a transaction of a ledger under way, and what it must see. Its
// client alone writes to these keys, so what is stored at its read version is
// what the client committed last.
type pending struct {
	tx     *kv.Transaction
	env    *Env
	client *Client
	keys   apiKeys
	number uint64
	// base is what is stored, rows the same with own writes. list are those.
	base, rows *oracle.Rows
	list       []wire.Mutation
	// version is the read version if the transaction has asked for it: it
	// bounds the stamps that the commit can get.
	version kv.Version
	// readOnly says that the transaction ends without a marker.
	readOnly bool

	marked bool
	stamp  kv.Future[kv.Stamp]
}

// askVersion asks for the read version, which must come before versionstamped
// keys are written.
func (p *pending) askVersion() (err error) {
	p.version, err = p.tx.ReadVersion()
	return err
}

// write does a mutation to the transaction and to the rows that it must see.
func (p *pending) write(m wire.Mutation) {
	issueMutation(p.tx, m)
	p.record(m)
}

// record notes a mutation that the transaction was told of.
func (p *pending) record(m wire.Mutation) {
	p.rows.Apply(m, p.version)
	p.list = append(p.list, m)
}

// clearAll clears all keys of the client.
func (p *pending) clearAll() {
	r := p.keys.all().KeyRange()
	p.write(wire.Mutation{Type: wire.ClearRange, Param1: r.Begin, Param2: r.End})
}

// reset forgets everything, as a reset of the transaction does.
func (p *pending) reset() {
	p.tx.Reset()
	p.rows, p.list, p.version = p.base.Clone(), nil, 0
}

// begin issues a read that must come out as rows say. The function that it
// returns waits for the outcome and compares it; if they differ the invariant
// is violated.
func (p *pending) begin(invariant string, r apiRead, reader kv.Reader, rows *oracle.Rows) (finish func() error) {
	return p.beginNamed(r, reader, rows, func(_, _ string) string { return invariant })
}

// beginNamed is begin where the invariant depends on what came and what had to.
func (p *pending) beginNamed(r apiRead, reader kv.Reader, rows *oracle.Rows, invariant func(got, want string) string) (finish func() error) {
	want := r.expect(rows)
	wait := r.issue(reader)
	return func() error {
		got, err := wait()
		if err != nil {
			return err
		}
		return p.compare(invariant(got, want), r.text, got, want)
	}
}

// compare checks an outcome.
func (p *pending) compare(invariant, call, got, want string) error {
	if got == want {
		return nil
	}
	return p.client.Violated(invariant, "client %d: %s in transaction %d gave %s, want %s",
		p.client.ID(), call, p.number, shorten(got), shorten(want))
}

// shorten cuts a text for a message.
func shorten(text string) string {
	const shownBytes = 400
	if len(text) > shownBytes {
		return text[:shownBytes] + "..."
	}
	return text
}

// reader returns the transaction, or a snapshot of it half of the time.
func (p *pending) reader() kv.Reader {
	if p.keys.rng.IntN(2) == 0 {
		return p.tx.Snapshot()
	}
	return p.tx
}

// readLater issues a read. It is finished at once half of the time; otherwise
// it joins the others, which finishAll finishes.
func (p *pending) readLater(invariant string, r apiRead, later *[]func() error) error {
	finish := p.begin(invariant, r, p.reader(), p.rows)
	if p.keys.rng.IntN(2) == 0 {
		return finish()
	}
	*later = append(*later, finish)
	return nil
}

// finishAll finishes reads that were left for later.
func finishAll(later []func() error) error {
	for _, finish := range later {
		if err := finish(); err != nil {
			return err
		}
	}
	return nil
}

// issueMutation tells a transaction to do m.
func issueMutation(tx *kv.Transaction, m wire.Mutation) {
	r := kv.KeyRange{Begin: m.Param1, End: m.Param2}
	switch {
	case m.Type == wire.SetValue:
		tx.Set(m.Param1, m.Param2)
	case m.Type == wire.ClearRange && r.IsSingleKey():
		tx.Clear(m.Param1)
	case m.Type == wire.ClearRange:
		tx.ClearRange(r)
	default:
		tx.Atomic(m.Type, m.Param1, m.Param2)
	}
}

// unreadableText ends the text of a read that came to a key that cannot be read.
const unreadableText = "unreadable"

// outcomeText is the outcome of a call as text. That keys cannot be read yet is
// an outcome too; any other error is returned.
func outcomeText(text string, err error) (string, error) {
	if errors.Is(err, kv.ErrAccessedUnreadable) {
		return text + unreadableText, nil
	}
	return text, err
}
