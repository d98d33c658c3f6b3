package workload

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/kv"
)

// ledger knows what the keys of each client must hold, for workloads whose
// clients write to no keys but their own. Each transaction sets the client's
// marker to its number and the stamp of its commit. So a client whose
// transaction has an unknown outcome finds out which it was, and a check knows
// which state it sees.
//
//	L1  At every version the rows of a client are exactly what its
//	    transactions made of them, up to the one that its marker names.
//	L2  The marker names what was acknowledged last, or a later transaction
//	    that was under way; never one that was aborted, nor one of unknown
//	    outcome that was once not found.
//	L3  The stamp in the marker is of the version that the commit returned.
type ledger struct {
	// initial are the rows that Setup gives a client.
	initial func(env *Env, client int) map[string]string
	// alone says that the transactions read no keys but those of their client,
	// so that nobody can be in their way (E7).
	alone bool

	mu struct {
		sync.Mutex
		accounts map[int]*account
		checks   int // under way
	}
}

// account is what the ledger knows of one client.
type account struct {
	begun   uint64 // the number of the last transaction
	settled uint64 // the last that is known to be committed, 0: the first state
	unknown uint64 // the one whose outcome is unknown, if any
	found   uint64 // the last that a check has found
	// entries are the states that a check may find, by number.
	entries map[uint64]*entry
}

// entry is the state that a transaction leaves if it is committed.
type entry struct {
	pending *pending     // nil for the first state
	rows    *oracle.Rows // nil until the stamp is known
	stamp   kv.Stamp
}

func newLedger(initial func(env *Env, client int) map[string]string) *ledger {
	l := &ledger{initial: initial}
	l.mu.accounts = make(map[int]*account)
	return l
}

// withoutRows lets a ledger begin with nothing.
func withoutRows(*Env, int) map[string]string { return nil }

func markerKey(env *Env, client int) []byte { return env.Key("marker/%02d", client) }

// dataPrefix begins all other keys of a client.
func dataPrefix(env *Env, client int) string { return string(env.Key("data/%02d/", client)) }

// setup writes the first state of all clients.
func (l *ledger) setup(ctx context.Context, env *Env) error {
	return env.Setup(ctx, func(tx *kv.Transaction) error {
		for id := range env.clients {
			for _, key := range sortedKeys(l.initial(env, id)) {
				tx.Set([]byte(key), []byte(l.initial(env, id)[key]))
			}
		}
		return nil
	})
}

// accountLocked returns the account of a client.
func (l *ledger) accountLocked(env *Env, client int) *account {
	a := l.mu.accounts[client]
	if a == nil {
		first := &entry{rows: oracle.New(l.initial(env, client))}
		a = &account{entries: map[uint64]*entry{0: first}}
		l.mu.accounts[client] = a
	}
	return a
}

// transact tries f in one transaction of the client's, sets the marker and
// commits. If the outcome of the one before is not known yet it only tries to
// find that out.
func (l *ledger) transact(ctx context.Context, env *Env, c *Client, f func(p *pending) error) (Outcome, error) {
	if ready, err := l.settle(ctx, env, c); err != nil || !ready {
		return Aborted, err
	}
	var p *pending
	try := c.Try
	if l.alone {
		try = c.TryAlone
	}
	outcome, err := try(ctx, func(tx *kv.Transaction) error {
		p = l.begin(env, c, tx)
		if err := f(p); err != nil || p.readOnly {
			return err
		}
		l.mark(p)
		return nil
	})
	if err == nil && p != nil && p.marked {
		err = l.finish(env, c, p, outcome)
	}
	return outcome, err
}

// begin numbers a transaction.
func (l *ledger) begin(env *Env, c *Client, tx *kv.Transaction) *pending {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.accountLocked(env, c.ID())
	a.begun++
	base := a.entries[a.settled].rows
	return &pending{
		tx: tx, env: env, client: c, number: a.begun, base: base, rows: base.Clone(),
		keys: apiKeys{rng: c.Rand(), prefix: dataPrefix(env, c.ID())},
	}
}

// mark sets the marker, from when on a check may find the transaction.
func (l *ledger) mark(p *pending) {
	key := markerKey(p.env, p.client.ID())
	value := binary.BigEndian.AppendUint64(nil, p.number)
	p.tx.SetVersionstampedValue(key, stampedKey(value))
	p.stamp = p.tx.Versionstamp()
	p.marked = true
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accountLocked(p.env, p.client.ID()).entries[p.number] = &entry{pending: p}
}

// decodeMarker reads a marker; an absent one is number 0.
func decodeMarker(value []byte) (number uint64, stamp kv.Stamp, err error) {
	if value == nil {
		return 0, stamp, nil
	}
	return decodeStamped(value)
}

// finish notes the outcome of a transaction that had set its marker.
func (l *ledger) finish(env *Env, c *Client, p *pending, outcome Outcome) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.accountLocked(env, c.ID())
	switch outcome {
	case Unknown:
		a.unknown = p.number
		return nil
	case Aborted:
		return l.dropLocked(env, c, a, p.number)
	}
	stamp, err := p.stamp.Wait() // the commit is over
	if err != nil || stampVersion(stamp[:]) != c.LastCommit() {
		return env.Violated("L3", "client %d: transaction %d has stamp %x (error %v), its commit returned version %d",
			c.ID(), p.number, stamp, err, c.LastCommit())
	}
	if e := a.entries[p.number]; e.rows != nil && e.stamp != stamp {
		return env.Violated("L3", "client %d: transaction %d has stamp %x, its marker had %x", c.ID(), p.number, stamp, e.stamp)
	}
	a.entries[p.number].fix(stamp)
	a.settled = p.number
	l.pruneLocked(a)
	return nil
}

