package model

import (
	"errors"
	"slices"
	"strings"

	"github.com/plinthdb/plinth/kv/tuple"
	"github.com/plinthdb/plinth/tests/conformance/machine"
)

// tree is a directory layer, as FoundationDB's Python binding has it. Its rows
// are the real ones, but that the allocator is a counter: prefixes differ.
type tree struct {
	store           *Store
	nodes, contents subspace
	manual          bool
	// path is that of the partition whose inside the tree is.
	path []string
}

const partitionLayer = "partition"

// errDirectory is every error of directories: they are all logged alike.
var errDirectory = errors.New("directory operation is not possible")

// Directories implements machine.Client.
func (s *Store) Directories() machine.Directory { return &tree{store: s, nodes: "\xfe"} }

// NewDirectories implements machine.Client.
func (s *Store) NewDirectories(nodes, contents machine.Subspace, allowManualPrefixes bool) machine.Directory {
	n, _ := nodes.Key()
	c, _ := contents.Key()
	return &tree{store: s, nodes: subspace(n), contents: subspace(c), manual: allowManualPrefixes}
}

// node is what find comes to: the node at path, which is a beginning of target.
type node struct {
	exists       bool
	prefix       string
	layer        string
	path, target []string
}

// inside reports whether the target lies in the partition that find came to.
func (n *node) inside() bool {
	return n.exists && n.layer == partitionLayer && len(n.target) > len(n.path)
}

// rest is the path of the target from there.
func (n *node) rest() []string { return n.target[len(n.path):] }

// row returns the key of a node's row.
func (l *tree) row(prefix string, t ...any) []byte {
	key, _ := l.nodes.Pack(append(tuple.Tuple{[]byte(prefix)}, t...))
	return key
}

// rowOf reads a value of the store.
func rowOf(r machine.Reader, key []byte) (value string, present bool, err error) {
	v, err := r.Get(key)()
	if err != nil || v == nil {
		return "", false, err
	}
	return string(v.([]byte)), true, nil
}

// find follows a path up to its end, to what is missing or into a partition.
func (l *tree) find(r machine.Reader, target []string) (*node, error) {
	n := &node{exists: true, prefix: string(l.nodes), target: target}
	for i, name := range target {
		prefix, present, err := rowOf(r, l.row(n.prefix, int64(0), name))
		if err != nil {
			return nil, err
		}
		n = &node{exists: present, prefix: prefix, path: target[:i+1], target: target}
		if !present {
			return n, nil
		}
		if n.layer, _, err = rowOf(r, l.row(prefix, []byte("layer"))); err != nil {
			return nil, err
		}
		if n.layer == partitionLayer {
			return n, nil
		}
	}
	return n, nil
}

// within returns the tree inside a partition.
func (l *tree) within(n *node) *tree {
	return &tree{
		store:    l.store,
		nodes:    subspace(n.prefix + "\xfe"),
		contents: subspace(n.prefix),
		path:     l.absolute(n.path),
	}
}

func (l *tree) absolute(path []string) []string { return slices.Concat(l.path, path) }

// opened returns the directory of a node.
func (l *tree) opened(n *node) machine.Directory {
	d := directory{outer: l, inner: l, path: l.absolute(n.path), layer: n.layer}
	if n.layer == partitionLayer {
		d.inner = l.within(n)
		return partition{d}
	}
	return opened{d, subspace(n.prefix)}
}

// request is CreateOrOpen, Create or Open.
type request struct {
	path              []string
	layer, prefix     []byte
	mayCreate, mayUse bool
}

func (l *tree) do(r machine.Reader, q request) (machine.Directory, error) {
	if q.prefix != nil && !l.manual || len(q.path) == 0 {
		return nil, errDirectory
	}
	n, err := l.find(r, q.path)
	if err != nil {
		return nil, err
	}
	switch {
	case n.inside():
		q.path = n.rest()
		return l.within(n).do(r, q)
	case n.exists && (!q.mayUse || q.layer != nil && string(q.layer) != n.layer), !n.exists && !q.mayCreate:
		return nil, errDirectory
	case n.exists:
		return l.opened(n), nil
	}
	return l.create(r.(*transaction), q)
}

func (l *tree) create(t *transaction, q request) (machine.Directory, error) {
	if err := l.begin(t); err != nil {
		return nil, err
	}
	prefix := string(q.prefix)
	if q.prefix == nil {
		l.store.allocated++
		key, _ := l.contents.Pack(tuple.Tuple{l.store.allocated})
		prefix = string(key)
	}
	free, err := l.isFree(t, prefix)
	if err != nil || !free {
		return nil, errors.Join(err, errDirectory)
	}
	last := len(q.path) - 1
	parent := &node{prefix: string(l.nodes)}
	if last > 0 {
		if _, err := l.do(t, request{path: q.path[:last], mayCreate: true, mayUse: true}); err != nil {
			return nil, err
		}
		if parent, err = l.find(t, q.path[:last]); err != nil {
			return nil, err
		}
	}
	t.Set(l.row(parent.prefix, int64(0), q.path[last]), []byte(prefix))
	t.Set(l.row(prefix, []byte("layer")), q.layer)
	return l.opened(&node{exists: true, prefix: prefix, layer: string(q.layer), path: q.path}), nil
}

// layerVersion is the version of the directory layer, 1.0.0.
const layerVersion = "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// begin writes the version before the first change.
func (l *tree) begin(t machine.Transaction) error {
	key := l.row(string(l.nodes), []byte("version"))
	_, present, err := rowOf(t, key)
	if err == nil && !present {
		t.Set(key, []byte(layerVersion))
	}
	return err
}

