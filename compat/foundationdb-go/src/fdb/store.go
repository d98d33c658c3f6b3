package fdb

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// store is an open store and what the handles on it share.
type store struct {
	dir string // empty if somebody else has opened it (DatabaseOf)
	// held is dir, open: what is there later under its name may be another one.
	held *os.File
	db   *kv.Database
	// embedded is what has it open: an embedded.Store, or a lent one.
	embedded interface {
		Ended() <-chan struct{}
		Close() error
	}
	ctx     context.Context // of all transactions
	options databaseDefaults
	handles int // guarded by the mutex of stores
	clock   clock

	mu struct {
		sync.Mutex
		closed bool
		// awaited counts the background waits of each transaction.
		awaited map[*kv.Transaction]int
	}
	group sync.WaitGroup // the goroutines of background and keepTime
}

// openStore opens the store in dir.
func openStore(dir string) (*store, error) {
	db, s, err := embedded.Open(dir, embedded.WithDatabaseOptions(databaseOptions()...))
	if err != nil {
		return nil, err
	}
	held, err := os.Open(dir)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &store{dir: dir, held: held, db: db, embedded: s, ctx: context.Background()}, nil
}

// databaseOptions returns how the database of a store behaves. Logs go to the
// program's default logger, if an option asks for them.
func databaseOptions() []kv.DatabaseOption {
	defaults := slices.Collect(maps.Values(bindingDefaults()))
	return []kv.DatabaseOption{kv.WithLogger(slog.Default()), kv.WithTransactionDefaults(defaults...)}
}

// bindingDefaults returns, by the names that an option of the database has here,
// in what transactions are FoundationDB's and not kv's: unknown outcomes are left
// to the program unless an option asks otherwise.
func bindingDefaults() map[string]kv.TransactionOption {
	defaults := map[string]kv.TransactionOption{"automatic_idempotency": kv.WithExactlyOnce(false)}
	if version, _ := selected.get(); version < versionSnapshotRYW {
		defaults["snapshot_ryw"] = kv.WithSnapshotReadYourWrites(false)
	}
	return defaults
}

// close ends everything that uses the store, and waits for it. Commits under
// way come to their end first.
func (s *store) close() error {
	s.mu.Lock()
	s.mu.closed = true
	s.mu.Unlock()
	err := s.embedded.Close()
	if s.held != nil {
		_ = s.held.Close() // nothing was written to it
	}
	s.mu.Lock()
	for tx := range s.mu.awaited {
		tx.Cancel() // it waits for a commit that cannot come any more
	}
	s.mu.Unlock()
	s.group.Wait()
	return told(slog.LevelError, err)
}

// background runs f, which waits for something of tx, on a goroutine of the
// store (C4). A closed store runs nothing more: it reports false.
func (s *store) background(tx *kv.Transaction, f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed {
		return false
	}
	if s.mu.awaited == nil {
		s.mu.awaited = map[*kv.Transaction]int{}
	}
	s.mu.awaited[tx]++
	s.group.Go(func() {
		f()
		s.forget(tx)
	})
	return true
}

func (s *store) forget(tx *kv.Transaction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.awaited[tx]--; s.mu.awaited[tx] == 0 {
		delete(s.mu.awaited, tx)
	}
}

// stores is the open stores of a process, and whether there can be any.
type stores struct {
	mu struct {
		sync.Mutex
		open    []*store
		started bool
		stopped bool
	}
}

// process is the stores of this process. The API asks for it: StopNetwork takes
// no argument, and a directory can be open only once.
var process stores

// acquire returns the store in the directory name with one more handle, and opens it if it is
// not open (C2).
func (p *stores) acquire(name string) (*store, error) {
	dir, err := filepath.Abs(name)
	if err != nil {
		return nil, detailed(errFileNotReadable, "the working directory cannot be found, from which %s is to be taken: %v", name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.stopped {
		return nil, ErrNetworkIsStopped
	}
	s := p.findLocked(dir)
	if s == nil {
		if err := p.replacedLocked(dir); err != nil {
			return nil, err
		}
		if s, err = openStore(dir); err != nil {
			return nil, err
		}
		p.mu.open = append(p.mu.open, s)
	}
	p.mu.started = true
	s.handles++
	return s, nil
}

// findLocked returns the open store in dir, by whatever name it was opened.
func (p *stores) findLocked(dir string) *store {
	info, err := os.Stat(dir)
	if err != nil {
		return nil
	}
	for _, s := range p.mu.open {
		if own, err := s.info(); err == nil && os.SameFile(own, info) {
			return s
		}
	}
	return nil
}

// info describes the directory that the store has open, also where it has been
// removed.
func (s *store) info() (os.FileInfo, error) {
	if s.held == nil {
		return nil, os.ErrNotExist
	}
	return s.held.Stat()
}

// replacedLocked returns an error if a store was opened by the name dir, which is
// not, or no more, the name of the directory that this has open.
func (p *stores) replacedLocked(dir string) error {
	for _, s := range p.mu.open {
		if s.dir == dir {
			return detailed(errDirectoryInUse, "the directory %s was removed or renamed while this process has the store in it open; "+
				"close its databases first, and remove it then", dir)
		}
	}
	return nil
}

// release gives up a handle on s, and closes s with the last one.
func (p *stores) release(s *store) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.handles--; s.handles != 0 {
		return nil
	}
	for i, open := range p.mu.open {
		if open == s {
			p.mu.open = append(p.mu.open[:i:i], p.mu.open[i+1:]...)
			return s.close()
		}
	}
	return nil // closed by stop
}

// stop closes all stores, for good.
func (p *stores) stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.mu.stopped:
		return ErrNetworkAlreadyStopped
	case !p.mu.started:
		return ErrNetworkNotStarted
	}
	p.mu.stopped = true
	var err error
	for _, s := range p.mu.open {
		if closeErr := s.close(); err == nil {
			err = closeErr
		}
	}
	p.mu.open = nil
	return err
}
