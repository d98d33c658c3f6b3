package directory_test

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/plinthdb/plinth/kv/directory"
)

// tree is a plain model of directories: what operations must do, without
// prefixes of the allocator's choice, which it is told.
type tree struct {
	next int
	// dirs holds all directories by a number; 0 is the root of all.
	dirs map[int]modelDirectory
}

type modelDirectory struct {
	layer, prefix string
	children      map[string]int
}

func (d modelDirectory) isPartition() bool { return d.layer == "partition" }

func newTree() *tree {
	return &tree{dirs: map[int]modelDirectory{0: {children: map[string]int{}}}}
}

func (t *tree) clone() *tree {
	c := &tree{next: t.next, dirs: maps.Clone(t.dirs)}
	for id, d := range c.dirs {
		d.children = maps.Clone(d.children)
		c.dirs[id] = d
	}
	return c
}

// walk returns the directory at path below home.
func (t *tree) walk(home int, path []string) (id int, ok bool) {
	id = home
	for _, name := range path {
		if id, ok = t.dirs[id].children[name]; !ok {
			return 0, false
		}
	}
	return id, true
}

// passes returns the first partition that a path goes through, and how many
// names lead to it; ok is false if it goes through none.
func (t *tree) passes(home int, path []string) (id, depth int, ok bool) {
	for depth = 1; depth < len(path); depth++ {
		id, found := t.walk(home, path[:depth])
		if found && t.dirs[id].isPartition() {
			return id, depth, true
		}
	}
	return 0, 0, false
}

// ask is what is asked of createOrOpen.
type ask struct {
	layer, prefix      *string
	mayOpen, mayCreate bool
}

// createOrOpen returns the directory and the ones that were created on the way,
// the last of which is the directory itself.
func (t *tree) createOrOpen(home int, path []string, a ask) (id int, created []int, err error) {
	if a.prefix != nil && home != 0 {
		return 0, nil, directory.ErrManualPrefix
	}
	if len(path) == 0 {
		return 0, nil, directory.ErrRootDirectory
	}
	if partition, depth, ok := t.passes(home, path); ok {
		return t.createOrOpen(partition, path[depth:], a)
	}
	if id, ok := t.walk(home, path); ok {
		switch {
		case !a.mayOpen:
			return 0, nil, directory.ErrExists
		case a.layer != nil && *a.layer != t.dirs[id].layer:
			return 0, nil, directory.ErrLayerMismatch
		}
		return id, nil, nil
	}
	switch {
	case !a.mayCreate:
		return 0, nil, directory.ErrNotFound
	case a.prefix != nil && t.inUse(home, *a.prefix):
		return 0, nil, directory.ErrPrefixInUse
	}
	for depth := range path {
		if _, ok := t.walk(home, path[:depth+1]); !ok {
			created = append(created, t.add(home, path[:depth+1]))
		}
	}
	id = created[len(created)-1]
	d := t.dirs[id]
	if a.layer != nil {
		d.layer = *a.layer
	}
	if a.prefix != nil {
		d.prefix = *a.prefix
	}
	t.dirs[id] = d
	return id, created, nil
}

func (t *tree) add(home int, path []string) int {
	t.next++
	parent, _ := t.walk(home, path[:len(path)-1])
	t.dirs[t.next] = modelDirectory{children: map[string]int{}}
	t.dirs[parent].children[path[len(path)-1]] = t.next
	return t.next
}

// inUse reports whether a prefix overlaps with one of a tree, whose metadata
// begins with \xfe.
func (t *tree) inUse(home int, prefix string) bool {
	if prefix == "" || overlaps(prefix, "\xfe") {
		return true
	}
	for _, id := range t.sameTree(home) {
		if overlaps(prefix, t.dirs[id].prefix) {
			return true
		}
	}
	return false
}

func overlaps(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }

// sameTree returns what is below home, but not below another partition.
func (t *tree) sameTree(home int) (ids []int) {
	for _, name := range slices.Sorted(maps.Keys(t.dirs[home].children)) {
		id := t.dirs[home].children[name]
		ids = append(ids, id)
		if !t.dirs[id].isPartition() {
			ids = append(ids, t.sameTree(id)...)
		}
	}
	return ids
}

func (t *tree) list(home int, path []string) ([]string, error) {
	id, ok := t.walk(home, path)
	if !ok {
		return nil, directory.ErrNotFound
	}
	return slices.Sorted(maps.Keys(t.dirs[id].children)), nil
}

func (t *tree) move(home int, from, to []string) (id int, err error) {
	if len(from) == 0 {
		return 0, directory.ErrRootDirectory
	}
	if len(to) >= len(from) && slices.Equal(to[:len(from)], from) {
		return 0, directory.ErrMoveIntoItself
	}
	fromPartition, depth, fromInside := t.passes(home, from)
	toPartition, _, toInside := t.passes(home, to)
	id, exists := t.walk(home, from)
	if !fromInside && !exists {
		return 0, directory.ErrNotFound
	}
	if fromInside != toInside || fromPartition != toPartition {
		return 0, directory.ErrBetweenPartitions
	}
	if fromInside {
		return t.move(fromPartition, from[depth:], to[depth:])
	}
	if _, exists := t.walk(home, to); exists {
		return 0, directory.ErrExists
	}
	parent, ok := t.walk(home, to[:len(to)-1])
	if !ok {
		return 0, directory.ErrParentNotFound
	}
	t.cut(home, from)
	t.dirs[parent].children[to[len(to)-1]] = id
	return id, nil
}

// cut removes the entry of a directory from its parent.
func (t *tree) cut(home int, path []string) {
	parent, _ := t.walk(home, path[:len(path)-1])
	delete(t.dirs[parent].children, path[len(path)-1])
}

func (t *tree) remove(home int, path []string) (existed bool, err error) {
	if len(path) == 0 {
		return false, directory.ErrRootDirectory
	}
	id, ok := t.walk(home, path)
	if ok {
		t.cut(home, path)
		t.drop(id)
	}
	return ok, nil
}

func (t *tree) drop(id int) {
	for _, child := range t.dirs[id].children {
		t.drop(child)
	}
	delete(t.dirs, id)
}

// errorKind returns which of the package's errors err is.
func errorKind(err error) error {
	for _, kind := range []error{
		directory.ErrNotFound, directory.ErrExists, directory.ErrParentNotFound, directory.ErrLayerMismatch,
		directory.ErrRootDirectory, directory.ErrMoveIntoItself, directory.ErrBetweenPartitions, directory.ErrManualPrefix,
		directory.ErrPrefixInUse, directory.ErrPartitionRoot,
	} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return err
}
