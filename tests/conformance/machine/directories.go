package machine

import (
	"errors"

	"github.com/plinthdb/plinth/kv/tuple"
)

// directories is what a machine knows of directories.
type directories struct {
	// list holds Directories and Subspaces, and nil where an error left none.
	list              []any
	index, errorIndex int
}

// errNoDirectory says that the current entry of the list cannot do what was
// asked for.
var errNoDirectory = errors.New("the current entry of the directory list is of another kind")

// directoryOperations are those of directories.
func directoryOperations() map[string]operation {
	return map[string]operation{
		"DIRECTORY_CREATE_SUBSPACE":  {run: createSubspace},
		"DIRECTORY_CREATE_LAYER":     {run: createLayer},
		"DIRECTORY_CREATE_OR_OPEN":   directoryChange(createOrOpen),
		"DIRECTORY_CREATE":           directoryChange(createDirectory),
		"DIRECTORY_OPEN":             {run: openDirectory, snapshot: true, database: true},
		"DIRECTORY_CHANGE":           {run: changeDirectory},
		"DIRECTORY_SET_ERROR_INDEX":  {run: setErrorIndex},
		"DIRECTORY_MOVE":             directoryChange(moveDirectory),
		"DIRECTORY_MOVE_TO":          directoryChange(moveDirectoryTo),
		"DIRECTORY_REMOVE":           {run: removeDirectory(Directory.Remove), database: true},
		"DIRECTORY_REMOVE_IF_EXISTS": {run: removeDirectory(Directory.RemoveIfExists), database: true},
		"DIRECTORY_LIST":             {run: listDirectory, snapshot: true, database: true},
		"DIRECTORY_EXISTS":           {run: directoryExists, snapshot: true, database: true},
		"DIRECTORY_LOG_DIRECTORY":    {run: logDirectory},
	}
}

// tuple pops a tuple, preceded by its length.
func (v *values) tuple() tuple.Tuple { return v.list(v.int()) }

// path pops a tuple of strings.
func (v *values) path() []string {
	t := v.tuple()
	path := make([]string, len(t))
	for i, element := range t {
		name, ok := element.(string)
		if !ok && v.err == nil {
			v.err = typeError("a unicode string", element)
		}
		path[i] = name
	}
	return path
}

// maybePath pops a count of 0 or 1, and that many paths.
func (v *values) maybePath() []string {
	if v.int64() == 0 {
		return nil
	}
	return v.path()
}

// directory returns the current directory.
func (m *Machine) directory() (Directory, error) {
	d, ok := m.directories.list[m.directories.index].(Directory)
	if !ok {
		return nil, errNoDirectory
	}
	return d, nil
}

// directoryError is what stands on the stack for an error of the layer.
const directoryError = "DIRECTORY_ERROR"

// settle ends an operation that does not add to the list: its error goes to the
// stack.
func (m *Machine) settle(c call, err error) error {
	if err != nil {
		m.numbered(c.index, err)
		m.stack.push(c.index, []byte(directoryError))
	}
	return nil
}

// add ends an operation that adds to the list, a null in case of an error.
func (m *Machine) add(c call, entry any, err error) error {
	if err != nil {
		m.numbered(c.index, err)
		m.stack.push(c.index, []byte(directoryError))
		entry = nil
	}
	m.directories.list = append(m.directories.list, entry)
	return nil
}

// entry returns an entry of the list.
func (v *values) entry() any {
	i := v.int()
	if v.err == nil && (i < 0 || i >= len(v.m.directories.list)) {
		v.err = ErrStackUnderflow
	}
	if v.err != nil {
		return nil
	}
	return v.m.directories.list[i]
}

func createSubspace(m *Machine, c call) error {
	v := m.values()
	path, prefix := v.tuple(), v.bytes()
	if v.err != nil {
		return v.err
	}
	s, err := m.client.Subspace(prefix, path)
	return m.add(c, s, err)
}

func createLayer(m *Machine, c call) error {
	v := m.values()
	nodes, contents, manual := v.entry(), v.entry(), v.int64() == 1
	if v.err != nil {
		return v.err
	}
	n, ok1 := nodes.(Subspace)
	s, ok2 := contents.(Subspace)
	if !ok1 || !ok2 {
		return m.add(c, nil, nil)
	}
	return m.add(c, m.client.NewDirectories(n, s, manual), nil)
}

// change is what an operation does with the current directory once its operands
// are popped.
type change func(t Transaction, d Directory) (Directory, error)

// directoryChange makes an operation that adds a directory to the list.
func directoryChange(operands func(*values) change) operation {
	return operation{database: true, run: func(m *Machine, c call) error {
		v := m.values()
		f := operands(v)
		if v.err != nil {
			return v.err
		}
		var result Directory
		d, err := m.directory()
		if err == nil {
			err = m.transact(c, func(t Transaction) (err error) {
				result, err = f(t, d)
				return err
			})
		}
		return m.add(c, result, err)
	}}
}

// transact runs f with the transaction that a variant stands for.
func (m *Machine) transact(c call, f func(Transaction) error) error {
	if c.onDatabase {
		return m.client.Update(f)
	}
	t, err := m.transaction()
	if err != nil {
		return err
	}
	return f(t)
}

