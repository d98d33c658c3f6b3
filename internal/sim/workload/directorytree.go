package workload

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plinthdb/plinth/kv/directory"
)

// plainDirectory is what a directory has to be: a tree of them says what must
// come out of operations, and which rows there must be.
type plainDirectory struct {
	layer, prefix string
	children      map[string]*plainDirectory
	content       map[string]string
	// used holds the prefixes that were allocated inside, if this is the root
	// or a partition.
	used map[string]bool
}

func newPlainDirectory() *plainDirectory {
	return &plainDirectory{children: map[string]*plainDirectory{}, content: map[string]string{}, used: map[string]bool{}}
}

func (d *plainDirectory) isPartition() bool { return d.layer == directory.PartitionLayer }

// walk returns the directory at path, nil if there is none.
func (d *plainDirectory) walk(path []string) *plainDirectory {
	for _, name := range path {
		if d = d.children[name]; d == nil {
			return nil
		}
	}
	return d
}

// passes returns the first partition that a path goes through, nil if there is
// none, and how many names lead to it.
func (d *plainDirectory) passes(path []string) (partition *plainDirectory, depth int) {
	for depth := 1; depth < len(path); depth++ {
		if d = d.children[path[depth-1]]; d == nil {
			return nil, 0
		}
		if d.isPartition() {
			return d, depth
		}
	}
	return nil, 0
}

// home returns the innermost partition that a path goes through, or d, which is
// the root of all.
func (d *plainDirectory) home(path []string) *plainDirectory {
	if partition, depth := d.passes(path); partition != nil {
		return partition.home(path[depth:])
	}
	return d
}

// sameTree returns all directories below d, but not those inside partitions.
func (d *plainDirectory) sameTree() (all []*plainDirectory) {
	for _, name := range sortedKeys(d.children) {
		child := d.children[name]
		all = append(all, child)
		if !child.isPartition() {
			all = append(all, child.sameTree()...)
		}
	}
	return all
}

// overlapping returns a directory of the tree whose root is d with a prefix that
// overlaps, nil if there is none.
func (d *plainDirectory) overlapping(prefix string) *plainDirectory {
	for _, other := range d.sameTree() {
		if strings.HasPrefix(prefix, other.prefix) || strings.HasPrefix(other.prefix, prefix) {
			return other
		}
	}
	return nil
}

// treeMismatch is an outcome that is not that of a plain tree.
type treeMismatch struct {
	invariant, text string
}

// apply does an operation to the tree below d, the root of all, and compares
// the outcome.
func (d *plainDirectory) apply(op *treeOp) *treeMismatch {
	want, text := "", ""
	switch op.Kind {
	case treeOpen, treeCreate, treeCreateOrOpen, treeCreatePrefix:
		return d.applyOpen(op)
	case treeExists:
		text = fmt.Sprint(d.walk(op.Path) != nil)
	case treeList:
		at := d.walk(op.Path)
		if want = "not found"; at != nil {
			want, text = "", strings.Join(sortedKeys(at.children), " ")
		}
	case treeRemove:
		existed := d.walk(op.Path) != nil
		if text = fmt.Sprint(existed); existed {
			d.cut(op.Path)
		}
	case treeMove:
		if want = d.move(op.Path, op.To); want == "" && op.Error == "" {
			return d.comparePrefixes(op, op.To)
		}
	case treePut, treeClear:
		want = d.write(op)
	}
	return compareOutcome(op, want, text)
}

func compareOutcome(op *treeOp, want, text string) *treeMismatch {
	if op.Error != want || op.Error == "" && op.Text != text {
		return &treeMismatch{"D1", fmt.Sprintf("%s %q %q gave error %q, result %q; want %q, %q", op.Kind, op.Path, op.To, op.Error, op.Text, want, text)}
	}
	return nil
}

// comparePrefixes compares the prefixes that were found along a path.
func (d *plainDirectory) comparePrefixes(op *treeOp, path []string) *treeMismatch {
	for i := range path {
		if at := d.walk(path[:i+1]); i >= len(op.Prefixes) || string(op.Prefixes[i]) != at.prefix {
			return &treeMismatch{"D1", fmt.Sprintf("%s %q found prefixes %x, want %x for the name %d", op.Kind, path, op.Prefixes, at.prefix, i)}
		}
	}
	return nil
}

