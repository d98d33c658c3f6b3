package directory_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/directory"
	"github.com/plinthdb/plinth/kv/internal/model"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

// handle is a Directory that was opened at some time, and what the model has to
// know to do the same: the tree that holds its entry and its path there, and
// the tree that holds what is below.
type handle struct {
	directory.Directory
	home, below         int
	homePath, belowPath []string // in that tree
	path                []string // from the root of all
}

// play is one run of random operations.
type play struct {
	store   *model.Store
	db      *kv.Database
	tree    *tree
	handles []handle
	// allocated holds, by tree, the prefixes that committed transactions got.
	allocated map[string]bool
}

// under is what a transaction that may not be committed knows.
type under struct {
	*play
	t         *rapid.T
	tx        *kv.Transaction
	tree      *tree
	handles   []handle
	allocated []string
}

// TestRandomOperationsDoWhatAPlainTreeDoes (D1, D2, D4, D5, D8, D9) also
// compares all rows of the store with the format that is documented.
func TestRandomOperationsDoWhatAPlainTreeDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &play{store: model.New(), tree: newTree(), allocated: map[string]bool{}}
		p.db = kv.NewDatabase(p.store)
		defer p.db.Close()
		root := directory.NewLayer(subspace.FromBytes([]byte{0xfe}), subspace.AllKeys(), directory.WithManualPrefixes())
		p.handles = []handle{{Directory: root}}
		for range rapid.IntRange(1, 25).Draw(t, "transactions") {
			p.transaction(t)
		}
		p.compareRows(t)
	})
}

func (p *play) transaction(t *rapid.T) {
	tx := p.db.Begin(context.Background())
	defer tx.Cancel()
	u := &under{play: p, t: t, tx: tx, tree: p.tree.clone(), handles: slices.Clone(p.handles)}
	for range rapid.IntRange(1, 3).Draw(t, "operations") {
		u.operate()
	}
	if rapid.IntRange(0, 9).Draw(t, "abort") == 0 {
		return
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	p.tree, p.handles = u.tree, u.handles
	for _, prefix := range u.allocated {
		if p.allocated[prefix] {
			t.Fatalf("prefix %q was allocated twice", prefix)
		}
		p.allocated[prefix] = true
	}
}

func (u *under) drawPath() []string {
	return rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3).Draw(u.t, "path")
}

func (u *under) drawLayer() *string {
	layers := []*string{nil, nil, pointer(""), pointer("L"), pointer("partition")}
	return rapid.SampledFrom(layers).Draw(u.t, "layer")
}

func pointer(s string) *string { return &s }

// bytesOf returns the bytes of a string, nil for none.
func bytesOf(s *string) []byte {
	if s == nil {
		return nil
	}
	return []byte(*s)
}

func (u *under) drawHandle() handle {
	live := slices.DeleteFunc(slices.Clone(u.handles), func(h handle) bool {
		_, home := u.tree.dirs[h.home]
		_, below := u.tree.dirs[h.below]
		return !home || !below
	})
	return rapid.SampledFrom(live).Draw(u.t, "handle")
}

func (u *under) operate() {
	h := u.drawHandle()
	path := u.drawPath()
	below := slices.Concat(h.belowPath, path)
	switch op := rapid.SampledFrom([]string{"open", "create", "create", "prefix", "create or open", "exists", "list", "move", "move to", "remove"}).Draw(u.t, "op"); op {
	case "exists":
		got, err := h.Exists(u.reader(), path)
		_, want := u.tree.walk(h.below, below)
		if len(path) == 0 {
			_, want = u.tree.walk(h.home, h.homePath)
		}
		u.expect("exists", fmt.Sprint(got), err, fmt.Sprint(want), nil)
	case "list":
		got, err := h.List(u.reader(), path)
		want, wantErr := u.tree.list(h.below, below)
		u.expect("list", fmt.Sprint(got), err, fmt.Sprint(want), wantErr)
	case "move":
		to := u.drawPath()
		d, err := h.Move(u.tx, path, to)
		id, wantErr := u.tree.move(h.below, below, slices.Concat(h.belowPath, to))
		u.found(d, id, slices.Concat(h.path, to), err, wantErr)
	case "move to":
		u.moveTo(h, u.drawPath())
	case "remove":
		home, at := h.below, below
		if len(path) == 0 {
			home, at = h.home, h.homePath
		}
		got, err := u.remove(h, path)
		want, wantErr := u.tree.remove(home, at)
		u.expect("remove", fmt.Sprint(got), err, fmt.Sprint(want), wantErr)
	default:
		u.createOrOpen(h, op, path)
	}
}