func createOrOpen(v *values) change {
	path, layer := v.path(), v.bytesOrNil()
	return func(t Transaction, d Directory) (Directory, error) { return d.CreateOrOpen(t, path, layer) }
}

func createDirectory(v *values) change {
	path, layer, prefix := v.path(), v.bytesOrNil(), v.bytesOrNil()
	return func(t Transaction, d Directory) (Directory, error) { return d.Create(t, path, layer, prefix) }
}

func moveDirectory(v *values) change {
	oldPath, newPath := v.path(), v.path()
	return func(t Transaction, d Directory) (Directory, error) { return d.Move(t, oldPath, newPath) }
}

func moveDirectoryTo(v *values) change {
	path := v.path()
	return func(t Transaction, d Directory) (Directory, error) { return d.MoveTo(t, path) }
}

func openDirectory(m *Machine, c call) error {
	v := m.values()
	path, layer := v.path(), v.bytesOrNil()
	if v.err != nil {
		return v.err
	}
	var opened Directory
	err := m.readDirectory(c, func(r Reader, d Directory) (err error) {
		opened, err = d.Open(r, path, layer)
		return err
	})
	return m.add(c, opened, err)
}

// readDirectory runs f with the current directory and the reader that a variant
// stands for.
func (m *Machine) readDirectory(c call, f func(Reader, Directory) error) error {
	d, err := m.directory()
	if err != nil {
		return err
	}
	return m.read(c, func(r Reader) error { return f(r, d) })
}

func changeDirectory(m *Machine, _ call) error {
	v := m.values()
	i := v.int()
	if v.err != nil {
		return v.err
	}
	if i < 0 || i >= len(m.directories.list) {
		return ErrStackUnderflow
	}
	if m.directories.list[i] == nil {
		i = m.directories.errorIndex
	}
	m.directories.index = i
	return nil
}

func setErrorIndex(m *Machine, _ call) error {
	v := m.values()
	i := v.int()
	if v.err == nil && (i < 0 || i >= len(m.directories.list)) {
		v.err = ErrStackUnderflow
	}
	if v.err == nil {
		m.directories.errorIndex = i
	}
	return v.err
}

func removeDirectory(remove func(Directory, Transaction, []string) error) func(*Machine, call) error {
	return func(m *Machine, c call) error {
		v := m.values()
		path := v.maybePath()
		if v.err != nil {
			return v.err
		}
		d, err := m.directory()
		if err == nil {
			err = m.transact(c, func(t Transaction) error { return remove(d, t, path) })
		}
		return m.settle(c, err)
	}
}

func listDirectory(m *Machine, c call) error {
	v := m.values()
	path := v.maybePath()
	if v.err != nil {
		return v.err
	}
	var packed []byte
	err := m.readDirectory(c, func(r Reader, d Directory) error {
		names, err := d.List(r, path)
		if err == nil {
			packed, err = m.client.Tuples().Pack(texts(names))
		}
		return err
	})
	if err == nil {
		m.stack.push(c.index, packed)
	}
	return m.settle(c, err)
}

// texts returns names as a tuple.
func texts(names []string) tuple.Tuple {
	t := make(tuple.Tuple, len(names))
	for i, name := range names {
		t[i] = name
	}
	return t
}

func directoryExists(m *Machine, c call) error {
	v := m.values()
	path := v.maybePath()
	if v.err != nil {
		return v.err
	}
	var exists bool
	err := m.readDirectory(c, func(r Reader, d Directory) (err error) {
		exists, err = d.Exists(r, path)
		return err
	})
	if err == nil {
		m.stack.push(c.index, oneIf(exists))
	}
	return m.settle(c, err)
}

func oneIf(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// logDirectory writes what is known of the current directory.
func logDirectory(m *Machine, c call) error {
	v := m.values()
	prefix := v.bytes()
	if v.err != nil {
		return v.err
	}
	t, err := m.transaction()
	if err == nil {
		err = m.logDirectoryTo(t, prefix)
	}
	return m.settle(c, err)
}

func (m *Machine) logDirectoryTo(t Transaction, prefix []byte) error {
	d, err := m.directory()
	if err != nil {
		return err
	}
	exists, err := d.Exists(t, nil)
	if err != nil {
		return err
	}
	var children []string
	if exists {
		if children, err = d.List(t, nil); err != nil {
			return err
		}
	}
	log, err := m.client.Subspace(prefix, tuple.Tuple{int64(m.directories.index)})
	if err != nil {
		return err
	}
	layer := append([]byte{}, d.Layer()...) // never null
	for _, row := range []struct {
		name  string
		value tuple.Tuple
	}{
		{"path", texts(d.Path())},
		{"layer", tuple.Tuple{layer}},
		{"exists", tuple.Tuple{oneIf(exists)}},
		{"children", texts(children)},
	} {
		key, err := log.Pack(tuple.Tuple{row.name})
		if err != nil {
			return err
		}
		value, err := m.client.Tuples().Pack(row.value)
		if err != nil {
			return err
		}
		t.Set(key, value)
	}
	return nil
}
