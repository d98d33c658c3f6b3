package kvclient

import (
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/directory"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
	"github.com/plinthdb/plinth/tests/conformance/machine"
)

// directoryOf is a directory.Directory as the machine sees it.
type directoryOf struct{ d directory.Directory }

// opened is a directory that is a subspace as well.
type opened struct {
	directoryOf
	contents
}

// contents is the subspace of a directory.
type contents struct{ d *directory.DirectorySubspace }

func openedOf(d *directory.DirectorySubspace, err error) (machine.Directory, error) {
	if err != nil {
		return nil, err
	}
	return opened{directoryOf{d}, contents{d}}, nil
}

func (d directoryOf) CreateOrOpen(t machine.Transaction, path []string, layer []byte) (machine.Directory, error) {
	return openedOf(d.d.CreateOrOpen(t.(*transaction).tx, path, layer))
}

func (d directoryOf) Create(t machine.Transaction, path []string, layer, prefix []byte) (machine.Directory, error) {
	if prefix == nil {
		return openedOf(d.d.Create(t.(*transaction).tx, path, layer))
	}
	return openedOf(d.d.CreatePrefix(t.(*transaction).tx, path, layer, prefix))
}

func (d directoryOf) Open(r machine.Reader, path []string, layer []byte) (machine.Directory, error) {
	return openedOf(d.d.Open(plainReader(r), path, layer))
}

func (d directoryOf) Move(t machine.Transaction, oldPath, newPath []string) (machine.Directory, error) {
	return openedOf(d.d.Move(t.(*transaction).tx, oldPath, newPath))
}

func (d directoryOf) MoveTo(t machine.Transaction, newAbsolutePath []string) (machine.Directory, error) {
	return openedOf(d.d.MoveTo(t.(*transaction).tx, newAbsolutePath))
}

func (d directoryOf) Remove(t machine.Transaction, path []string) error {
	return d.d.Remove(t.(*transaction).tx, path)
}

func (d directoryOf) RemoveIfExists(t machine.Transaction, path []string) error {
	_, err := d.d.RemoveIfExists(t.(*transaction).tx, path)
	return err
}

func (d directoryOf) List(r machine.Reader, path []string) ([]string, error) {
	return d.d.List(plainReader(r), path)
}

func (d directoryOf) Exists(r machine.Reader, path []string) (bool, error) {
	return d.d.Exists(plainReader(r), path)
}

func (d directoryOf) Path() []string { return d.d.Path() }
func (d directoryOf) Layer() []byte  { return d.d.Layer() }

func (c contents) Key() ([]byte, error) {
	s, err := c.d.Subspace()
	return s.Bytes(), err
}

func (c contents) Pack(t tuple.Tuple) ([]byte, error) { return c.d.Append(nil, t) }

func (c contents) Unpack(key []byte) (tuple.Tuple, error) { return c.d.Unpack(key) }

func (c contents) Range(t tuple.Tuple) (begin, end []byte, err error) {
	s, err := c.d.Subspace()
	if err != nil {
		return nil, nil, err
	}
	return subspaceOf{s}.Range(t)
}

func (c contents) Contains(key []byte) (bool, error) {
	s, err := c.d.Subspace()
	return err == nil && s.Contains(key), err
}

func (c contents) Sub(t tuple.Tuple) (machine.Subspace, error) {
	s, err := c.d.Subspace()
	if err != nil {
		return nil, err
	}
	return sub(s, t)
}

// subspaceOf is a subspace.Subspace as the machine sees it.
type subspaceOf struct{ s subspace.Subspace }

// sub returns the subspace of t in s.
func sub(s subspace.Subspace, t tuple.Tuple) (machine.Subspace, error) {
	if _, err := t.Append(nil); err != nil {
		return nil, err
	}
	return subspaceOf{s.Sub(t...)}, nil
}

func (s subspaceOf) Key() ([]byte, error)                   { return s.s.Bytes(), nil }
func (s subspaceOf) Pack(t tuple.Tuple) ([]byte, error)     { return s.s.Append(nil, t) }
func (s subspaceOf) Unpack(key []byte) (tuple.Tuple, error) { return s.s.Unpack(key) }

func (s subspaceOf) Range(t tuple.Tuple) (begin, end []byte, err error) {
	if _, err := t.Append(nil); err != nil {
		return nil, nil, err
	}
	r := s.s.Sub(t...).Range()
	return r.Begin, r.End, nil
}

func (s subspaceOf) Contains(key []byte) (bool, error) { return s.s.Contains(key), nil }

func (s subspaceOf) Sub(t tuple.Tuple) (machine.Subspace, error) { return sub(s.s, t) }

// plainReader returns the reader that r stands for.
func plainReader(r machine.Reader) kv.Reader {
	if t, ok := r.(*transaction); ok {
		return t.tx
	}
	return r.(reader).Reader
}