// isFree reports whether no prefix of a directory, or of the nodes, begins with
// prefix, or the other way round.
func (l *tree) isFree(r machine.Reader, prefix string) (bool, error) {
	if prefix == "" || strings.HasPrefix(prefix, string(l.nodes)) {
		return false, nil
	}
	rows, err := r.RangePrefix([]byte(l.nodes), machine.RangeOptions{Mode: -1})
	for _, row := range rows {
		t, err := l.nodes.Unpack(row.Key)
		if err != nil {
			return false, err
		}
		if used := string(t[0].([]byte)); strings.HasPrefix(prefix, used) || strings.HasPrefix(used, prefix) {
			return false, nil
		}
	}
	return true, err
}

func (l *tree) CreateOrOpen(t machine.Transaction, path []string, layer []byte) (machine.Directory, error) {
	return l.do(t, request{path: path, layer: layer, mayCreate: true, mayUse: true})
}

func (l *tree) Create(t machine.Transaction, path []string, layer, prefix []byte) (machine.Directory, error) {
	return l.do(t, request{path: path, layer: layer, prefix: prefix, mayCreate: true})
}

func (l *tree) Open(r machine.Reader, path []string, layer []byte) (machine.Directory, error) {
	return l.do(r, request{path: path, layer: layer, mayUse: true})
}

func (l *tree) Move(t machine.Transaction, oldPath, newPath []string) (machine.Directory, error) {
	if len(newPath) >= len(oldPath) && slices.Equal(oldPath, newPath[:len(oldPath)]) {
		return nil, errDirectory
	}
	if err := l.begin(t); err != nil {
		return nil, err
	}
	from, err := l.find(t, oldPath)
	if err != nil {
		return nil, err
	}
	to, err := l.find(t, newPath)
	if err != nil {
		return nil, err
	}
	switch {
	case !from.exists:
		return nil, errDirectory
	case from.inside() || to.inside():
		if !from.inside() || !to.inside() || !slices.Equal(from.path, to.path) {
			return nil, errDirectory
		}
		return l.within(from).Move(t, from.rest(), to.rest())
	case to.exists:
		return nil, errDirectory
	}
	parent, err := l.find(t, newPath[:len(newPath)-1])
	if err != nil {
		return nil, err
	}
	if !parent.exists {
		return nil, errDirectory
	}
	t.Set(l.row(parent.prefix, int64(0), newPath[len(newPath)-1]), []byte(from.prefix))
	if err := l.unlink(t, oldPath); err != nil {
		return nil, err
	}
	return l.opened(&node{exists: true, prefix: from.prefix, layer: from.layer, path: newPath}), nil
}

// unlink takes a directory out of its parent.
func (l *tree) unlink(t machine.Transaction, path []string) error {
	last := len(path) - 1
	parent, err := l.find(t, path[:last])
	if err == nil {
		t.Clear(l.row(parent.prefix, int64(0), path[last]))
	}
	return err
}

// MoveTo implements machine.Directory: a root cannot be moved.
func (l *tree) MoveTo(machine.Transaction, []string) (machine.Directory, error) {
	return nil, errDirectory
}

func (l *tree) Remove(t machine.Transaction, path []string) error {
	removed, err := l.remove(t, path)
	if err == nil && !removed {
		err = errDirectory
	}
	return err
}

func (l *tree) RemoveIfExists(t machine.Transaction, path []string) error {
	_, err := l.remove(t, path)
	return err
}

func (l *tree) remove(t machine.Transaction, path []string) (bool, error) {
	if len(path) == 0 {
		return false, errDirectory
	}
	if err := l.begin(t); err != nil {
		return false, err
	}
	n, err := l.find(t, path)
	if err != nil || !n.exists {
		return false, err
	}
	if n.inside() {
		return l.within(n).remove(t, n.rest())
	}
	if err := l.removeAll(t, n.prefix); err != nil {
		return false, err
	}
	return true, l.unlink(t, path)
}

// removeAll removes a directory and those below.
func (l *tree) removeAll(t machine.Transaction, prefix string) error {
	rows, err := t.RangePrefix(l.row(prefix, int64(0)), machine.RangeOptions{Mode: -1})
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := l.removeAll(t, string(row.Value)); err != nil {
			return err
		}
	}
	if err := t.ClearPrefix([]byte(prefix)); err != nil {
		return err
	}
	return t.ClearPrefix(l.row(prefix))
}

func (l *tree) List(r machine.Reader, path []string) ([]string, error) {
	n, err := l.find(r, path)
	switch {
	case err != nil:
		return nil, err
	case !n.exists:
		return nil, errDirectory
	case n.layer == partitionLayer:
		return l.within(n).List(r, n.rest())
	}
	rows, err := r.RangePrefix(l.row(n.prefix, int64(0)), machine.RangeOptions{Mode: -1})
	var names []string
	for _, row := range rows {
		t, err := l.nodes.Unpack(row.Key)
		if err != nil {
			return nil, err
		}
		names = append(names, t[2].(string))
	}
	return names, err
}

func (l *tree) Exists(r machine.Reader, path []string) (bool, error) {
	n, err := l.find(r, path)
	if err == nil && n.inside() {
		return l.within(n).Exists(r, n.rest())
	}
	return err == nil && n.exists, err
}

// Path implements machine.Directory.
func (l *tree) Path() []string { return l.path }

// Layer implements machine.Directory.
func (l *tree) Layer() []byte { return nil }
