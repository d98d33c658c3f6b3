package generate

import (
	"fmt"
)

// Directory returns a program of about so many steps on directories, subspaces,
// partitions and trees of its own. What is allocated is random, so only what it
// logs can be predicted.
func Directory(seed uint64, steps int) *Program {
	b := newBuilder(kindDirectory, seed, "test")
	d := &directoryBuilder{builder: b}
	d.added()
	b.op("NEW_TRANSACTION")
	b.end()
	ways := d.ways()
	for range steps {
		b.choose(ways)
	}
	for _, i := range d.usable {
		b.call("DIRECTORY_CHANGE", int64(i))
		d.logDirectory()
		b.end()
	}
	d.commit()
	b.end()
	b.logStack()
	return &Program{Kind: "directory", Seed: seed, Threads: []Thread{b.thread}, OnlyLog: true}
}

// directoryBuilder makes steps of directory programs.
type directoryBuilder struct {
	*builder
	// entries is how many entries the directory list has; the first is the root.
	entries int
	// usable are those that may become the current one. The subspaces of trees
	// may not: nothing else must write there.
	usable []int
	trees  int
}

func (d *directoryBuilder) ways() []weighted {
	return []weighted{
		{6, d.change}, {1, d.setErrorIndex},
		{8, d.createOrOpen}, {6, d.create}, {5, d.open},
		{4, d.move}, {3, d.moveTo}, {3, d.remove},
		{4, d.list}, {4, d.exists}, {2, d.logDirectory},
		{1, d.createSubspace}, {1, d.createTree}, {1, d.openSubspace},
		{3, d.write}, {3, d.read}, {1, d.unpack}, {1, d.bounds}, {1, d.contains},
		{4, d.commit},
	}
}

// added notes that the step adds to the list.
func (d *directoryBuilder) added() {
	d.usable = append(d.usable, d.entries)
	d.entries++
}

func (d *directoryBuilder) change() { d.call("DIRECTORY_CHANGE", int64(pick(d.builder, d.usable...))) }

func (d *directoryBuilder) setErrorIndex() {
	d.call("DIRECTORY_SET_ERROR_INDEX", int64(pick(d.builder, d.usable...)))
}

// commit ends the transaction, successful or not, and begins another.
func (d *directoryBuilder) commit() {
	d.op("COMMIT")
	d.waitFor(1)
	d.op("NEW_TRANSACTION")
}

// directoryCall does an operation in the transaction, or on the database. Then
// the transaction is committed first, so that nothing conflicts with it.
func (d *directoryBuilder) directoryCall(name string, operands ...any) {
	if d.chance(30) {
		d.commit()
		name += "_DATABASE"
	}
	d.call(name, operands...)
}

// readCall is directoryCall for operations that exist on a snapshot.
func (d *directoryBuilder) readCall(name string, operands ...any) {
	if d.chance(30) {
		d.call(name+"_SNAPSHOT", operands...)
		return
	}
	d.directoryCall(name, operands...)
}

// counted returns a tuple as operations pop it.
func counted(elements ...any) []any { return append([]any{int64(len(elements))}, elements...) }

func join(lists ...[]any) (all []any) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// path returns a path of few names.
func (d *directoryBuilder) path() []any {
	var names []any
	for range pick(d.builder, 0, 1, 1, 1, 2, 2, 3) {
		names = append(names, pick(d.builder, "a", "b", "ü"))
	}
	return counted(names...)
}

// maybePath returns a path as those operations pop it that can do without.
func (d *directoryBuilder) maybePath() []any {
	if d.chance(30) {
		return []any{int64(0)}
	}
	return append([]any{int64(1)}, d.path()...)
}

func (d *directoryBuilder) layer() any {
	return pick[any](d.builder, nil, nil, nil, []byte("layer 1"), []byte("layer 2"), []byte("partition"))
}

func (d *directoryBuilder) createOrOpen() {
	d.directoryCall("DIRECTORY_CREATE_OR_OPEN", append(d.path(), d.layer())...)
	d.added()
}

func (d *directoryBuilder) create() {
	var prefix any
	if d.chance(30) {
		prefix = []byte(pick(d.builder, "\x04m", "\x04n", "\x04no", "\x04o"))
	}
	d.directoryCall("DIRECTORY_CREATE", append(d.path(), d.layer(), prefix)...)
	d.added()
}

func (d *directoryBuilder) open() {
	d.readCall("DIRECTORY_OPEN", append(d.path(), d.layer())...)
	d.added()
}

func (d *directoryBuilder) move() {
	d.directoryCall("DIRECTORY_MOVE", join(d.path(), d.path())...)
	d.added()
}

func (d *directoryBuilder) moveTo() {
	d.directoryCall("DIRECTORY_MOVE_TO", d.path()...)
	d.added()
}

func (d *directoryBuilder) remove() {
	d.directoryCall(pick(d.builder, "DIRECTORY_REMOVE", "DIRECTORY_REMOVE_IF_EXISTS"), d.maybePath()...)
}

