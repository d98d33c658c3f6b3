package workload

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// treeRows are all rows of the workload but those of the log: the ones that
// there must be, and where there may be more, which the allocators write.
type treeRows struct {
	want map[string]string
	// versions are the keys that hold the version, if they are there.
	versions map[string]bool
	// allocators are the prefixes of the allocators' keys.
	allocators []string
}

// treeVersion is what a version key holds.
const treeVersion = "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// rowsOf returns the rows of a tree whose metadata begins with nodes, in the
// format of package directory.
func rowsOf(root *plainDirectory, nodes string) *treeRows {
	r := &treeRows{want: map[string]string{}, versions: map[string]bool{}}
	r.addTree(root, nodes)
	return r
}

func packed(elements ...tuple.Element) string { return string(tuple.Tuple(elements).Pack()) }

func (r *treeRows) addTree(home *plainDirectory, nodes string) {
	root := nodes + packed([]byte(nodes))
	r.versions[root+packed([]byte("version"))] = true
	r.allocators = append(r.allocators, root+packed([]byte("hca")))
	r.addChildren(home, root)
	for _, d := range home.sameTree() {
		node := nodes + packed([]byte(d.prefix))
		r.want[node+packed([]byte("layer"))] = d.layer
		if d.isPartition() {
			r.addTree(d, d.prefix+"\xfe")
			continue
		}
		r.addChildren(d, node)
		for key, value := range d.content {
			r.want[d.prefix+packed(key)] = value
		}
	}
}

func (r *treeRows) addChildren(d *plainDirectory, node string) {
	for name, child := range d.children {
		r.want[node+packed(0, name)] = child.prefix
	}
}

// expects reports whether a row is one that may be there, and takes it off the
// list.
func (r *treeRows) expects(row kv.KeyValue) bool {
	key := string(row.Key)
	if value, ok := r.want[key]; ok {
		delete(r.want, key)
		return value == string(row.Value)
	}
	if r.versions[key] {
		return string(row.Value) == treeVersion
	}
	return slices.ContainsFunc(r.allocators, func(prefix string) bool { return bytes.HasPrefix(row.Key, []byte(prefix)) })
}

// Check implements Workload.
func (d *directoryCorrectness) Check(ctx context.Context, env *Env) error {
	before, _ := d.known()
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	_, aborted := d.known()
	root := newPlainDirectory()
	log := env.Key("log/")
	logged := make(map[uint64]bool)
	for _, row := range rows {
		if !bytes.HasPrefix(row.Key, log) {
			continue
		}
		var entry treeEntry
		if err := json.Unmarshal(row.Value, &entry); err != nil {
			return env.Violated("D4", "at version %d the log holds %.80q: %v", version, row.Value, err)
		}
		if aborted[entry.ID] || logged[entry.ID] {
			return env.Violated("D4", "at version %d the log holds transaction %d, which was aborted (%v) or is there twice", version, entry.ID, aborted[entry.ID])
		}
		logged[entry.ID] = true
		for i := range entry.Ops {
			if mismatch := root.apply(&entry.Ops[i]); mismatch != nil {
				return env.Violated(mismatch.invariant, "at version %d, transaction %d, operation %d: %s", version, entry.ID, i, mismatch.text)
			}
		}
	}
	for id := range before {
		if !logged[id] {
			return env.Violated("D4", "at version %d the log lacks transaction %d, which was acknowledged", version, id)
		}
	}
	return compareTree(env, rowsOf(root, string(treeNodes(env))), rows, version)
}

// compareTree compares the rows that are not in the log with those of a tree.
func compareTree(env *Env, tree *treeRows, rows []kv.KeyValue, version kv.Version) error {
	log := env.Key("log/")
	for _, row := range rows {
		if !bytes.HasPrefix(row.Key, log) && !tree.expects(row) {
			return env.Violated("D2", "at version %d there is a row %q=%.80q", version, row.Key, row.Value)
		}
	}
	for _, key := range sortedKeys(tree.want) {
		return env.Violated("D2", "at version %d there is no row %q=%.80q", version, key, tree.want[key])
	}
	return nil
}
