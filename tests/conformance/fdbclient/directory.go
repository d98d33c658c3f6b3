package fdbclient

import (
	"errors"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
	"github.com/apple/foundationdb/bindings/go/src/fdb/directory"
	"github.com/apple/foundationdb/bindings/go/src/fdb/subspace"

	"github.com/plinthdb/plinth/kv/tuple"
	"github.com/plinthdb/plinth/tests/conformance/machine"
)

// directoryOf is a directory.Directory as the machine sees it.
type directoryOf struct{ d directory.Directory }

// opened is a directory that is a subspace as well.
type opened struct {
	directoryOf
	subspaceOf
}

func openedOf(d directory.DirectorySubspace, err error) (machine.Directory, error) {
	if err != nil {
		return nil, err
	}
	return opened{directoryOf{d}, subspaceOf{d}}, nil
}

func (d directoryOf) CreateOrOpen(t machine.Transaction, path []string, layer []byte) (machine.Directory, error) {
	return openedOf(d.d.CreateOrOpen(t.(*transaction).tr, path, layer))
}

func (d directoryOf) Create(t machine.Transaction, path []string, layer, prefix []byte) (machine.Directory, error) {
	if prefix == nil {
		return openedOf(d.d.Create(t.(*transaction).tr, path, layer))
	}
	return openedOf(d.d.CreatePrefix(t.(*transaction).tr, path, layer, prefix))
}

func (d directoryOf) Open(r machine.Reader, path []string, layer []byte) (machine.Directory, error) {
	return openedOf(d.d.Open(readTransaction(r), path, layer))
}

func (d directoryOf) Move(t machine.Transaction, oldPath, newPath []string) (machine.Directory, error) {
	return openedOf(d.d.Move(t.(*transaction).tr, oldPath, newPath))
}

func (d directoryOf) MoveTo(t machine.Transaction, newAbsolutePath []string) (machine.Directory, error) {
	return openedOf(d.d.MoveTo(t.(*transaction).tr, newAbsolutePath))
}

var errNotRemoved = errors.New("there was no directory to remove")

func (d directoryOf) Remove(t machine.Transaction, path []string) error {
	removed, err := d.d.Remove(t.(*transaction).tr, path)
	if err == nil && !removed {
		err = errNotRemoved
	}
	return err
}

func (d directoryOf) RemoveIfExists(t machine.Transaction, path []string) error {
	_, err := d.d.Remove(t.(*transaction).tr, path)
	return err
}

func (d directoryOf) List(r machine.Reader, path []string) ([]string, error) {
	return d.d.List(readTransaction(r), path)
}

func (d directoryOf) Exists(r machine.Reader, path []string) (bool, error) {
	return d.d.Exists(readTransaction(r), path)
}

func (d directoryOf) Path() []string { return d.d.GetPath() }
func (d directoryOf) Layer() []byte  { return d.d.GetLayer() }

// readTransaction returns what r stands for.
func readTransaction(r machine.Reader) fdb.ReadTransaction {
	if t, ok := r.(*transaction); ok {
		return t.tr
	}
	return r.(reader).tr
}

// subspaceOf is a subspace.Subspace as the machine sees it. That of a
// partition's root panics.
type subspaceOf struct{ s subspace.Subspace }

func (s subspaceOf) Key() (key []byte, err error) {
	defer recovered(&err)
	return s.s.Bytes(), nil
}

func (s subspaceOf) Pack(t tuple.Tuple) (key []byte, err error) {
	defer recovered(&err)
	return s.s.Pack(theirs(t)), nil
}

func (s subspaceOf) Unpack(key []byte) (t tuple.Tuple, err error) {
	defer recovered(&err)
	unpacked, err := s.s.Unpack(fdb.Key(key))
	return ours(unpacked), err
}

func (s subspaceOf) Range(t tuple.Tuple) (begin, end []byte, err error) {
	defer recovered(&err)
	b, e := s.s.Sub(elements(t)...).FDBRangeKeys()
	return b.FDBKey(), e.FDBKey(), nil
}

func (s subspaceOf) Contains(key []byte) (contains bool, err error) {
	defer recovered(&err)
	return s.s.Contains(fdb.Key(key)), nil
}

func (s subspaceOf) Sub(t tuple.Tuple) (sub machine.Subspace, err error) {
	defer recovered(&err)
	return subspaceOf{s.s.Sub(elements(t)...)}, nil
}