// fix works out the state once the stamp is known.
func (e *entry) fix(stamp kv.Stamp) {
	if e.rows == nil {
		e.stamp, e.rows = stamp, e.pending.base.Clone()
		e.rows.Commit(e.pending.list, stamp)
	}
}

// dropLocked notes that a transaction was not committed.
func (l *ledger) dropLocked(env *Env, c *Client, a *account, number uint64) error {
	delete(a.entries, number)
	if a.found == number {
		return env.Violated("L2", "client %d: transaction %d was found, but is not committed", c.ID(), number)
	}
	return nil
}

// pruneLocked forgets the states that no check can find any more.
func (l *ledger) pruneLocked(a *account) {
	if l.mu.checks > 0 {
		return
	}
	maps.DeleteFunc(a.entries, func(number uint64, _ *entry) bool { return number < a.settled })
}

// settle reports whether the outcome of the client's last transaction is
// known, after one try to find it out.
func (l *ledger) settle(ctx context.Context, env *Env, c *Client) (ready bool, err error) {
	l.mu.Lock()
	unknown := l.accountLocked(env, c.ID()).unknown
	l.mu.Unlock()
	if unknown == 0 {
		return true, nil
	}
	var value []byte
	outcome, err := c.Try(ctx, func(tx *kv.Transaction) (err error) {
		value, err = tx.Get(markerKey(env, c.ID())).Wait()
		return err
	})
	if err != nil || outcome != Committed {
		return false, err
	}
	number, stamp, err := decodeMarker(value)
	if err != nil {
		return false, env.Violated("L2", "client %d: %v", c.ID(), err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.accountLocked(env, c.ID())
	a.unknown = 0
	switch number {
	case unknown:
		a.entries[unknown].fix(stamp)
		a.settled = unknown
		l.pruneLocked(a)
		return true, nil
	case a.settled:
		return true, l.dropLocked(env, c, a, unknown)
	}
	return false, env.Violated("L2", "client %d: the marker names transaction %d, neither %d of unknown outcome nor %d before it",
		c.ID(), number, unknown, a.settled)
}

// check reads all rows and compares them with what the ledger says. There may
// be rows that are neither data nor markers if other, unless it is nil, says so.
func (l *ledger) check(ctx context.Context, env *Env, other func(row kv.KeyValue) bool) error {
	before := l.beginCheck()
	defer l.endCheck()
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	stored := make(map[int]*statement)
	for _, row := range rows {
		client, isMarker, ok := ownerOf(env, row.Key)
		switch {
		case isMarker:
			statementOf(stored, client).marker = row.Value
		case ok:
			statementOf(stored, client).data[string(row.Key)] = string(row.Value)
		case other == nil || !other(row):
			return env.Violated("L1", "at version %d there is a row %q=%.80q", version, row.Key, row.Value)
		}
	}
	for client := range env.clients {
		if err := l.compare(env, client, before[client], statementOf(stored, client), version); err != nil {
			return err
		}
	}
	return nil
}

// ownerOf returns the client to whom a key belongs, if it is a marker or data.
func ownerOf(env *Env, key []byte) (client int, isMarker, ok bool) {
	for client := range env.clients {
		if isMarker = bytes.Equal(key, markerKey(env, client)); isMarker || strings.HasPrefix(string(key), dataPrefix(env, client)) {
			return client, isMarker, true
		}
	}
	return 0, false, false
}

// statement is what a check has read of one client.
type statement struct {
	marker []byte
	data   map[string]string
}

func statementOf(all map[int]*statement, client int) *statement {
	if all[client] == nil {
		all[client] = &statement{data: make(map[string]string)}
	}
	return all[client]
}

// beginCheck returns the last settled transaction of each client.
func (l *ledger) beginCheck() map[int]uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.checks++
	before := make(map[int]uint64)
	for client, a := range l.mu.accounts {
		before[client] = a.settled
	}
	return before
}

func (l *ledger) endCheck() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.checks--
	for _, a := range l.mu.accounts {
		l.pruneLocked(a)
	}
}

// compare checks one client's rows, as they were at version.
func (l *ledger) compare(env *Env, client int, before uint64, s *statement, version kv.Version) error {
	number, stamp, err := decodeMarker(s.marker)
	if err != nil {
		return env.Violated("L2", "client %d at version %d: %v", client, version, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.accountLocked(env, client)
	if number < before {
		return env.Violated("L2", "client %d at version %d: the marker names transaction %d, %d was committed before", client, version, number, before)
	}
	e := a.entries[number]
	if e == nil {
		return env.Violated("L2", "client %d at version %d: the marker names transaction %d, which was not committed", client, version, number)
	}
	e.fix(stamp)
	if e.stamp != stamp {
		return env.Violated("L3", "client %d at version %d: transaction %d has stamp %x, its marker %x", client, version, number, e.stamp, stamp)
	}
	a.found = max(a.found, number)
	if text := difference(s.data, e.rows.Values); text != "" {
		return env.Violated("L1", "client %d at version %d, after transaction %d: %s", client, version, number, text)
	}
	return nil
}

// difference describes the first key in which got differs from want.
func difference(got, want map[string]string) string {
	for _, key := range sortedKeys(union(got, want)) {
		g, present := got[key]
		w, expected := want[key]
		if g != w || present != expected {
			return fmt.Sprintf("%q is %.80q (present: %v), want %.80q (%v)", key, g, present, w, expected)
		}
	}
	return ""
}
