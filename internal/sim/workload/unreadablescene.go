package workload

import (
	"bytes"
	"strings"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// stampScene is a transaction of Unreadable and all that its reads may have to
// see: pending.base without own writes, pending.rows with them, open with
// them if versionstamped operations are sets.
type stampScene struct {
	*pending
	open *oracle.Rows
	// blind says that no read sees own writes, snapshotsOwn that snapshot reads
	// do, bypassed that nothing is unreadable.
	blind, snapshotsOwn, bypassed bool
}

func newStampScene(p *pending) *stampScene {
	s := &stampScene{pending: p, open: p.base.Clone(), snapshotsOwn: true}
	s.keys.near = s.edge
	return s
}

// edge draws a key in or beside what cannot be read, "" if there is none.
func (s *stampScene) edge() string {
	hidden := s.rows.Unreadable
	if len(hidden) == 0 {
		return ""
	}
	u := hidden[s.keys.rng.IntN(len(hidden))]
	key := u.Begin
	switch s.keys.rng.IntN(6) {
	case 0:
		key = u.End
	case 1:
		key = u.Begin[:len(u.Begin)-1]
	case 2:
		key = u.Begin + "\x00"
	case 3:
		key = u.End[:len(u.End)-1]
	case 4: // a stamp of the near future, if u is that of a key
		key = u.Begin[:len(u.Begin)-1] + "\xff"
	}
	if !strings.HasPrefix(key, s.keys.prefix) {
		return ""
	}
	return key
}

// mutation draws a mutation, a versionstamped one half of the time.
func (s *stampScene) mutation() wire.Mutation {
	k := s.keys
	switch k.rng.IntN(4) {
	case 0:
		return wire.Mutation{Type: wire.SetVersionstampedValue, Param1: []byte(k.key()), Param2: k.stampedParam(k.value(), 0)}
	case 1:
		return wire.Mutation{Type: wire.SetVersionstampedKey, Param1: k.stampedParam(k.key(), len(k.prefix)), Param2: []byte(k.value())}
	}
	return k.mutation(false)
}

// write does a mutation to the transaction and to the rows that it must see.
func (s *stampScene) write(m wire.Mutation) {
	s.pending.write(m)
	s.open.Apply(withoutStamp(m), s.version)
}

// clearAll clears all keys of the client.
func (s *stampScene) clearAll() {
	s.pending.clearAll()
	s.open.Define(s.keys.all(), nil)
}

// withoutStamp returns a versionstamped mutation as a set, any other as it is.
func withoutStamp(m wire.Mutation) wire.Mutation {
	const placeBytes = 4
	switch m.Type {
	case wire.SetVersionstampedKey:
		return wire.Mutation{Type: wire.SetValue, Param1: m.Param1[:len(m.Param1)-placeBytes], Param2: m.Param2}
	case wire.SetVersionstampedValue:
		return wire.Mutation{Type: wire.SetValue, Param1: m.Param1, Param2: m.Param2[:len(m.Param2)-placeBytes]}
	}
	return m
}

// seeNothing lets no read see own writes. It must come before all reads and
// writes.
func (s *stampScene) seeNothing() {
	s.blind = true
	s.tx.SetOptions(kv.WithReadYourWrites(false))
}

func (s *stampScene) snapshotsSeeOwn(on bool) {
	s.snapshotsOwn = on
	s.tx.SetOptions(kv.WithSnapshotReadYourWrites(on))
}

func (s *stampScene) bypass(on bool) {
	s.bypassed = on
	s.tx.SetOptions(kv.WithBypassUnreadable(on))
}

// read issues a read of any kind; finish waits for it and compares.
func (s *stampScene) read() (finish func() error) {
	reader := s.reader()
	_, rows := s.sees(reader)
	return s.begin(s.keys.read(rows), reader)
}

// sees returns what a reader must see, and the invariant that says so.
func (s *stampScene) sees(reader kv.Reader) (invariant string, rows *oracle.Rows) {
	switch snapshot := reader != kv.Reader(s.tx); {
	case s.blind, snapshot && !s.snapshotsOwn:
		return "U5", s.base
	case s.bypassed:
		return "U4", s.open
	}
	return "U3", s.rows
}

// begin issues a read.
func (s *stampScene) begin(r apiRead, reader kv.Reader) (finish func() error) {
	invariant, rows := s.sees(reader)
	return s.beginNamed(r, reader, rows, func(got, want string) string { return unreadableInvariant(invariant, got, want) })
}

// unreadableInvariant says which invariant does not hold if a read that has
// to obey the given one differs from what it must be.
func unreadableInvariant(invariant, got, want string) string {
	failed, mustFail := strings.HasSuffix(got, unreadableText), strings.HasSuffix(want, unreadableText)
	switch {
	case invariant != "U3" || failed == mustFail:
		return invariant
	case mustFail:
		return "U1"
	}
	return "U2"
}

// another reads in another transaction, which must not see anything of this one
// (U5).
func (s *stampScene) another() error {
	return s.client.beside(func(tx *kv.Transaction) error {
		return s.pending.begin("U5", s.keys.read(s.base), tx, s.base)()
	})
}

// watch watches a key that cannot be read, if there is one and it shows.
func (s *stampScene) watch() *kv.Watch {
	if len(s.rows.Unreadable) == 0 || s.blind || s.bypassed || !s.snapshotsOwn {
		return nil
	}
	return s.tx.Watch(bytes.Clone([]byte(s.rows.Unreadable[0].Begin)))
}
