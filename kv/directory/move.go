package directory

import (
	"slices"

	"github.com/plinthdb/plinth/kv"
)

// beginsWith reports whether a path goes through another, or ends there.
func beginsWith(path, begin []string) bool {
	return len(path) >= len(begin) && slices.Equal(path[:len(begin)], begin)
}

func (l *Layer) move(tx *kv.Transaction, oldPath, newPath []string) (*DirectorySubspace, error) {
	switch {
	case len(oldPath) == 0:
		return nil, ErrRootDirectory
	case beginsWith(newPath, oldPath):
		return nil, ErrMoveIntoItself
	}
	if err := l.beginWrite(tx); err != nil {
		return nil, err
	}
	from, err := l.walk(tx, oldPath)
	if err != nil {
		return nil, err
	}
	to, err := l.walk(tx, newPath)
	if err != nil {
		return nil, err
	}
	fromInside, toInside := from.leadsInside(oldPath), to.leadsInside(newPath)
	switch {
	case !from.exists:
		return nil, ErrNotFound
	case fromInside != toInside, fromInside && !slices.Equal(oldPath[:from.depth], newPath[:to.depth]):
		return nil, ErrBetweenPartitions
	case fromInside:
		return l.insideOf(from, oldPath).move(tx, oldPath[from.depth:], newPath[to.depth:])
	case to.exists:
		return nil, ErrExists
	case to.depth < len(newPath)-1:
		return nil, ErrParentNotFound
	}
	tx.Set(subdirKey(to.parent, newPath[len(newPath)-1]), from.prefix)
	tx.Clear(subdirKey(from.parent, oldPath[len(oldPath)-1]))
	return l.open(from.prefix, from.layer, newPath), nil
}

// remove reports whether there was a directory to remove.
func (l *Layer) remove(tx *kv.Transaction, path []string) (bool, error) {
	if len(path) == 0 {
		return false, ErrRootDirectory
	}
	if err := l.beginWrite(tx); err != nil {
		return false, err
	}
	n, err := l.walk(tx, path)
	switch {
	case err != nil || !n.exists:
		return false, err
	case n.leadsInside(path):
		return l.insideOf(n, path).remove(tx, path[n.depth:])
	}
	doomed, err := l.tree(tx, n)
	if err != nil {
		return false, err
	}
	for _, n := range doomed {
		tx.ClearRange(kv.PrefixRange(n.prefix))
		tx.ClearRange(n.meta.Range())
	}
	tx.Clear(subdirKey(n.parent, path[len(path)-1]))
	return true, nil
}

// tree returns n and all nodes below it. What is inside a partition is not
// among them: it is the partition's content.
func (l *Layer) tree(r kv.Reader, n node) ([]node, error) {
	all := []node{n}
	for i := 0; i < len(all); i++ {
		parent := all[i]
		for row, err := range r.Range(parent.meta.Sub(subdirElement).Range(), kv.RangeOptions{}).All() {
			if err != nil {
				return nil, err
			}
			child, err := l.child(parent, row)
			if err != nil {
				return nil, err
			}
			all = append(all, child)
		}
	}
	return all, nil
}