func (d *directoryBuilder) list()   { d.readCall("DIRECTORY_LIST", d.maybePath()...) }
func (d *directoryBuilder) exists() { d.readCall("DIRECTORY_EXISTS", d.maybePath()...) }

// logDirectory logs under a prefix that the tree of a shrunk program has too.
func (d *directoryBuilder) logDirectory() { d.call("DIRECTORY_LOG_DIRECTORY", d.logKey()) }

// createSubspace makes a subspace of a prefix that is known, and logs that.
func (d *directoryBuilder) createSubspace() {
	d.call("DIRECTORY_CREATE_SUBSPACE", append(counted("sub", int64(d.IntN(3))), []byte("\x05"))...)
	d.call("DIRECTORY_CHANGE", int64(d.entries))
	d.call("DIRECTORY_LOG_SUBSPACE", d.logKey())
	d.added()
}

// createTree makes a directory layer over subspaces of its own.
func (d *directoryBuilder) createTree() {
	d.trees++
	d.call("DIRECTORY_CREATE_SUBSPACE", append(counted("nodes", int64(d.trees)), []byte("\x06"))...)
	d.call("DIRECTORY_CREATE_SUBSPACE", append(counted("contents", int64(d.trees)), []byte("\x06"))...)
	d.call("DIRECTORY_CREATE_LAYER", int64(d.entries), int64(d.entries+1), int64(d.IntN(2)))
	d.call("DIRECTORY_CHANGE", int64(d.entries+2))
	d.entries += 2
	d.added()
}

func (d *directoryBuilder) openSubspace() {
	d.call("DIRECTORY_OPEN_SUBSPACE", d.contentTuple()...)
	d.added()
}

// contentTuple returns the tuple of one of few keys.
func (d *directoryBuilder) contentTuple() []any {
	return pick(d.builder, counted(), counted("key"), counted(int64(d.IntN(2)), []byte{0}))
}

// write writes to a key of the directory.
func (d *directoryBuilder) write() {
	d.push(fmt.Appendf(nil, "value %d", d.IntN(100)))
	d.call("DIRECTORY_PACK_KEY", d.contentTuple()...)
	d.op(pick(d.builder, "SET", "SET"))
}

// read reads a key of the directory, and looks at the key without its prefix.
func (d *directoryBuilder) read() {
	d.call("DIRECTORY_PACK_KEY", d.contentTuple()...)
	d.op("DUP")
	d.op("DIRECTORY_STRIP_PREFIX")
	d.call("SWAP", int64(1))
	d.op("GET")
	d.waitFor(1)
}

func (d *directoryBuilder) unpack() {
	d.call("DIRECTORY_PACK_KEY", d.contentTuple()...)
	d.op("DIRECTORY_UNPACK_KEY")
}

func (d *directoryBuilder) bounds() {
	d.push([]byte("in case of an error"))
	d.call("DIRECTORY_RANGE", d.contentTuple()...)
	d.op("DIRECTORY_STRIP_PREFIX")
	d.call("SWAP", int64(1))
	d.op("DIRECTORY_STRIP_PREFIX")
}

func (d *directoryBuilder) contains() {
	if d.chance(50) {
		d.call("DIRECTORY_CONTAINS", []byte("\x02other"))
		return
	}
	d.call("DIRECTORY_PACK_KEY", d.contentTuple()...)
	d.op("DIRECTORY_CONTAINS")
}

// AllocatedName is what the names of the directories begin with that an
// allocator program makes.
const AllocatedName = "allocated"

// Allocator returns a program of some machines, each of which makes some
// directories at the same time.
func Allocator(seed uint64, machines, directories int) *Program {
	p := &Program{Kind: "directory_hca", Seed: seed, OnlyLog: true, Allocates: true}
	p.Threads = threads(kindAllocator, seed, machines, func(b *builder) {
		b.op("NEW_TRANSACTION")
		b.end()
		for i := 0; i < directories; i++ {
			name := fmt.Sprintf("%s %s %d", AllocatedName, b.thread.Prefix, i)
			if b.chance(60) {
				b.call("DIRECTORY_CREATE_DATABASE", append(counted(name), nil, nil)...)
				b.end()
				continue
			}
			b.allocateSome(name)
		}
		b.call("DIRECTORY_LIST_DATABASE", int64(1), int64(1), fmt.Sprintf("of %s", b.thread.Prefix))
		b.end()
		b.logStack()
	})
	return p
}

// allocateSome makes directories in one transaction below one of the thread's
// own, so that nothing but the allocator can conflict, which it must not.
func (b *builder) allocateSome(name string) {
	parent := fmt.Sprintf("of %s", b.thread.Prefix)
	b.call("DIRECTORY_CREATE_OR_OPEN_DATABASE", append(counted(parent), nil)...)
	b.op("NEW_TRANSACTION")
	for i := range 1 + b.IntN(4) {
		b.call("DIRECTORY_CREATE", append(counted(parent, fmt.Sprintf("%s.%d", name, i)), nil, nil)...)
	}
	b.op("RESET")
	b.call("DIRECTORY_CREATE_DATABASE", append(counted(parent, name), nil, nil)...)
	b.end()
}