// reader returns one of the readers that reads may use.
func (u *under) reader() kv.Reader {
	if rapid.Bool().Draw(u.t, "snapshot") {
		return u.tx.Snapshot()
	}
	return u.tx
}

// remove uses both methods that remove.
func (u *under) remove(h handle, path []string) (bool, error) {
	if rapid.Bool().Draw(u.t, "if exists") {
		return h.RemoveIfExists(u.tx, path)
	}
	err := h.Remove(u.tx, path)
	if errorKind(err) == directory.ErrNotFound {
		return false, nil
	}
	return err == nil, err
}

func (u *under) moveTo(h handle, to []string) {
	d, err := h.MoveTo(u.tx, to)
	homeAt := h.path[:len(h.path)-len(h.homePath)]
	var id int
	wantErr := directory.ErrBetweenPartitions
	switch {
	case len(h.path) == 0:
		wantErr = directory.ErrRootDirectory
	case len(to) >= len(homeAt) && slices.Equal(to[:len(homeAt)], homeAt):
		id, wantErr = u.tree.move(h.home, h.homePath, to[len(homeAt):])
	}
	u.found(d, id, to, err, wantErr)
}

func (u *under) createOrOpen(h handle, op string, path []string) {
	a := ask{layer: u.drawLayer(), mayOpen: op == "open" || op == "create or open", mayCreate: op != "open"}
	if op == "prefix" {
		a.prefix = pointer(rapid.SampledFrom([]string{"", "\xfe", "\xfe\x01a", "\x80", "\x80a", "\x80ab", "\x80b", "\xa0"}).Draw(u.t, "prefix"))
	}
	id, created, wantErr := u.tree.createOrOpen(h.below, slices.Concat(h.belowPath, path), a)
	var d *directory.DirectorySubspace
	var err error
	switch op {
	case "open":
		d, err = h.Open(u.reader(), path, bytesOf(a.layer))
	case "create":
		d, err = h.Create(u.tx, path, bytesOf(a.layer))
	case "prefix":
		d, err = h.CreatePrefix(u.tx, path, bytesOf(a.layer), bytesOf(a.prefix))
	default:
		d, err = h.CreateOrOpen(u.tx, path, bytesOf(a.layer))
	}
	if err == nil {
		u.learn(created, a.prefix)
	}
	u.found(d, id, slices.Concat(h.path, path), err, wantErr)
}

// learn notes the prefixes of directories that were created, and puts a key
// into each. Only the last may have a manual prefix.
func (u *under) learn(created []int, manual *string) {
	root := u.play.handles[0]
	for i, id := range created {
		_, at := u.placeOf(id, func(int) bool { return false })
		d, err := root.Open(u.tx, at, nil)
		if err != nil {
			u.t.Fatalf("open %q, which was just created: %v", at, err)
		}
		prefix := prefixOf(d)
		dir := u.tree.dirs[id]
		if dir.prefix = prefix; manual == nil || i < len(created)-1 {
			u.allocated = append(u.allocated, prefix)
		}
		u.tree.dirs[id] = dir
		if !d.IsPartition() {
			u.tx.Set(d.Pack(tuple.Tuple{"owner"}), fmt.Append(nil, id))
		}
	}
}

// prefixOf returns the prefix also of a partition, which hides it.
func prefixOf(d *directory.DirectorySubspace) string { return string(d.PrefixRange().Begin) }

