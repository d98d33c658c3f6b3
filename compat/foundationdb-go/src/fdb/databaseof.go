package fdb

import (
	"context"

	"github.com/plinthdb/plinth/kv"
)

// DatabaseOf returns a Database on a store that somebody else has opened: by
// kv/embedded, say, in a program most of which has moved to Plinth's own client.
// It is not part of the binding. KVDatabase is the other direction.
//
// Its transactions have the defaults that db was opened with, but, as everywhere
// in this package, are not exactly once unless SetTransactionAutomaticIdempotency
// asks for that. Options set on it are its own: another call makes a Database
// without them.
//
// Close ends all that was begun on it, with error 9001, and leaves db open. Call
// it before db is closed: until then a goroutine may go on (see Versions in the
// package comment). StopNetwork does so too. Before APIVersion the error is 2200,
// after StopNetwork it is ErrNetworkIsStopped.
func DatabaseOf(db *kv.Database) (Database, error) {
	if _, err := selected.get(); err != nil {
		return Database{}, err
	}
	s, err := process.lend(db)
	if err != nil {
		return Database{}, err
	}
	return Database{&database{store: s}}, nil
}

// lent stands for a store that is open until its context ends.
type lent struct {
	ctx context.Context
	end context.CancelCauseFunc
}

// Ended implements what a store asks of who has it open.
func (l lent) Ended() <-chan struct{} { return l.ctx.Done() }

// Close ends all transactions.
func (l lent) Close() error {
	l.end(kv.ErrDatabaseClosed)
	return nil
}

// lend returns a store on db with one handle.
func (p *stores) lend(db *kv.Database) (*store, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.stopped {
		return nil, ErrNetworkIsStopped
	}
	ctx, end := context.WithCancelCause(context.Background())
	s := &store{db: db, embedded: lent{ctx, end}, ctx: ctx, handles: 1}
	for name, option := range bindingDefaults() {
		s.options.set(name, option)
	}
	p.mu.open, p.mu.started = append(p.mu.open, s), true
	return s, nil
}
