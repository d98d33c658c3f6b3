package directory

import (
	"errors"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/kv"
	kvdirectory "github.com/plinthdb/plinth/kv/directory"
)

// place is a Directory over one of kv/directory.
type place struct{ of kvdirectory.Directory }

// write runs f, which makes or finds a directory, in a transaction.
func write(t fdb.Transactor, f func(tx *kv.Transaction) (*kvdirectory.DirectorySubspace, error)) (DirectorySubspace, error) {
	d, err := t.Transact(func(tr fdb.Transaction) (interface{}, error) {
		d, err := f(fdb.KVTransaction(tr))
		return d, fdb.FromKV(err)
	})
	if err != nil {
		return nil, err
	}
	return opened(d.(*kvdirectory.DirectorySubspace)), nil
}

// read runs f in a transaction that may be one that only reads.
func read[T any](rt fdb.ReadTransactor, f func(r kv.Reader) (T, error)) (T, error) {
	result, err := rt.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
		result, err := f(fdb.KVReader(tr))
		return result, fdb.FromKV(err)
	})
	if err != nil {
		var none T
		return none, err
	}
	return result.(T), nil
}

// plain returns the errors with names as they are.
func plain(err error) error {
	switch {
	case errors.Is(err, kvdirectory.ErrExists):
		return ErrDirAlreadyExists
	case errors.Is(err, kvdirectory.ErrNotFound):
		return ErrDirNotExists
	}
	return err
}

// detailed returns an error that says more than its name, if it has one.
func detailed(err error) error {
	for kvErr, name := range map[error]error{
		kvdirectory.ErrExists:         ErrDirAlreadyExists,
		kvdirectory.ErrNotFound:       ErrDirNotExists,
		kvdirectory.ErrParentNotFound: ErrParentDirDoesNotExist,
	} {
		if errors.Is(err, kvErr) {
			return &namedError{err, name}
		}
	}
	return err
}

// namedError is an error of kv/directory that has a name in this package.
type namedError struct {
	error
	name error
}

func (e *namedError) Unwrap() []error { return []error{e.error, e.name} }

// CreateOrOpen implements Directory.
func (p place) CreateOrOpen(t fdb.Transactor, path []string, layer []byte) (DirectorySubspace, error) {
	return write(t, func(tx *kv.Transaction) (*kvdirectory.DirectorySubspace, error) {
		return p.of.CreateOrOpen(tx, path, layer)
	})
}

// Open implements Directory.
func (p place) Open(rt fdb.ReadTransactor, path []string, layer []byte) (DirectorySubspace, error) {
	d, err := read(rt, func(r kv.Reader) (*kvdirectory.DirectorySubspace, error) { return p.of.Open(r, path, layer) })
	if err != nil {
		return nil, plain(err)
	}
	return opened(d), nil
}

// Create implements Directory.
func (p place) Create(t fdb.Transactor, path []string, layer []byte) (DirectorySubspace, error) {
	d, err := write(t, func(tx *kv.Transaction) (*kvdirectory.DirectorySubspace, error) {
		return p.of.Create(tx, path, layer)
	})
	return d, plain(err)
}

// CreatePrefix implements Directory.
func (p place) CreatePrefix(t fdb.Transactor, path []string, layer []byte, prefix []byte) (DirectorySubspace, error) {
	d, err := write(t, func(tx *kv.Transaction) (*kvdirectory.DirectorySubspace, error) {
		return p.of.CreatePrefix(tx, path, layer, prefix)
	})
	return d, plain(err)
}

// Move implements Directory.
func (p place) Move(t fdb.Transactor, oldPath []string, newPath []string) (DirectorySubspace, error) {
	d, err := write(t, func(tx *kv.Transaction) (*kvdirectory.DirectorySubspace, error) {
		return p.of.Move(tx, oldPath, newPath)
	})
	return d, detailed(err)
}

// MoveTo implements Directory.
func (p place) MoveTo(t fdb.Transactor, newAbsolutePath []string) (DirectorySubspace, error) {
	d, err := write(t, func(tx *kv.Transaction) (*kvdirectory.DirectorySubspace, error) {
		return p.of.MoveTo(tx, newAbsolutePath)
	})
	return d, detailed(err)
}

// Remove implements Directory.
func (p place) Remove(t fdb.Transactor, path []string) (bool, error) {
	existed, err := t.Transact(func(tr fdb.Transaction) (interface{}, error) {
		existed, err := p.of.RemoveIfExists(fdb.KVTransaction(tr), path)
		return existed, fdb.FromKV(err)
	})
	if err != nil {
		return false, detailed(err)
	}
	return existed.(bool), nil
}

// Exists implements Directory.
func (p place) Exists(rt fdb.ReadTransactor, path []string) (bool, error) {
	return read(rt, func(r kv.Reader) (bool, error) { return p.of.Exists(r, path) })
}

// List implements Directory.
func (p place) List(rt fdb.ReadTransactor, path []string) ([]string, error) {
	names, err := read(rt, func(r kv.Reader) ([]string, error) { return p.of.List(r, path) })
	return names, plain(err)
}

// GetLayer implements Directory.
func (p place) GetLayer() []byte { return p.of.Layer() }

// GetPath implements Directory.
func (p place) GetPath() []string { return p.of.Path() }