// applyOpen opens or creates a directory.
func (d *plainDirectory) applyOpen(op *treeOp) *treeMismatch {
	if want := d.openError(op); want != "" || op.Error != "" {
		return compareOutcome(op, want, "")
	}
	for i := range op.Path {
		if d.walk(op.Path[:i+1]) != nil {
			continue
		}
		if mismatch := d.create(op, i); mismatch != nil {
			return mismatch
		}
	}
	return d.comparePrefixes(op, op.Path)
}

// openError names the error that an operation must give which opens or creates
// a directory.
func (d *plainDirectory) openError(op *treeOp) string {
	at, home := d.walk(op.Path), d.home(op.Path)
	switch {
	case op.Kind == treeCreatePrefix && home != d:
		return "manual"
	case at != nil && (op.Kind == treeCreate || op.Kind == treeCreatePrefix):
		return "is there"
	case at != nil && op.Layer != nil && *op.Layer != at.layer:
		return "layer"
	case at == nil && op.Kind == treeOpen:
		return "not found"
	case op.Kind == treeCreatePrefix && home.overlapping(op.Manual) != nil:
		return "in use"
	}
	return ""
}

// create adds the directory to which the first i+1 names of the path lead.
func (d *plainDirectory) create(op *treeOp, i int) *treeMismatch {
	if i >= len(op.Prefixes) {
		return &treeMismatch{"D1", fmt.Sprintf("%s %q found no prefix for the name %d", op.Kind, op.Path, i)}
	}
	home, created := d.home(op.Path[:i+1]), newPlainDirectory()
	created.prefix = string(op.Prefixes[i])
	last := i == len(op.Path)-1
	if last && op.Layer != nil {
		created.layer = *op.Layer
	}
	if other := home.overlapping(created.prefix); other != nil {
		return &treeMismatch{"D3", fmt.Sprintf("%s %q got prefix %x, which overlaps with %x", op.Kind, op.Path[:i+1], created.prefix, other.prefix)}
	}
	switch {
	case last && op.Kind == treeCreatePrefix:
		if created.prefix != op.Manual {
			return &treeMismatch{"D1", fmt.Sprintf("%s %q got prefix %x, not %x", op.Kind, op.Path, created.prefix, op.Manual)}
		}
	case home.used[created.prefix]:
		return &treeMismatch{"D3", fmt.Sprintf("%s %q got prefix %x, which was allocated before", op.Kind, op.Path[:i+1], created.prefix)}
	case !strings.HasPrefix(created.prefix, home.prefix):
		return &treeMismatch{"D3", fmt.Sprintf("%s %q got prefix %x in a partition with %x", op.Kind, op.Path[:i+1], created.prefix, home.prefix)}
	default:
		home.used[created.prefix] = true
	}
	d.walk(op.Path[:i]).children[op.Path[i]] = created
	return nil
}

// cut takes a directory out of the tree and returns it.
func (d *plainDirectory) cut(path []string) *plainDirectory {
	parent, name := d.walk(path[:len(path)-1]), path[len(path)-1]
	child := parent.children[name]
	delete(parent.children, name)
	return child
}

// move moves a directory, or names the error that this must give.
func (d *plainDirectory) move(from, to []string) string {
	fromPartition, depth := d.passes(from)
	toPartition, _ := d.passes(to)
	switch {
	case len(to) >= len(from) && slices.Equal(to[:len(from)], from):
		return "into itself"
	case fromPartition == nil && d.walk(from) == nil:
		return "not found"
	case fromPartition != toPartition:
		return "partitions"
	case fromPartition != nil:
		return fromPartition.move(from[depth:], to[depth:])
	case d.walk(to) != nil:
		return "is there"
	case d.walk(to[:len(to)-1]) == nil:
		return "no parent"
	}
	moved := d.cut(from)
	d.walk(to[:len(to)-1]).children[to[len(to)-1]] = moved
	return ""
}

// write changes content, or names the error that this must give.
func (d *plainDirectory) write(op *treeOp) string {
	at := d.walk(op.Path)
	switch {
	case at == nil:
		return "not found"
	case at.isPartition():
		return "partition root"
	case op.Kind == treeClear:
		clear(at.content)
	default:
		at.content[op.Key] = op.Key
	}
	return ""
}
