package model

import (
	"slices"

	"github.com/plinthdb/plinth/kv/tuple"
	"github.com/plinthdb/plinth/tests/conformance/machine"
)

// directory is a directory that was opened. What it does to itself it does in
// the outer tree, what it does to those below it in the inner one; they differ
// for a partition.
type directory struct {
	outer, inner *tree
	path         []string
	layer        string
}

// opened is a directory that is a subspace as well.
type opened struct {
	directory
	subspace
}

// relative returns a path from d as one from the root of the tree l.
func (d directory) relative(l *tree, path []string) []string {
	return slices.Concat(d.path[len(l.path):], path)
}

// treeFor returns the tree that d or a directory below it is in.
func (d directory) treeFor(path []string) *tree {
	if len(path) == 0 {
		return d.outer
	}
	return d.inner
}

func (d directory) CreateOrOpen(t machine.Transaction, path []string, layer []byte) (machine.Directory, error) {
	return d.inner.CreateOrOpen(t, d.relative(d.inner, path), layer)
}

func (d directory) Create(t machine.Transaction, path []string, layer, prefix []byte) (machine.Directory, error) {
	return d.inner.Create(t, d.relative(d.inner, path), layer, prefix)
}

func (d directory) Open(r machine.Reader, path []string, layer []byte) (machine.Directory, error) {
	return d.inner.Open(r, d.relative(d.inner, path), layer)
}

func (d directory) Move(t machine.Transaction, oldPath, newPath []string) (machine.Directory, error) {
	return d.inner.Move(t, d.relative(d.inner, oldPath), d.relative(d.inner, newPath))
}

func (d directory) MoveTo(t machine.Transaction, newAbsolutePath []string) (machine.Directory, error) {
	n := len(d.outer.path)
	if len(newAbsolutePath) < n || !slices.Equal(newAbsolutePath[:n], d.outer.path) {
		return nil, errDirectory // out of the partition
	}
	return d.outer.Move(t, d.relative(d.outer, nil), newAbsolutePath[n:])
}

func (d directory) Remove(t machine.Transaction, path []string) error {
	l := d.treeFor(path)
	return l.Remove(t, d.relative(l, path))
}

func (d directory) RemoveIfExists(t machine.Transaction, path []string) error {
	l := d.treeFor(path)
	return l.RemoveIfExists(t, d.relative(l, path))
}

func (d directory) List(r machine.Reader, path []string) ([]string, error) {
	return d.inner.List(r, d.relative(d.inner, path))
}

func (d directory) Exists(r machine.Reader, path []string) (bool, error) {
	l := d.treeFor(path)
	return l.Exists(r, d.relative(l, path))
}

func (d directory) Path() []string { return d.path }
func (d directory) Layer() []byte  { return []byte(d.layer) }

// partition is the root of a partition, which is no subspace but in name.
type partition struct{ directory }

var _ machine.Subspace = partition{}

func (partition) Key() ([]byte, error)                           { return nil, errDirectory }
func (partition) Pack(tuple.Tuple) ([]byte, error)               { return nil, errDirectory }
func (partition) Unpack([]byte) (tuple.Tuple, error)             { return nil, errDirectory }
func (partition) Range(tuple.Tuple) (begin, end []byte, e error) { return nil, nil, errDirectory }
func (partition) Contains([]byte) (bool, error)                  { return false, errDirectory }
func (partition) Sub(tuple.Tuple) (machine.Subspace, error)      { return nil, errDirectory }