// expect compares an outcome.
func (u *under) expect(op, got string, err error, want string, wantErr error) {
	u.t.Helper()
	if errorKind(err) != wantErr {
		u.t.Fatalf("%s: error %v, want %v", op, err, wantErr)
	}
	if err == nil && got != want {
		u.t.Fatalf("%s: got %s, want %s", op, got, want)
	}
}

// found compares a directory that was returned, and keeps it as a handle.
func (u *under) found(d *directory.DirectorySubspace, id int, path []string, err, wantErr error) {
	u.t.Helper()
	if u.expect("a directory", "", err, "", wantErr); err != nil {
		if d != nil {
			u.t.Fatalf("with error %v there is a directory", err)
		}
		return
	}
	want := u.tree.dirs[id]
	if !slices.Equal(d.Path(), path) || string(d.Layer()) != want.layer || prefixOf(d) != want.prefix {
		u.t.Fatalf("got %v with layer %q, want path %q, prefix %q, layer %q", d, d.Layer(), path, want.prefix, want.layer)
	}
	if !d.IsPartition() {
		owner, err := u.tx.Get(d.Pack(tuple.Tuple{"owner"})).Wait()
		if err != nil || string(owner) != fmt.Sprint(id) {
			u.t.Fatalf("%v holds %q of another one (error %v)", d, owner, err)
		}
	}
	h := handle{Directory: d, path: path}
	h.home, h.homePath = u.placeOf(id, func(id int) bool { return u.tree.dirs[id].isPartition() })
	if h.below, h.belowPath = h.home, h.homePath; d.IsPartition() {
		h.below, h.belowPath = id, nil
	}
	u.handles = append(u.handles, h)
}

// placeOf returns the innermost directory above another for which is holds, or
// the root of all, and the path from there.
func (u *under) placeOf(id int, is func(id int) bool) (above int, path []string) {
	for {
		parent, name := u.parentOf(id)
		path = slices.Insert(path, 0, name)
		if id = parent; id == 0 || is(id) {
			return id, path
		}
	}
}

func (u *under) parentOf(id int) (int, string) {
	for parent, d := range u.tree.dirs {
		for name, child := range d.children {
			if child == id {
				return parent, name
			}
		}
	}
	u.t.Fatalf("directory %d has no parent", id)
	return 0, ""
}

// compareRows compares the store, all of it, with the format.
func (p *play) compareRows(t *rapid.T) {
	want := map[string]string{}
	p.tree.rows(want, 0, "\xfe")
	for _, row := range p.store.Rows() {
		key := string(row.Key)
		switch value, ok := want[key]; {
		case ok && value != string(row.Value):
			t.Fatalf("key %q holds %q, want %q", key, row.Value, value)
		case ok:
			delete(want, key)
		case bytes.HasSuffix(row.Key, []byte("\x01version\x00")) && string(row.Value) == "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00":
		case bytes.Contains(row.Key, []byte("\x01hca\x00")):
		default:
			t.Fatalf("there is a row %q=%q", row.Key, row.Value)
		}
	}
	if len(want) > 0 {
		t.Fatalf("there is no row of %q", want)
	}
}

// rows puts all rows of the tree below home into out, but for version and
// allocator. The tree's metadata begins with nodes.
func (t *tree) rows(out map[string]string, home int, nodes string) {
	t.subdirRows(out, home, nodes+pack([]byte(nodes)))
	for _, id := range t.sameTree(home) {
		d := t.dirs[id]
		node := nodes + pack([]byte(d.prefix))
		out[node+pack([]byte("layer"))] = d.layer
		if d.isPartition() {
			t.rows(out, id, d.prefix+"\xfe")
			continue
		}
		out[d.prefix+pack("owner")] = fmt.Sprint(id)
		t.subdirRows(out, id, node)
	}
}

func (t *tree) subdirRows(out map[string]string, id int, node string) {
	for name, child := range t.dirs[id].children {
		out[node+pack(0, name)] = t.dirs[child].prefix
	}
}

func pack(elements ...tuple.Element) string { return string(tuple.Tuple(elements).Pack()) }
